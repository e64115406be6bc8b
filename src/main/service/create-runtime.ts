import type { Logger } from "pino";
import { findConfigFaults } from "../config/inspect-config.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import { createSilentLogger } from "../observability/logger.js";
import { refuseFaults } from "../option-shapes.js";
import { CodexNativeRuntime } from "../runtime/runtime.js";
import type { CodexNativeRuntimeOptions } from "../runtime/runtime-options.js";
import { packageVersion } from "../version.js";

/** What `createRuntime` takes beside a configuration; everything may be left out. */
export interface CreateRuntimeOptions
  extends Pick<CodexNativeRuntimeOptions, "observer" | "providerProfileId" | "accountId"> {
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /**
   * Variables from which Codex gets those on an allow-list, as for `CodexNativeApiService`. Default: none. To pass the process's
   * environment, give `process.env`.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * The runtime that a service with this configuration would run on, without a listener: `createRuntime(config)`, then `start()`, and
 * `close()` at the end. Of the configuration it uses `codex`, `appServer`, `turns`, `models`, `decisions`, `workers`, `admission` and `shutdownGraceMs`.
 *
 * @throws TypeError that names every part of the configuration, and every option, of the wrong shape.
 */
export function createRuntime(
  config: CodexNativeApiConfig,
  options: CreateRuntimeOptions = {},
): CodexNativeRuntime {
  refuseFaults("createRuntime", findConfigFaults(config));
  const { logger = createSilentLogger(), environment = {}, observer, providerProfileId, accountId } = options;
  const { codex, appServer, turns, models, decisions, workers, admission, shutdownGraceMs } = config;
  return new CodexNativeRuntime(
    {
      codex: { ...codex, environment },
      appServer,
      turns,
      models,
      decisions,
      workers,
      admission,
      shutdownGraceMs,
      version: packageVersion,
      ...(observer !== undefined && { observer }),
      ...(providerProfileId !== undefined && { providerProfileId }),
      ...(accountId !== undefined && { accountId }),
    },
    logger,
  );
}
