import type { ThreadListener } from "../app-server/thread-router.js";
import { servesBlank } from "../contract/blank-thread.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import type { JsonObject } from "../contract/json.js";
import type { NativeQuery, PreparedThread } from "../contract/native-queries.js";
import type { ThreadSettings } from "../contract/turn.js";
import { type StartOptions, startThread, type TurnContext } from "./start-thread.js";
import { ToolNames } from "./tool-names.js";
import { unloadThread } from "./unload-thread.js";

/**
 * Codex sets up what a thread needs for its first turn when the first item is injected, at more cost than that of the thread's
 * start and with a round trip to the backend, and refuses an empty list. An item of a kind that it does not know reaches neither the
 * history nor the model (0.140 to 0.171; `test/e2e/spare-threads.test.ts` compares what the backend is sent).
 */
const nothing: JsonObject = { type: "codex_native_api_nothing" };

type Wanted = Extract<NativeQuery, { readonly query: "prepare_thread" }>;

/** Starts a native thread ahead of need, and sets it up. Rejects like `AppServerConnection.call`, and leaves none then. */
export async function prepareThread(
  context: TurnContext,
  { thread: settings }: Wanted,
  limits: Omit<StartOptions, "signal">,
): Promise<PreparedThread> {
  const { connection, countFault } = context;
  // Both calls together have this time, as whoever asked waits no longer.
  const options = { ...limits, signal: AbortSignal.timeout(limits.timeoutMs) };
  const names = new ToolNames(settings, connection.codexVersion);
  const threadId = await startThread(context, { settings, names }, options);
  if (!isSameSetUp(settings, connection.codexVersion)) return { threadId, isBare: false };
  const isBlank = settings.instructions === "" && servesBlank(settings, connection.codexVersion);
  const echo = isBlank ? new SetUpEcho() : null;
  const unsubscribe = echo === null ? () => {} : connection.subscribeThread(threadId, echo);
  try {
    await connection.call("thread/inject_items", { threadId, items: [nothing] }, options);
    return { threadId, isBare: (await echo?.isBare()) ?? false };
  } catch (error) {
    unsubscribe();
    await unloadThread(connection, threadId, countFault);
    throw error;
  } finally {
    unsubscribe();
  }
}

/** 0.140 tells the model its own context a second time, in the `codex` form. */
function isSameSetUp({ form }: ThreadSettings, codexVersion: string | null): boolean {
  return form !== "codex" || isAtLeast(codexVersion, 0, 150);
}

/** Codex echoes what it puts into a thread before or shortly after it answers, in milliseconds. */
const patienceMs = 500;

/**
 * Hears what Codex puts into a thread when it sets it up: messages of the account's or the organisation's come first, and the item of
 * unknown kind that was injected comes last.
 */
class SetUpEcho implements ThreadListener {
  readonly #end: Promise<boolean>;
  #heard: (isBare: boolean) => void = () => {};

  constructor() {
    this.#end = new Promise((resolve) => {
      this.#heard = resolve;
    });
  }

  readonly onNotification: ThreadListener["onNotification"] = ({ method, params }) => {
    if (method === "rawResponseItem/completed") this.#heard(params.item.type === "other");
  };

  readonly onToolCall: ThreadListener["onToolCall"] = () =>
    Promise.reject(new Error("nothing runs on a thread that is being set up"));

  readonly onConnectionLost = (): void => this.#heard(false);

  /** False also where nothing was heard. */
  async isBare(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, patienceMs, false);
    });
    const isBare = await Promise.race([this.#end, silence]);
    clearTimeout(timer);
    return isBare;
  }
}
