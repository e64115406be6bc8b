/** The thread of one question about the account: its data is the task, its port the way to cancel it. */
import { parentPort, workerData } from "node:worker_threads";
import { askAccount } from "./ask-account.js";
import type { AccountInput, AccountOutcome, AccountTask } from "./contract/account-messages.js";

const port = parentPort;
if (port !== null) {
  const abort = new AbortController();
  // Both sides are ours and of one build.
  const task = workerData as AccountTask;
  port.on("message", (message: AccountInput) => {
    if (message.type === "cancel") abort.abort();
  });
  const outcome: AccountOutcome = await askAccount(task, abort.signal);
  port.postMessage(outcome);
  port.close();
}
