import type { MethodParams } from "../app-server/protocol.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import type { JsonObject } from "../contract/json.js";
import type { ThreadSettings, TurnAssignment, WebSearchOptions } from "../contract/turn.js";
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
  // Those of a user's own home: what one person told Codex belongs in no other prompt.
  "memories",
] as const;

/** No form lets a turn run commands, read files or ask a person. Keys unknown to a version only give a `configWarning`. */
const noOwnTools: JsonObject = {
  "features.skip_host_skill_discovery": true,
  ...Object.fromEntries(switchedOffFeatures.map((name) => [`features.${name}`, false])),
  "skills.include_instructions": false,
  // A namespace of tools in 0.150, also where there is no skill.
  "orchestrator.skills.enabled": false,
  "tools.experimental_request_user_input.enabled": false,
  "tools.update_plan.enabled": false,
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

/** `thread/start` parameters of an isolated thread. `codexVersion` is null where it is not known: taken for a new one. */
export function threadStartParams(
  settings: ThreadSettings,
  names: ToolNames,
  { workDirectory, codexVersion }: { readonly workDirectory: string; readonly codexVersion: string | null },
): MethodParams<"thread/start"> {
  const { dynamicTools } = names;
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
    ...(dynamicTools.length > 0 && { dynamicTools }),
    config: {
      ...noOwnTools,
      // 0.140 takes every key of `agents` for a role, and refuses the thread.
      ...(isAtLeast(codexVersion, 0, 150) && { "agents.enabled": false }),
      ...(settings.form !== "codex" && noOwnTexts),
      ...webSearchConfig(settings.webSearch),
      ...dropNulls({ model_verbosity: settings.verbosity, model_catalog_json: settings.modelCatalog }),
    },
  };
}

function webSearchConfig(options: WebSearchOptions | null): JsonObject {
  if (options === null) return { web_search: "disabled" };
  const { contextSize, allowedDomains, location } = options;
  const tool = dropNulls({
    context_size: contextSize,
    allowed_domains: allowedDomains,
    location: location && dropNulls(location),
  });
  return { web_search: "live", ...(Object.keys(tool).length > 0 && { "tools.web_search": tool }) };
}

type WithoutNulls<Values> = { readonly [Key in keyof Values]?: Exclude<Values[Key], null> };

function dropNulls<Values extends object>(values: Values): WithoutNulls<Values>;
function dropNulls(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
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
    ...dropNulls(turn),
  };
}
