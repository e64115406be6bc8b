/** For commands that must end something in good order, even after Ctrl-C: above all a Codex of their own. */
import { waitWithin } from "../../workers/contract/wait.js";
import { createLogger, type Logger } from "../observability/logger.js";
import type { Readiness } from "../runtime/types.js";
import type { CliContext } from "./cli-context.js";
import type { LoadedConfig } from "./command.js";
import { exitCodes } from "./exit-codes.js";
import type { PrivateRuntime } from "./private-runtime.js";

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
export function watchInterruption({ events, exit }: CliContext): AbortSignal {
  const controller = new AbortController();
  events.onSignal(() => {
    if (controller.signal.aborted) exit(exitCodes.interrupted);
    controller.abort();
  });
  return controller.signal;
}

/**
 * Starts the runtime that `serve` would start, up to the login, calls `use`, and stops the runtime. Null when the signal aborts before
 * the runtime has started.
 */
export async function withPrivateRuntime<T>(
  context: CliContext,
  loaded: LoadedConfig,
  signal: AbortSignal,
  use: (runtime: PrivateRuntime, readiness: Readiness) => Promise<T>,
): Promise<T | null> {
  const runtime = await context.createRuntime(loaded.config, createPrivateLogger(context, loaded));
  try {
    const readiness = await waitWithin(runtime.start(), { signal }, () => null);
    return readiness === null ? null : await use(runtime, readiness);
  } finally {
    await runtime.destroy();
  }
}

/** Logs to standard error, and only if the user has set a log level. */
function createPrivateLogger(context: CliContext, { config, origins }: LoadedConfig): Logger {
  const isSet = (origins.get("logLevel")?.layer ?? "default") !== "default";
  return createLogger({
    level: isSet ? config.logLevel : "silent",
    format: "text",
    destination: { write: (line) => void context.stderr.write(line) },
  });
}
