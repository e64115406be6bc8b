import { Worker } from "node:worker_threads";
import type { AccountInput, AccountOutcome, AccountTask } from "../../workers/contract/account-messages.js";
import { accountWorkerFile } from "../worker-files.js";

/**
 * Asks a short-lived app-server about the account, in a thread of its own. Never rejects; when it resolves, the app-server has
 * ended. Aborting ends it early.
 */
export async function askAccount(task: AccountTask, signal: AbortSignal): Promise<AccountOutcome> {
  if (signal.aborted) return { status: "failed", message: "the service is closing" };
  const worker = new Worker(accountWorkerFile, {
    workerData: task,
    // As for the other threads: nothing of the host's loaders or environment.
    execArgv: [],
    env: {},
  });
  const cancel = (): void => worker.postMessage({ type: "cancel" } satisfies AccountInput);
  // The task has a deadline; this is for a thread that hangs.
  const graceTimer = setTimeout(() => void worker.terminate(), task.timeoutMs + 5 * task.spawn.stopStepMs);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await new Promise<AccountOutcome>((resolve) => {
      const fail = (message: string) => () => resolve({ status: "failed", message });
      worker.once("message", (outcome: AccountOutcome) => resolve(outcome));
      worker.once("error", fail("the thread that asks failed in an unforeseen way"));
      worker.once("exit", fail("the thread that asks ended in an unforeseen way"));
    });
  } finally {
    clearTimeout(graceTimer);
    signal.removeEventListener("abort", cancel);
    await worker.terminate();
  }
}
