/** The thread of one question about the account: its data is the task, its port the way to cancel it. */
import { parentPort, workerData } from "node:worker_threads";
import { AppServerConnection } from "./app-server/connection.js";
import type { AccountInput, AccountOutcome, AccountTask } from "./contract/account-messages.js";
import { readAccount, readRateLimits } from "./native-queries.js";

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

/** Never rejects; when it resolves, the app-server has ended. */
export async function askAccount(task: AccountTask, signal: AbortSignal): Promise<AccountOutcome> {
  const { spawn, clientVersion, timeoutMs, wants } = task;
  const connection = new AppServerConnection({
    clientName: "codex-native-api",
    clientVersion,
    countFault: () => {},
    callbacks: { onStateChange: () => {}, onAccountNotice: () => {}, onChild: () => {} },
  });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const options = { timeoutMs, signal: deadline };
  try {
    connection.connect({ kind: "stdio", spawn }, 1);
    await connection.whenReady(options);
    if (wants === "managed_configuration") {
      await connection.call("configRequirements/read", null, options);
      return { status: "configured" };
    }
    const account = readAccount(await connection.call("account/read", {}, options));
    if (account.authMode !== "chatgpt") return { status: "answered", account, rateLimits: null };
    // Only health and a used-up plan want the windows: the account is known without them.
    const rateLimits = await connection
      .call("account/rateLimits/read", {}, options)
      .then((answer) => readRateLimits(answer.rateLimits))
      .catch(() => null);
    return { status: "answered", account, rateLimits };
  } catch (error) {
    return { status: "failed", message: error instanceof Error ? error.message : "unknown fault" };
  } finally {
    await connection.close();
  }
}
