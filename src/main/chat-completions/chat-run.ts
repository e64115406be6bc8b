import { readToolOutputs } from "../continuation/plan-turn.js";
import { lastAnsweredCalls, splitOutputs } from "../dialects/chat-completions/call-outputs.js";
import { CompletionStream } from "../dialects/chat-completions/completion-stream.js";
import { answerItems } from "../dialects/chat-completions/history-items.js";
import type { ChatTurn } from "../dialects/chat-completions/request-to-turn.js";
import type { ChatCompletion, ChatStreamPart } from "../dialects/chat-completions/wire-types.js";
import { CodexNativeApiError } from "../errors.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeTurnRuntime,
  ToolOutput,
  TurnStarted,
} from "../runtime/types.js";
import { fingerprintHistory, type Identity } from "./history-fingerprint.js";
import type { ParkedHistories } from "./parked-histories.js";

/** Takes a stream's parts as they are made. A returned promise holds the turn back. */
export type ChatSink = (parts: readonly ChatStreamPart[]) => void | Promise<void>;

export interface ChatRunOptions {
  readonly turn: ChatTurn;
  readonly routePath: string;
  /** Who asks, for fairness between callers. */
  readonly caller: string;
  /** Name of the caller's token; null where callers need none. */
  readonly owner: string | null;
  readonly requestId: string;
  readonly wallClock: () => number;
  readonly newId: (prefix: string) => string;
  readonly runtime: NativeTurnRuntime;
  readonly parked: ParkedHistories;
}

export type ChatRunEnd =
  | { readonly ok: true; readonly completion: ChatCompletion }
  /** The sink has had the error. */
  | { readonly ok: false; readonly error: CodexNativeApiError };

/** A parked turn that is to go on. */
interface Resumption {
  readonly threadId: string;
  readonly outputs: readonly ToolOutput[];
}

/** One completion from its request to its end: goes on with a parked turn or starts one, and tells its chunks. */
export class ChatRun {
  readonly #options: ChatRunOptions;
  readonly #stream: CompletionStream;
  readonly #abort = new AbortController();
  #started: TurnStarted | null = null;
  #outcome: IsolatedTurnResult["outcome"]["status"] | null = null;

  constructor(options: ChatRunOptions) {
    this.#options = options;
    const { turn, routePath, wallClock, newId } = options;
    this.#stream = new CompletionStream({ turn, routePath, wallClock, newId });
  }

  get id(): string {
    return this.#stream.id;
  }

  /** Native ids, once Codex took the turn on. */
  get started(): TurnStarted | null {
    return this.#started;
  }

  /** How the turn ended; null while it runs, and where it failed. */
  get outcome(): IsolatedTurnResult["outcome"]["status"] | null {
    return this.#outcome;
  }

  /** Runs to the end; never rejects. `signal` is the client's. `onAdmitted`: the turn left the queue. */
  async run(sink: ChatSink, signal: AbortSignal, onAdmitted?: () => void): Promise<ChatRunEnd> {
    try {
      const given = AbortSignal.any([signal, this.#abort.signal]);
      const result = await this.#runTurn(this.#handlers(sink, given, onAdmitted));
      return await this.#finish(result, sink, signal);
    } catch (error) {
      return await this.#fail(error, sink);
    }
  }

  /** Ends the completion now, whatever its turn does: the server can wait no longer. */
  async interrupt(error: CodexNativeApiError, sink: ChatSink): Promise<ChatRunEnd> {
    this.#abort.abort();
    return this.#fail(error, sink);
  }

  #handlers(sink: ChatSink, signal: AbortSignal, onAdmitted: (() => void) | undefined): IsolatedTurnHandlers {
    const { turn } = this.#options;
    const tell = (parts: readonly ChatStreamPart[]) => (parts.length === 0 ? undefined : sink(parts));
    return {
      signal,
      ...(onAdmitted !== undefined && { onAdmitted }),
      // A client that waits for the whole answer has seen nothing of this one.
      ...(!turn.stream && { onForget: () => this.#stream.forget() }),
      onTurnStarted: (started) => {
        this.#started = started;
        this.#stream.start(started);
        onAdmitted?.();
      },
      onEvent: (event) => tell(this.#stream.push(event)),
    };
  }

  async #runTurn(handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const { runtime } = this.#options;
    const request = this.#request();
    // Nothing may come between finding a parked turn and taking it: another request may ask for the same.
    const parkedTurnId = runtime.findParkedTurn(lastAnsweredCalls(request.items), this.#options.owner);
    if (parkedTurnId === null) return runtime.runIsolatedTurn(request, handlers);
    const resumption = this.#planResumption(parkedTurnId);
    const source = { turnId: parkedTurnId, threadId: resumption?.threadId ?? null };
    if (resumption === null) runtime.abandonTurn(parkedTurnId);
    else {
      this.#stream.setContinuation({ mode: "native", ...source });
      const result = await runtime.continueIsolatedTurn(parkedTurnId, resumption.outputs, handlers);
      if (result !== null) return result;
    }
    this.#stream.setContinuation({ mode: "replayed", ...source });
    return runtime.runIsolatedTurn(request, handlers);
  }

  /** Null where the parked turn has seen another history than this request's, or cannot be told what this request asks. */
  #planResumption(turnId: string): Resumption | null {
    const { parked, turn } = this.#options;
    const seen = parked.take(turnId);
    // Only a new turn can be told, after the outputs, that a tool must be called.
    const demandsCall = turn.obligations.some(({ kind }) => kind === "tool_call");
    if (seen === null || demandsCall) return null;
    const { history, outputs } = splitOutputs(turn.request.items);
    const readable = readToolOutputs(outputs);
    if (readable === null || readable.length === 0) return null;
    const fingerprint = fingerprintHistory(turn.request, history, this.#identity());
    if (fingerprint !== seen.fingerprint) return null;
    return { threadId: seen.threadId, outputs: readable };
  }

  async #finish(result: IsolatedTurnResult, sink: ChatSink, signal: AbortSignal): Promise<ChatRunEnd> {
    const { outcome, usage } = result;
    this.#started = result;
    this.#stream.start(result);
    if (outcome.status === "cancelled") {
      throw new CodexNativeApiError("turn_cancelled", "The turn was cancelled.");
    }
    this.#outcome = outcome.status;
    const parts = this.#stream.end(outcome, usage);
    const { completion } = this.#stream;
    if (outcome.status === "parked") {
      // Before the client hears of the end: it may come back at once.
      if (completion !== null && !signal.aborted) this.#park(result, completion);
      else this.#options.runtime.abandonTurn(result.turnId);
    }
    if (completion === null) throw new CodexNativeApiError("turn_cancelled", "The turn was given up.");
    await sink(parts);
    return { ok: true, completion };
  }

  #park(result: IsolatedTurnResult, completion: ChatCompletion): void {
    const { parked, turn } = this.#options;
    const { providerProfileId, accountId } = result.target;
    const history = [...turn.request.items, ...answerItems(completion.choices[0].message)];
    const fingerprint = fingerprintHistory(turn.request, history, { providerProfileId, accountId });
    parked.remember(result.turnId, { fingerprint, threadId: result.threadId });
  }

  async #fail(error: unknown, sink: ChatSink): Promise<ChatRunEnd> {
    const fault = CodexNativeApiError.fromUnknown(error);
    const parts = this.#stream.fail(fault);
    if (parts.length > 0) await sink(parts);
    return { ok: false, error: fault };
  }

  #request(): IsolatedTurnRequest {
    const { turn, caller, owner, requestId } = this.#options;
    return { ...turn.request, caller, owner, requestId, followed: turn.stream };
  }

  #identity(): Identity {
    const { account, providerProfileId } = this.#options.runtime.health();
    return { providerProfileId, accountId: account?.id ?? null };
  }
}
