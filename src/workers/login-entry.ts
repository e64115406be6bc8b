/** The thread of one login by device code: the app-server fetches the code, waits for the browser, and stores the login. */
import { AppServerConnection } from "./app-server/connection.js";
import { AppServerError, RpcError } from "./app-server/errors.js";
import type { DeviceCode, LoginOutcome, LoginOutput, LoginTask } from "./contract/account-messages.js";
import { createDeferred, watchLimits } from "./contract/wait.js";
import { serveTask } from "./serve-task.js";

const readyTimeoutMs = 30_000;
const startTimeoutMs = 30_000;
const cancelTimeoutMs = 3_000;
const readTimeoutMs = 10_000;
/** A code expires after 15 minutes, which Codex reports. This deadline is for a Codex that does not. */
const loginTimeoutMs = 20 * 60_000;

await serveTask<LoginTask, LoginOutput>(async (task, signal, post) => ({
  type: "ended",
  outcome: await runDeviceLogin(task, signal, (code) => post({ type: "code", code })),
}));

type Ending =
  | { readonly kind: "completed"; readonly error: string | null }
  | { readonly kind: "cancelled" }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "expired" };

/** Never rejects; when it resolves, the app-server has ended. */
async function runDeviceLogin(
  { spawn, clientVersion }: LoginTask,
  signal: AbortSignal,
  onCode: (code: DeviceCode) => void,
): Promise<LoginOutcome> {
  const ended = createDeferred<Ending>();
  let wasReady = false;
  const connection = new AppServerConnection({
    clientVersion,
    countFault: () => {},
    callbacks: {
      onStateChange: ({ state, reason }) => {
        // Another app-server would not know this login.
        if (wasReady && state === "connecting") ended.resolve({ kind: "lost", reason: reason ?? "it ended" });
        if (state === "ready") wasReady = true;
      },
      onAccountNotice: (method, { success, error }) => {
        if (method !== "account/login/completed") return;
        const fault = typeof error === "string" ? error : "Codex does not say why";
        ended.resolve({ kind: "completed", error: success === true ? null : fault });
      },
    },
  });
  const release = watchLimits({ timeoutMs: loginTimeoutMs, signal }, (end) =>
    ended.resolve({ kind: end === "timeout" ? "expired" : "cancelled" }),
  );
  try {
    connection.connect({ kind: "stdio", spawn }, 1);
    await connection.whenReady({ timeoutMs: readyTimeoutMs, signal });
    const { loginId, verificationUrl, userCode } = await connection.call(
      "account/login/start",
      { type: "chatgptDeviceCode" },
      { timeoutMs: startTimeoutMs, signal },
    );
    if (loginId === null || verificationUrl === null || userCode === null)
      return { status: "failed", message: "This Codex gives no code to log in with. Run `codex login`." };
    onCode({ verificationUrl, userCode });
    return await conclude(connection, loginId, await ended.promise);
  } catch (error) {
    return signal.aborted ? { status: "cancelled" } : { status: "failed", message: describe(error) };
  } finally {
    release();
    await connection.close();
  }
}

async function conclude(
  connection: AppServerConnection,
  loginId: string,
  ending: Ending,
): Promise<LoginOutcome> {
  switch (ending.kind) {
    case "cancelled":
      // The process ends next, and the login with it. The call only saves the backend a wait.
      await connection
        .call("account/login/cancel", { loginId }, { timeoutMs: cancelTimeoutMs })
        .catch(() => {});
      return { status: "cancelled" };
    case "lost":
      return { status: "failed", message: `Codex ended while it waited: ${ending.reason}.` };
    case "expired":
      return { status: "failed", message: "The code was not used in time. Start again for a new one." };
    case "completed":
      if (ending.error !== null) return { status: "failed", message: `Codex says: ${ending.error}.` };
      return { status: "done", ...(await readAccount(connection)) };
  }
}

/** The login stands either way; whose it is can be read again later. */
async function readAccount(
  connection: AppServerConnection,
): Promise<{ readonly email: string | null; readonly plan: string | null }> {
  try {
    const { account } = await connection.call("account/read", {}, { timeoutMs: readTimeoutMs });
    return { email: account?.email ?? null, plan: account?.planType ?? null };
  } catch {
    return { email: null, plan: null };
  }
}

function describe(error: unknown): string {
  if (error instanceof RpcError) return `Codex refused: ${error.message}.`;
  if (error instanceof AppServerError) return `Codex did not answer: ${error.message}.`;
  return "Codex failed with an unexpected error.";
}
