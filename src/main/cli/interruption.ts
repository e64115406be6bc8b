/** Ctrl-C for commands that have something to end in an orderly way. */
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
  let stop = () => {};
  const interrupted = new Promise<"interrupted">((resolve) => {
    stop = () => resolve("interrupted");
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
