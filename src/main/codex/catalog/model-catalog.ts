import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { hasFeature } from "../../../workers/contract/codex-capabilities.js";
import type { PromptForm, TurnProfile } from "../../../workers/contract/turn.js";
import type { CodexBinary } from "../binary/codex-binary.js";
import { type CommandResult, runCommand } from "../process/run-command.js";
import { CatalogCache, type CatalogEntry, type KeptCatalog } from "./catalog-cache.js";

export interface RenderModelCatalogOptions {
  readonly binary: CodexBinary;
  readonly env: Readonly<Record<string, string>>;
  readonly configArgs: readonly string[];
  readonly cwd: string;
  /** CODEX_HOME of the app-server. Its configuration is part of the cache key. */
  readonly codexHome: string;
  /** Digest of the login; null if logged out. */
  readonly login: string | null;
  /** Directory for the derived catalogs; created if missing. */
  readonly directory: string;
  /** A cached catalog younger than this is used without asking Codex; 0 asks every time. */
  readonly cacheMaxAgeMs: number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly timeoutMs: number;
  /** Aborting kills the `codex` command. */
  readonly signal?: AbortSignal | undefined;
  /** The profile whose overrides go into the catalog that an app-server starts with. */
  readonly profile: TurnProfile;
}

export interface RenderedCatalog {
  readonly status: "rendered";
  /**
   * The catalog that an app-server starts with. If threads can have catalogs of their own, each model keeps its own form in
   * it.
   */
  readonly path: string;
  /** For each prompt form, a catalog with every model in that form, for single threads. */
  readonly paths: Readonly<Record<PromptForm, string>>;
  /** Values from Codex's own catalog, in its order. */
  readonly models: readonly CatalogEntry[];
  readonly source: "codex" | "cache";
}

export type ModelCatalogResult =
  | RenderedCatalog
  /** The service uses Codex's own catalog instead. `reason` is for the log. */
  | { readonly status: "degraded"; readonly name: "derived_catalog_unavailable"; readonly reason: string };

/**
 * Switches off the tools that Codex offers a model because of the catalog: other agents, patches, and running JavaScript
 * that calls tools.
 */
const withoutOwnTools = {
  tool_mode: null,
  multi_agent_version: null,
  experimental_supported_tools: [],
  apply_patch_tool_type: null,
  supports_search_tool: false,
} as const;

/**
 * What each profile overwrites in a catalog. `lean` removes Codex's whole harness, so that the model sees only the caller's
 * functions and messages, unchanged. Neither profile changes whether Codex uses Responses Lite for a model.
 */
export const modelOverrides = {
  codex: withoutOwnTools,
  lean: {
    ...withoutOwnTools,
    supports_parallel_tool_calls: true,
    // If Codex knows the window, it summarises a history that outgrows it; the caller should get an error to act on instead.
    context_window: null,
    max_context_window: null,
    // If the request sets neither, the model's own defaults apply.
    default_verbosity: null,
    default_reasoning_level: null,
  },
} as const satisfies Record<TurnProfile, object>;

/** What a single thread's catalog overwrites in every model, by prompt form. */
const formOverrides = {
  lean: { ...modelOverrides.lean, use_responses_lite: false },
  lean_lite: { ...modelOverrides.lean, use_responses_lite: true },
  codex: modelOverrides.codex,
} as const satisfies Record<PromptForm, object>;

/** Loose, so that all other properties of a model are passed back to Codex unchanged. */
const catalogSchema = z.looseObject({ models: z.array(z.looseObject({ slug: z.string().min(1) })).min(1) });

const maxCatalogBytes = 32 * 1024 * 1024;

/**
 * Takes the account's catalog from `codex debug models`, writes a copy with the profile's `modelOverrides` in every model,
 * and one more for each prompt form. Never rejects: a failure is a `degraded` result.
 *
 * Codex answers in 30 ms from its own cache, in one round trip to the backend without it, and after 5 s when the backend is
 * silent. The result is therefore cached by binary, account and configuration.
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
      return "`codex debug models` did not finish in time";
    case "aborted":
      return "`codex debug models` was aborted";
    case "output_too_large":
      return "`codex debug models` printed too much";
  }
}

async function computeKey(options: RenderModelCatalogOptions): Promise<string> {
  const { binary, codexHome, login, configArgs, profile } = options;
  const [file, config] = await Promise.all([
    stat(binary.path),
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

/** If threads cannot have catalogs of their own, all turns use the older prompt form, because that one has web search. */
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
