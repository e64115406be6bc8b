/** Native threads of one connection: starts them for a turn or ahead of need, and lets Codex unload them. */
import type { AppServerConnection } from "../app-server/connection.js";
import { servesBlank, startSettings } from "../contract/blank-thread.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import type { JsonObject } from "../contract/json.js";
import type { PreparedThread } from "../contract/native-queries.js";
import type { LoopShare } from "../contract/pace.js";
import type { ThreadSettings } from "../contract/turn.js";
import { createDeferred, waitWithin } from "../contract/wait.js";
import { retryWhenOverloaded } from "./call-failure.js";
import { threadStartParams } from "./thread-params.js";
import { ToolNames } from "./tool-names.js";

/** What a worker has for the turns and threads of one connection. */
export interface TurnContext {
  readonly connection: AppServerConnection;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly countFault: (name: string) => void;
  /** Shares the worker's event loop between its turns. */
  readonly loopShare: LoopShare;
}

/** Limits of the calls that start a thread or turn. */
export interface StartOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Codex leaves a call unanswered while it answers others. */
  readonly onOverdue: () => void;
}

/** Starts a native thread and gives its id. Rejects like `AppServerConnection.call`; a thread that comes later is unloaded. */
export async function startThread(
  { connection, workDirectory, countFault }: TurnContext,
  settings: ThreadSettings,
  options: StartOptions,
): Promise<string> {
  const { codexVersion } = connection;
  const names = new ToolNames(settings, codexVersion);
  const params = threadStartParams(startSettings(settings), names, { workDirectory, codexVersion });
  const started = await retryWhenOverloaded(options.signal, () =>
    connection.call("thread/start", params, {
      ...options,
      onLateResult: (late) => void unloadThread(connection, late.thread.id, countFault),
    }),
  );
  return started.thread.id;
}

/**
 * Codex sets up what a thread needs for its first turn when the first item is injected, at more cost than that of the thread's
 * start and with a round trip to the backend, and refuses an empty list. An item of a kind that it does not know reaches neither the
 * history nor the model (0.140 to 0.171; `test/e2e/spare-threads.test.ts` compares what the backend is sent).
 */
const nothing: JsonObject = { type: "codex_native_api_nothing" };

/** Codex echoes what it puts into a thread before or shortly after it answers, in milliseconds. */
const echoPatienceMs = 500;

/** Starts a native thread ahead of need, and sets it up. Rejects like `AppServerConnection.call`, and leaves none then. */
export async function prepareThread(
  context: TurnContext,
  settings: ThreadSettings,
  limits: Omit<StartOptions, "signal">,
): Promise<PreparedThread> {
  const { connection, countFault } = context;
  const { codexVersion } = connection;
  // Both calls together have this time, since the supervisor waits no longer.
  const options = { ...limits, signal: AbortSignal.timeout(limits.timeoutMs) };
  const threadId = await startThread(context, settings, options);
  // 0.140 tells the model its own context a second time, in the `codex` form.
  if (settings.form === "codex" && !isAtLeast(codexVersion, 0, 150)) return { threadId, isBare: false };
  const isBlank = settings.instructions === "" && servesBlank(settings, codexVersion);
  const firstEcho = isBlank ? hearFirstEcho(connection, threadId) : null;
  try {
    await connection.call("thread/inject_items", { threadId, items: [nothing] }, options);
    const isBare = firstEcho === null ? false : await firstEcho.isNothing();
    return { threadId, isBare };
  } catch (error) {
    await unloadThread(connection, threadId, countFault);
    throw error;
  } finally {
    firstEcho?.unsubscribe();
  }
}

/**
 * Hears what Codex puts into a thread when it sets it up: messages of the account's or the organisation's come first, and the item of
 * unknown kind that was injected comes last. `isNothing` is false also where nothing was heard.
 */
function hearFirstEcho(connection: AppServerConnection, threadId: string) {
  const echo = createDeferred<boolean>();
  const unsubscribe = connection.subscribeThread(threadId, {
    onNotification: ({ method, params }) => {
      if (method === "rawResponseItem/completed") echo.resolve(params.item.type === "other");
    },
    onToolCall: () => Promise.reject(new Error("nothing runs on a thread that is being set up")),
    onConnectionLost: () => echo.resolve(false),
  });
  return {
    isNothing: () => waitWithin(echo.promise, { timeoutMs: echoPatienceMs }, () => false),
    unsubscribe,
  };
}

const unloadTimeoutMs = 30_000;

/** Codex keeps a subscribed thread in memory for as long as the connection lives. Never rejects. */
export async function unloadThread(
  connection: AppServerConnection,
  threadId: string,
  countFault: (name: string) => void,
): Promise<void> {
  if (connection.state !== "ready") return;
  try {
    await connection.call("thread/unsubscribe", { threadId }, { timeoutMs: unloadTimeoutMs });
  } catch {
    // Lost with its connection, or still loaded: the count of loaded threads in health shows the latter.
    countFault("unsubscribe_failed");
  }
}
