/** The thread of one query about the account. */
import { AppServerConnection } from "./app-server/connection.js";
import type { AccountOutcome, AccountTask } from "./contract/account-messages.js";
import { joinSignals } from "./contract/wait.js";
import { readAccount, readRateLimits } from "./native-queries.js";
import { serveTask } from "./serve-task.js";

await serveTask<AccountTask, AccountOutcome>(askAccount);

/** Never rejects; when it resolves, the app-server has ended. */
async function askAccount(task: AccountTask, signal: AbortSignal): Promise<AccountOutcome> {
  const { spawn, clientVersion, timeoutMs, wants } = task;
  const connection = new AppServerConnection({
    clientVersion,
    countFault: () => {},
    callbacks: {},
  });
  const deadline = joinSignals([signal], { timeoutMs });
  const options = { timeoutMs, signal: deadline.signal };
  try {
    connection.connect({ kind: "stdio", spawn }, 1);
    await connection.whenReady(options);
    if (wants === "managed_configuration") {
      await connection.call("configRequirements/read", null, options);
      return { status: "configured" };
    }
    const account = readAccount(await connection.call("account/read", {}, options));
    if (account.authMode !== "chatgpt") return { status: "answered", account, rateLimits: null };
    // Without the windows the account is still known; only health and a used-up plan need them.
    const rateLimits = await connection
      .call("account/rateLimits/read", {}, options)
      .then((answer) => readRateLimits(answer.rateLimits))
      .catch(() => null);
    return { status: "answered", account, rateLimits };
  } catch (error) {
    return { status: "failed", message: error instanceof Error ? error.message : "unknown fault" };
  } finally {
    deadline.release();
    await connection.close();
  }
}
