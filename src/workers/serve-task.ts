import { parentPort, workerData } from "node:worker_threads";
import type { AccountInput } from "./contract/account-messages.js";

/** Runs the one task of a thread: its data is the task, its port the way to cancel it, and its last message the outcome. */
export async function serveTask<Task, Output>(
  run: (task: Task, signal: AbortSignal, post: (message: Output) => void) => Promise<Output>,
): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const abort = new AbortController();
  const post = (message: Output): void => port.postMessage(message);
  port.on("message", (message: AccountInput) => {
    if (message.type === "cancel") abort.abort();
  });
  // Both sides are ours and of one build.
  post(await run(workerData as Task, abort.signal, post));
  port.close();
}
