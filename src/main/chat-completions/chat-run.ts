import type { LoopShare, Pace } from "../../workers/contract/pace.js";
import { readToolOutputs } from "../continuation/plan-turn.js";
import { lastAnsweredCalls, readLastOutputs } from "../dialects/chat-completions/call-outputs.js";
import { CompletionStream } from "../dialects/chat-completions/completion-stream.js";
import { answerItems } from "../dialects/chat-completions/history-items.js";
import type { ChatTurn } from "../dialects/chat-completions/request-to-turn.js";
import type { ChatCompletion, ChatStreamPart } from "../dialects/chat-completions/wire-types.js";
import { CodexNativeApiError } from "../errors.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnResult,
  NativeTurnRuntime,
  OnAdmission,
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
  readonly loopShare: LoopShare;
}

export type ChatRunEnd =
  | { readonly ok: true; readonly completion: ChatCompletion }
  /** The sink has had the error. */
  | { readonly ok: false; readonly error: CodexNativeApiError };

/** What a parked turn must have seen for this request to go on with it, and what its calls are answered. */
interface Resumption {
  readonly fingerprint: string;
  readonly outputs: readonly ToolOutput[];
}

/** One completion from its request to its end: goes on with a parked turn or starts one, and tells its chunks. */
export class ChatRun {
  readonly #options: ChatRunOptions;
  readonly #stream: CompletionStream;
  readonly #abort = new AbortController();
  readonly #pace: Pace;
  #started: TurnStarted | null = null;
  #outcome: IsolatedTurnResult["outcome"]["status"] | null = null;

  constructor(options: ChatRunOptions) {
    this.#options = options;
    this.#pace = options.loopShare.start();
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

  /** Runs to the end; never rejects. `signal` is the client's. `onAdmission`: the turn left the queue, or is back in it. */
  async run(sink: ChatSink, signal: AbortSignal, onAdmission?: OnAdmission): Promise<ChatRunEnd> {
    try {
      const given = AbortSignal.any([signal, this.#abort.signal]);
      const result = await this.#runTurn(this.#handlers(sink, given, onAdmission));
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

  #handlers(sink: ChatSink, signal: AbortSignal, onAdmission: OnAdmission | undefined): IsolatedTurnHandlers {
    const { turn } = this.#options;
    const tell = (parts: readonly ChatStreamPart[]) => (parts.length === 0 ? undefined : sink(parts));
    return {
      signal,
      ...(onAdmission !== undefined && { onAdmission }),
      // A client that waits for the whole answer has seen nothing of this one.
      ...(!turn.stream && { onForget: () => this.#stream.forget() }),
      onTurnStarted: (started) => {
        this.#started = started;
        this.#stream.start(started);
        onAdmission?.(true);
      },
      onEvent: (event) => tell(this.#stream.push(event)),
    };
  }

  async #runTurn(handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const { runtime, owner, loopShare } = this.#options;
    await this.#pace.breathe();
    const request = this.#request();
    const callIds = await lastAnsweredCalls(request.items, loopShare.start());
    if (runtime.findParkedTurn(callIds, owner) === null) return runtime.runIsolatedTurn(request, handlers);
    const resumption = await this.#readResumption();
    // Nothing may come between finding a parked turn and taking it: another request may ask for the same.
    const parkedTurnId = runtime.findParkedTurn(callIds, owner);
    if (parkedTurnId === null) return runtime.runIsolatedTurn(request, handlers);
    const seen = this.#options.parked.take(parkedTurnId);
    const isSame = resumption !== null && resumption.fingerprint === seen?.fingerprint;
    const source = { turnId: parkedTurnId, threadId: isSame ? seen.threadId : null };
    if (!isSame) runtime.abandonTurn(parkedTurnId);
    else {
      this.#stream.setContinuation({ mode: "native", ...source });
      const result = await runtime.continueIsolatedTurn(parkedTurnId, resumption.outputs, handlers, request);
      if (result !== null) return result;
    }
    this.#stream.setContinuation({ mode: "replayed", ...source });
    return runtime.runIsolatedTurn(request, handlers);
  }

  /** Null where no parked turn can be told what this request asks. */
  async #readResumption(): Promise<Resumption | null> {
    const { turn, loopShare } = this.#options;
    // Only a new turn can be told, after the outputs, that a tool must be called.
    if (turn.obligations.some(({ kind }) => kind === "tool_call")) return null;
    const pace = loopShare.start();
    const { request } = turn;
    const lastOutputs = await readLastOutputs(request.items, pace);
    const outputs = readToolOutputs(lastOutputs);
    if (outputs === null || outputs.length === 0) return null;
    const count = request.items.length - lastOutputs.length;
    const seen = { request, items: request.items, count, more: [], identity: this.#identity() };
    return { fingerprint: await fingerprintHistory(seen, pace), outputs };
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
      const isParked = completion !== null && (await this.#park(result, completion, signal));
      if (!isParked) this.#options.runtime.abandonTurn(result.turnId);
    }
    if (completion === null) throw new CodexNativeApiError("turn_cancelled", "The turn was given up.");
    await this.#pace.breathe();
    await sink(parts);
    return { ok: true, completion };
  }

  /** False where its client has left, so that nobody will answer the calls. */
  async #park(result: IsolatedTurnResult, completion: ChatCompletion, signal: AbortSignal): Promise<boolean> {
    const { parked, turn, loopShare } = this.#options;
    const { request } = turn;
    const { providerProfileId, accountId } = result.target;
    const seen = {
      request,
      items: request.items,
      count: request.items.length,
      more: answerItems(completion.choices[0].message),
      identity: { providerProfileId, accountId },
    };
    const fingerprint = await fingerprintHistory(seen, loopShare.start());
    if (signal.aborted) return false;
    parked.remember(result.turnId, { fingerprint, threadId: result.threadId });
    return true;
  }

  async #fail(error: unknown, sink: ChatSink): Promise<ChatRunEnd> {
    const fault = CodexNativeApiError.fromUnknown(error);
    const parts = this.#stream.fail(fault);
    if (parts.length > 0) await sink(parts);
    return { ok: false, error: fault };
  }

  #request(): ChatTurn["request"] {
    const { turn, caller, owner, requestId } = this.#options;
    return { ...turn.request, caller, owner, requestId, followed: turn.stream };
  }

  #identity(): Identity {
    const { account, providerProfileId } = this.#options.runtime.health();
    return { providerProfileId, accountId: account?.id ?? null };
  }
}
