/** Ctrl-C for commands that have something to end in an orderly way. */
import { waitWithin } from "../../workers/contract/wait.js";
import type { CliContext } from "./cli-context.js";
import { exitCodes } from "./exit-codes.js";

/** Aborts at the first SIGINT or SIGTERM; at the second the process ends at once. */
export function watchInterruption({ events, exit }: CliContext): AbortSignal {
  const controller = new AbortController();
  events.onSignal(() => {
    if (controller.signal.aborted) exit(exitCodes.interrupted);
    controller.abort();
  });
  return controller.signal;
}

/** The promise's value, or `interrupted` when that is first. */
export async function orInterrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | "interrupted"> {
  return waitWithin(promise, { signal }, () => "interrupted");
}
