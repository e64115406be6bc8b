/** A runtime for one command: the Codex that `serve` would run on, without a listener. */
import type { Environment } from "../config/machine.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import type { Logger } from "../observability/logger.js";
import { CodexNativeRuntime } from "../runtime/runtime.js";
import { packageVersion } from "../version.js";

export type PrivateRuntime = Pick<
  CodexNativeRuntime,
  "start" | "health" | "listModels" | "resolveModel" | "runIsolatedTurn" | "close" | "destroy"
>;

export type CreateRuntime = (config: CodexNativeApiConfig, logger: Logger) => Promise<PrivateRuntime>;

export function createPrivateRuntime(
  config: CodexNativeApiConfig,
  logger: Logger,
  environment: Environment,
): PrivateRuntime {
  return new CodexNativeRuntime(
    {
      codex: { ...config.codex, environment },
      appServer: config.appServer,
      // The command runs one turn at a time, so that spare threads would be idle.
      turns: { ...config.turns, spareThreads: 0 },
      models: config.models,
      decisions: config.decisions,
      workers: 1,
      admission: config.admission,
      shutdownGraceMs: config.shutdownGraceMs,
      version: packageVersion,
    },
    logger,
  );
}
