import type { AppServerConnection } from "../app-server/connection.js";
import type { ThreadSettings } from "../contract/turn.js";
import { retryWhenOverloaded } from "./overload-retry.js";
import { threadStartParams } from "./thread-params.js";
import type { ToolNames } from "./tool-names.js";

/** What a worker has for the turns and threads of one connection. */
export interface TurnContext {
  readonly connection: AppServerConnection;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly countFault: (name: string) => void;
}

/** Starts a native thread and gives its id. Rejects like `AppServerConnection.call`. */
export async function startThread(
  { connection, workDirectory }: TurnContext,
  thread: { readonly settings: ThreadSettings; readonly names: ToolNames },
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const { codexVersion } = connection;
  const params = threadStartParams(thread.settings, thread.names, { workDirectory, codexVersion });
  const started = await retryWhenOverloaded(options.signal, () =>
    connection.call("thread/start", params, { timeoutMs: options.timeoutMs }),
  );
  return started.thread.id;
}
