import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createDeferred, type Deferred } from "../../workers/contract/wait.js";
import type { NamedToken } from "../config/named-token.js";
import { fieldError } from "../dialects/requests/schema-fault.js";
import { CodexNativeApiError } from "../errors.js";

/** The caller of one turn, as the turn needs to know it. */
export interface WaitingCaller {
  /** Aborts when the caller leaves or the service interrupts the turn; then its reason is the error of `interrupted`. */
  readonly signal: AbortSignal;
  /** Resolves when the service ends the answer without waiting for the turn. Never settles otherwise. */
  readonly interrupted: Promise<CodexNativeApiError>;
  readonly hasLeft: boolean;
  /** The turn is over. */
  close(): void;
}

/** An answer under way: to a request, or to a message on a WebSocket. */
export interface OpenAnswer {
  /** Whether the caller has all of it. */
  readonly writableFinished: boolean;
}

/** Ends a turn with this error. */
type Interrupt = (error: CodexNativeApiError) => void;

/** Called once, when the response finishes or its socket closes. */
type OnEnd = () => void;

/**
 * The answers under way, so that the server can stop when there are none, and the turns behind them, so that it can end them.
 * It watches the socket as well as the answer: an answer that is queued behind another on its connection gets no `close` event.
 */
export class InFlight {
  readonly #answers = new Map<OpenAnswer, Set<OnEnd>>();
  readonly #bySocket = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #interrupts = new Map<Interrupt, string | null>();
  #idle: Deferred<void> | null = null;

  track(response: ServerResponse, socket: Socket, onEnd: OnEnd): void {
    this.begin(response, onEnd);
    const answers = this.#bySocket.get(socket) ?? this.#watch(socket);
    answers.add(response);
    response.once("close", () => {
      answers.delete(response);
      this.end(response);
    });
  }

  /** For an answer whose end its owner tells by `end`. */
  begin(answer: OpenAnswer, onEnd: OnEnd): void {
    this.#answers.set(answer, new Set([onEnd]));
  }

  /** The answer is over; what was to be called then is called. May be called again. */
  end(answer: OpenAnswer): void {
    const ends = this.#answers.get(answer);
    if (ends === undefined) return;
    this.#answers.delete(answer);
    for (const onEnd of ends) onEnd();
    if (this.#answers.size > 0) return;
    this.#idle?.resolve();
    this.#idle = null;
  }

  /** Those under way on a connection, in their order. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#bySocket.get(socket) ?? [])];
  }

  /** Settles once no answer is under way. */
  async whenIdle(): Promise<void> {
    if (this.#answers.size === 0) return;
    this.#idle ??= createDeferred();
    await this.#idle.promise;
  }

  /** For an answer that is tracked. `tokenName` is null where no token is needed. */
  openTurn(answer: OpenAnswer, tokenName: string | null): WaitingCaller {
    const controller = new AbortController();
    const interrupted = createDeferred<CodexNativeApiError>();
    let hasLeft = false;
    const onEnd = () => {
      if (answer.writableFinished) return;
      hasLeft = true;
      controller.abort();
    };
    const ends = this.#answers.get(answer);
    // The caller left while its body was read.
    if (ends === undefined) onEnd();
    else ends.add(onEnd);
    const interrupt: Interrupt = (error) => {
      interrupted.resolve(error);
      controller.abort(error);
    };
    this.#interrupts.set(interrupt, tokenName);
    return {
      signal: controller.signal,
      interrupted: interrupted.promise,
      get hasLeft() {
        return hasLeft;
      },
      close: () => {
        this.#interrupts.delete(interrupt);
        ends?.delete(onEnd);
      },
    };
  }

  /** Ends every turn: its stream gets its terminal event, or its request an error. */
  interruptTurns(): void {
    this.#interrupt(new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down."));
  }

  /** As `interruptTurns`, for the turns of a token that is no longer valid. */
  interruptTurnsOf(tokenName: string): void {
    this.#interrupt(new CodexNativeApiError("invalid_auth_token", "The token was withdrawn."), tokenName);
  }

  #interrupt(error: CodexNativeApiError, tokenName?: string): void {
    for (const [interrupt, owner] of this.#interrupts) {
      if (tokenName !== undefined && owner !== tokenName) continue;
      this.#interrupts.delete(interrupt);
      interrupt(error);
    }
  }

  #watch(socket: Socket): Set<ServerResponse> {
    const answers = new Set<ServerResponse>();
    this.#bySocket.set(socket, answers);
    socket.once("close", () => {
      for (const answer of answers) this.end(answer);
    });
    return answers;
  }
}

/** `retry-after` of a caller over its limit, in milliseconds. */
const retryAfterMs = 1000;

/** The turns that each token has under way, in the queue or running. */
export class CallerTurns {
  readonly #counts = new Map<string, number>();

  /**
   * Counts the turns of a request until the returned function is called, which must be done once.
   *
   * @throws CodexNativeApiError `token_concurrency_exceeded`; `invalid_request` for more turns than the token may ever have.
   */
  enter(token: NamedToken | null, turns = 1): () => void {
    if (token === null) return () => {};
    const { name, maxConcurrentTurns } = token;
    const count = this.#counts.get(name) ?? 0;
    if (maxConcurrentTurns !== null && turns > maxConcurrentTurns) {
      throw fieldError("n", `asks for ${turns} turns at once, and this token may have ${maxConcurrentTurns}`);
    }
    if (maxConcurrentTurns !== null && count + turns > maxConcurrentTurns) {
      const message = `This token has reached its limit of ${maxConcurrentTurns} concurrent turns.`;
      throw new CodexNativeApiError("token_concurrency_exceeded", message, { retryAfterMs });
    }
    this.#counts.set(name, count + turns);
    return () => {
      const left = (this.#counts.get(name) ?? turns) - turns;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    };
  }
}
