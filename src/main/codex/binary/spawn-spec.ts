import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import type { CodexBinary } from "./codex-binary.js";

export interface SpawnSpecOptions {
  readonly binary: CodexBinary;
  readonly configArgs: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The derived catalog; null keeps Codex's own. */
  readonly modelCatalogPath: string | null;
  readonly stopStepMs: number;
}

/** Builds the command of an app-server on stdio. For a unix socket, `AppServerProcess` adds `--listen`. */
export function buildSpawnSpec(options: SpawnSpecOptions): SpawnSpec {
  const { modelCatalogPath } = options;
  // Passed as an argument, because `codex debug models` also reads config.toml and must see the account's own catalog. A JSON
  // string is a valid TOML string.
  const catalogArgs =
    modelCatalogPath === null ? [] : ["-c", `model_catalog_json=${JSON.stringify(modelCatalogPath)}`];
  return {
    command: options.binary.path,
    args: ["app-server", ...options.configArgs, ...catalogArgs],
    cwd: options.cwd,
    env: options.env,
    stopStepMs: options.stopStepMs,
  };
}
