import type { LoopShare } from "../../workers/contract/pace.js";
import type { ChatTurn } from "../dialects/chat-completions/request-to-turn.js";
import type { NativeTurnRuntime } from "../runtime/types.js";
import { ChatRun } from "./chat-run.js";
import { ParkedHistories } from "./parked-histories.js";

export interface ChatServiceOptions {
  readonly runtime: NativeTurnRuntime;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  readonly newId: (prefix: string) => string;
  /** Of the thread that this runs on. */
  readonly loopShare: LoopShare;
}

export interface ChatContext {
  readonly routePath: string;
  readonly caller: string;
  /** Name of the caller's token; null where callers need none. */
  readonly owner: string | null;
  readonly requestId: string;
}

/** Completions, and what is remembered between them: the histories of turns that wait for outputs of functions. */
export class ChatCompletionService {
  readonly #options: ChatServiceOptions;
  readonly #parked = new ParkedHistories();

  constructor(options: ChatServiceOptions) {
    this.#options = options;
  }

  /** A completion to be run. */
  create(turn: ChatTurn, context: ChatContext): ChatRun {
    return new ChatRun({ ...this.#options, ...context, turn, parked: this.#parked });
  }
}
