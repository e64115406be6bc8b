/** Commands that have something to end in an orderly way, be it by Ctrl-C: above all a Codex of their own. */
import { waitWithin } from "../../workers/contract/wait.js";
import { createLogger, type Logger } from "../observability/logger.js";
import type { Readiness } from "../runtime/types.js";
import type { CliContext } from "./cli-context.js";
import type { LoadedConfig } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import type { PrivateRuntime } from "./private-runtime.js";

/** Aborts at the first SIGINT or SIGTERM; at the second the process ends at once. */
export function watchInterruption({ events, exit }: CliContext): AbortSignal {
  const controller = new AbortController();
  events.onSignal(() => {
    if (controller.signal.aborted) exit(exitCodes.interrupted);
    controller.abort();
  });
  return controller.signal;
}

/**
 * Starts what `serve` would start, up to the login, for as long as `use` takes, and stops it. Null when interrupted before it had
 * started.
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

/** What goes on inside is told only to those who asked for a log level, and never on standard output. */
function createPrivateLogger(context: CliContext, { config, origins }: LoadedConfig): Logger {
  const isAskedFor = (origins.get("logLevel")?.layer ?? "default") !== "default";
  return createLogger({
    level: isAskedFor ? config.logLevel : "silent",
    format: "text",
    destination: { write: (line) => void context.stderr.write(line) },
  });
}
