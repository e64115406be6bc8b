import type { AppServerConnection } from "../app-server/connection.js";
import { startSettings } from "../contract/blank-thread.js";
import type { LoopShare } from "../contract/pace.js";
import type { ThreadSettings } from "../contract/turn.js";
import { retryWhenOverloaded } from "./overload-retry.js";
import { threadStartParams } from "./thread-params.js";
import type { ToolNames } from "./tool-names.js";
import { unloadThread } from "./unload-thread.js";

/** What a worker has for the turns and threads of one connection. */
export interface TurnContext {
  readonly connection: AppServerConnection;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly countFault: (name: string) => void;
  /** Of the worker's thread. */
  readonly loopShare: LoopShare;
}

/** How long the calls that start a thread or turn may take, and who hears that one is overdue. */
export interface StartOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onOverdue: () => void;
}

/** Starts a native thread and gives its id. Rejects like `AppServerConnection.call`; a thread that comes later is unloaded. */
export async function startThread(
  { connection, workDirectory, countFault }: TurnContext,
  thread: { readonly settings: ThreadSettings; readonly names: ToolNames },
  options: StartOptions,
): Promise<string> {
  const { codexVersion } = connection;
  const settings = startSettings(thread.settings);
  const params = threadStartParams(settings, thread.names, { workDirectory, codexVersion });
  const started = await retryWhenOverloaded(options.signal, () =>
    connection.call("thread/start", params, {
      ...options,
      onLateResult: (late) => void unloadThread(connection, late.thread.id, countFault),
    }),
  );
  return started.thread.id;
}
