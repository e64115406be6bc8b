import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { hasFeature } from "../../../workers/contract/codex-capabilities.js";
import type { PromptForm, TurnProfile } from "../../../workers/contract/turn.js";
import { CatalogCache, type CatalogEntry, type KeptCatalog } from "./catalog-cache.js";
import type { CodexBinary } from "./codex-binary.js";
import { readLoginIdentity } from "./login-identity.js";
import { type CommandResult, runCommand } from "./run-command.js";

export interface RenderModelCatalogOptions {
  readonly binary: CodexBinary;
  readonly env: Readonly<Record<string, string>>;
  readonly configArgs: readonly string[];
  readonly cwd: string;
  /** CODEX_HOME of the app-server: its configuration is part of what a cached catalog is valid for. */
  readonly codexHome: string;
  readonly authFile: string;
  /** Where derived catalogs are kept. Made if missing. */
  readonly directory: string;
  /** A kept catalog younger than this is used as it is; 0 asks Codex every time. */
  readonly cacheMaxAgeMs: number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly timeoutMs: number;
  /** Aborting ends the question to Codex. */
  readonly signal?: AbortSignal | undefined;
  /** Whose catalog an app-server starts with. */
  readonly profile: TurnProfile;
}

export interface RenderedCatalog {
  readonly status: "rendered";
  /** What an app-server starts with: each model in its own form, as far as a thread can have another. */
  readonly path: string;
  /** Every model in the one form, for a thread that is to have it. */
  readonly paths: Readonly<Record<PromptForm, string>>;
  /** In the catalog's order, as Codex's own catalog has them. */
  readonly models: readonly CatalogEntry[];
  readonly source: "codex" | "cache";
}

export type ModelCatalogResult =
  | RenderedCatalog
  /** The service goes on with Codex's own catalog. `reason` is for the log. */
  | { readonly status: "degraded"; readonly name: "derived_catalog_unavailable"; readonly reason: string };

/** What the catalog alone makes Codex offer a model: other agents, patches, and a runner of JavaScript that calls its other tools. */
const withoutOwnTools = {
  tool_mode: null,
  multi_agent_version: null,
  experimental_supported_tools: [],
  apply_patch_tool_type: null,
  supports_search_tool: false,
} as const;

/**
 * `lean` takes the whole harness off a model, so that it sees the caller's functions and messages as they are and nothing else. Whether
 * Codex speaks Responses Lite with it stays as Codex has it.
 */
export const modelOverrides = {
  codex: withoutOwnTools,
  lean: {
    ...withoutOwnTools,
    supports_parallel_tool_calls: true,
    // With a window Codex summarises a history that outgrows it, in place of the error that a caller can act on.
    context_window: null,
    max_context_window: null,
    // What nobody asked for is left to the model's own defaults.
    default_verbosity: null,
    default_reasoning_level: null,
  },
} as const satisfies Record<TurnProfile, object>;

/** What a thread's catalog says of every model, by the form that the thread is to have. */
const formOverrides = {
  lean: { ...modelOverrides.lean, use_responses_lite: false },
  lean_lite: { ...modelOverrides.lean, use_responses_lite: true },
  codex: modelOverrides.codex,
} as const satisfies Record<PromptForm, object>;

/** Loose, so that whatever else Codex says of a model is passed back to it unchanged. */
const catalogSchema = z.looseObject({ models: z.array(z.looseObject({ slug: z.string().min(1) })).min(1) });

const maxCatalogBytes = 32 * 1024 * 1024;

/**
 * The account's catalog, as `codex debug models` prints it, with the profile's `modelOverrides` in every model; and one for each form of
 * prompt. Never rejects: what failed is in the result.
 *
 * Codex answers in 30 ms from its own cache, in a backend's round trip without, and after 5 s when the backend is silent;
 * hence the cache, by binary, account and configuration.
 */
export async function renderModelCatalog(options: RenderModelCatalogOptions): Promise<ModelCatalogResult> {
  try {
    const cache = new CatalogCache(options.directory, options.wallClock);
    const key = await computeKey(options);
    const kept = await cache.read(key);
    if (kept !== null && kept.ageMs < options.cacheMaxAgeMs) return describe(kept, "cache", options);
    const rendered = await askCodex(options);
    if (rendered.status === "rendered")
      return describe(await cache.keep(key, rendered.contents, rendered.models), "codex", options);
    return kept === null ? rendered : describe(kept, "cache", options);
  } catch (error) {
    return degraded(error instanceof Error ? error.message : "unknown fault");
  }
}

type Rendered = {
  readonly status: "rendered";
  readonly contents: Readonly<Record<"own" | PromptForm, string>>;
  readonly models: readonly CatalogEntry[];
};

async function askCodex(
  options: RenderModelCatalogOptions,
): Promise<Rendered | Extract<ModelCatalogResult, { status: "degraded" }>> {
  const result = await runCommand({
    command: options.binary.path,
    args: ["debug", "models", ...options.configArgs],
    env: options.env,
    cwd: options.cwd,
    timeoutMs: options.timeoutMs,
    maxOutputBytes: maxCatalogBytes,
    signal: options.signal,
  });
  if (result.outcome !== "exited" || result.code !== 0) return degraded(describeFailure(result));
  let printed: unknown;
  try {
    printed = JSON.parse(result.stdout);
  } catch {
    return degraded("`codex debug models` did not print JSON");
  }
  const catalog = catalogSchema.safeParse(printed);
  if (!catalog.success) return degraded("`codex debug models` printed a catalog of an unknown shape");
  const { models } = catalog.data;
  const override = (overrides: object): string =>
    JSON.stringify({ ...catalog.data, models: models.map((model) => ({ ...model, ...overrides })) });
  return {
    status: "rendered",
    contents: {
      own: override(modelOverrides[options.profile]),
      lean: override(formOverrides.lean),
      lean_lite: override(formOverrides.lean_lite),
      codex: override(formOverrides.codex),
    },
    models: models.map(({ slug, default_reasoning_level: level, use_responses_lite: isLite }) => ({
      id: slug,
      defaultReasoningEffort: typeof level === "string" ? level : null,
      usesResponsesLite: isLite === true,
    })),
  };
}

function describeFailure(result: CommandResult): string {
  switch (result.outcome) {
    case "exited":
      return `\`codex debug models\` ended with code ${result.code}`;
    case "signalled":
      return `\`codex debug models\` was ended by ${result.signal}`;
    case "not_started":
      return `\`codex debug models\` could not be started (${result.errorCode})`;
    case "timed_out":
      return "`codex debug models` did not end in time";
    case "aborted":
      return "`codex debug models` was given up";
    case "output_too_large":
      return "`codex debug models` printed too much";
  }
}

async function computeKey(options: RenderModelCatalogOptions): Promise<string> {
  const { binary, codexHome, authFile, configArgs, profile } = options;
  const [file, login, config] = await Promise.all([
    stat(binary.path),
    readLoginIdentity(authFile),
    readFile(join(codexHome, "config.toml"), "utf8").catch(() => ""),
  ]);
  const parts = [
    binary.path,
    binary.version,
    file.mtimeMs,
    file.size,
    login,
    config,
    configArgs,
    modelOverrides[profile],
    formOverrides,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Where a thread cannot have a catalog of its own, the older form serves all turns: it has web search. */
function describe(
  { paths, models }: KeptCatalog,
  source: "codex" | "cache",
  { binary, profile }: RenderModelCatalogOptions,
): ModelCatalogResult {
  const { own, ...ofForms } = paths;
  const path = hasFeature(binary.version, "prompt_forms") ? own : ofForms[profile];
  return { status: "rendered", path, paths: ofForms, models, source };
}

function degraded(reason: string): Extract<ModelCatalogResult, { status: "degraded" }> {
  return { status: "degraded", name: "derived_catalog_unavailable", reason };
}
