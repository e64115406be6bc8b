import type { MethodParams } from "../app-server/protocol.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import type { JsonObject } from "../contract/json.js";
import type {
  FunctionTool,
  PromptForm,
  ThreadSettings,
  TurnAssignment,
  WebSearchOptions,
} from "../contract/turn.js";
import type { ToolNames } from "./tool-names.js";

/** Codex features that would offer the model a tool or a text which the caller did not ask for. */
const switchedOffFeatures = [
  "multi_agent",
  "apps",
  "plugins",
  "shell_tool",
  "goals",
  "view_image",
  "image_generation",
  "hooks",
  "sleep_tool",
  // Those of a user's own home: what one person told Codex is nobody else's prompt.
  "memories",
] as const;

/**
 * No form lets a turn run commands, read files or ask a person. Keys unknown to a version only give a `configWarning`;
 * those that a version takes for something else are in `refusedBefore`.
 */
const noOwnTools: JsonObject = {
  "features.skip_host_skill_discovery": true,
  ...Object.fromEntries(switchedOffFeatures.map((name) => [`features.${name}`, false])),
  "skills.include_instructions": false,
  // A namespace of tools in 0.150, also where there is no skill.
  "orchestrator.skills.enabled": false,
  "tools.experimental_request_user_input.enabled": false,
  "tools.update_plan.enabled": false,
  "agents.enabled": false,
  project_doc_max_bytes: 0,
  include_apps_instructions: false,
  include_collaboration_mode_instructions: false,
  // Otherwise Codex cuts what the caller's functions put out.
  tool_output_token_limit: 100_000_000,
  // An isolated thread is of no use once its turn is over; loaded, it keeps 0.85 MB of the app-server.
  thread_unload_delay_secs: 0,
};

const noOwnTexts: JsonObject = {
  include_permissions_instructions: false,
  include_environment_context: false,
};

const configOfForm: Record<PromptForm, JsonObject> = {
  lean: { ...noOwnTools, ...noOwnTexts },
  lean_lite: { ...noOwnTools, ...noOwnTexts },
  codex: noOwnTools,
};

/** Keys that make older versions refuse the thread, by the first version that takes them. */
const refusedBefore: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  // 0.140 takes every key of `agents` for a role.
  "agents.enabled": [0, 150],
};

function acceptedBy(codexVersion: string | null, config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => {
      const since = refusedBefore[key];
      return since === undefined || isAtLeast(codexVersion, ...since);
    }),
  );
}

export interface ThreadSurroundings {
  readonly workDirectory: string;
  /** Null where it is not known: taken for a new one. */
  readonly codexVersion: string | null;
}

/** `thread/start` parameters of an isolated thread. */
export function threadStartParams(
  settings: ThreadSettings,
  names: ToolNames,
  { workDirectory, codexVersion }: ThreadSurroundings,
): MethodParams<"thread/start"> {
  return {
    model: settings.model,
    cwd: workDirectory,
    ephemeral: true,
    experimentalRawEvents: true,
    environments: [],
    sandbox: "read-only",
    approvalPolicy: "never",
    // In the `codex` form they are an item after Codex's own: `developerInstructions` would take the organisation's place.
    ...(settings.form !== "codex" && { baseInstructions: settings.instructions }),
    ...(settings.tools.length === 0
      ? {}
      : { dynamicTools: settings.tools.map((tool) => dynamicTool(tool, names)) }),
    config: {
      ...acceptedBy(codexVersion, configOfForm[settings.form]),
      ...webSearchConfig(settings.webSearch),
      ...(settings.verbosity === null ? {} : { model_verbosity: settings.verbosity }),
      ...(settings.modelCatalog === null ? {} : { model_catalog_json: settings.modelCatalog }),
    },
  };
}

function webSearchConfig(options: WebSearchOptions | null): JsonObject {
  if (options === null) return { web_search: "disabled" };
  const { contextSize, allowedDomains, location } = options;
  const tool = {
    ...(contextSize !== null && { context_size: contextSize }),
    ...(allowedDomains !== null && { allowed_domains: allowedDomains }),
    ...(location !== null && { location: dropNulls(location) }),
  };
  return { web_search: "live", ...(Object.keys(tool).length > 0 && { "tools.web_search": tool }) };
}

function dropNulls(values: object): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function dynamicTool(tool: FunctionTool, names: ToolNames) {
  return {
    type: "function" as const,
    name: names.toNative(tool.name),
    description: tool.description,
    inputSchema: tool.parameters,
  };
}

/** `turn/start` parameters. Without a text the model answers the injected history as it stands. */
export function turnStartParams(
  threadId: string,
  { turn }: TurnAssignment,
  text: string | null,
): MethodParams<"turn/start"> {
  return {
    threadId,
    input: text === null ? [] : [{ type: "text", text }],
    ...(turn.effort === null ? {} : { effort: turn.effort }),
    ...(turn.summary === null ? {} : { summary: turn.summary }),
    ...(turn.serviceTier === null ? {} : { serviceTier: turn.serviceTier }),
    ...(turn.outputSchema === null ? {} : { outputSchema: turn.outputSchema }),
  };
}
