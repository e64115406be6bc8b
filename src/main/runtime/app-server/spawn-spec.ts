import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import type { CodexBinary } from "./codex-binary.js";

export interface SpawnSpecOptions {
  readonly binary: CodexBinary;
  readonly configArgs: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The derived catalog; null leaves Codex its own. */
  readonly modelCatalogPath: string | null;
  readonly stopStepMs: number;
}

/** An app-server on stdio. For a unix socket, `AppServerProcess` adds the `--listen` argument. */
export function buildSpawnSpec(options: SpawnSpecOptions): SpawnSpec {
  const { modelCatalogPath } = options;
  // An argument and not a line of config.toml: `codex debug models` reads that file too, and must see the account's
  // catalog. A JSON string is a TOML string.
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
