import type { AppServerConnection } from "../app-server/connection.js";

const timeoutMs = 30_000;

/** Codex keeps a subscribed thread in memory for as long as the connection lives. Never rejects. */
export async function unloadThread(
  connection: AppServerConnection,
  threadId: string,
  countFault: (name: string) => void,
): Promise<void> {
  if (connection.state !== "ready") return;
  try {
    await connection.call("thread/unsubscribe", { threadId }, { timeoutMs });
  } catch {
    // Lost with its connection, or still loaded: the count of loaded threads in health shows the latter.
    countFault("unsubscribe_failed");
  }
}
