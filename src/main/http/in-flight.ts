import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { NamedToken } from "../config/named-token.js";
import { CodexNativeApiError } from "../errors.js";

/** A turn that an answer waits for. */
export interface TurnExchange {
  /** Aborted when the client is gone or the server stops; then the reason is the error of `interrupted`. */
  readonly signal: AbortSignal;
  /** Rejects when the server stops and can wait no longer; never settles otherwise. */
  readonly interrupted: Promise<never>;
  readonly clientLeft: boolean;
  /** The turn is over. */
  close(): void;
}

/** Ends a turn with this error. */
type Interrupt = (error: CodexNativeApiError) => void;

/** Told once, when the answer has been written or cannot be any more. */
type OnEnd = () => void;

/**
 * The answers under way, so that the server can stop when there are none, and the turns behind them, so that it can end them.
 * The socket is watched beside the answer: one that waits behind another on its connection never learns that the socket is gone.
 */
export class InFlight {
  readonly #answers = new Map<ServerResponse, Set<OnEnd>>();
  readonly #bySocket = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #interrupts = new Map<Interrupt, string | null>();
  readonly #waiting: (() => void)[] = [];

  track(response: ServerResponse, socket: Socket, onEnd: OnEnd): void {
    this.#answers.set(response, new Set([onEnd]));
    response.once("close", () => this.#end(response, socket));
    const known = this.#bySocket.get(socket);
    if (known !== undefined) {
      known.add(response);
      return;
    }
    const answers = new Set([response]);
    this.#bySocket.set(socket, answers);
    socket.once("close", () => {
      for (const answer of answers) this.#end(answer, socket);
    });
  }

  /** Those under way on a connection, in their order. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#bySocket.get(socket) ?? [])];
  }

  /** Settles once no answer is under way. */
  async whenIdle(): Promise<void> {
    if (this.#answers.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** For an answer that is tracked. `caller` is the name of the token it came with. */
  openTurn(response: ServerResponse, caller: string | null): TurnExchange {
    const controller = new AbortController();
    let clientLeft = false;
    const onEnd = () => {
      if (response.writableFinished) return;
      clientLeft = true;
      controller.abort();
    };
    const ends = this.#answers.get(response);
    // Gone while its body was read.
    if (ends === undefined) onEnd();
    else ends.add(onEnd);

    let interrupt: Interrupt = () => {};
    const interrupted = new Promise<never>((_resolve, reject) => {
      interrupt = (error) => {
        reject(error);
        controller.abort(error);
      };
    });
    // Whoever waits for the turn races with it; nobody does once the turn is over.
    interrupted.catch(() => {});
    this.#interrupts.set(interrupt, caller);
    return {
      signal: controller.signal,
      interrupted,
      get clientLeft() {
        return clientLeft;
      },
      close: () => {
        this.#interrupts.delete(interrupt);
        ends?.delete(onEnd);
      },
    };
  }

  /** Ends every turn: its stream gets its terminal event, or its request an error. */
  interruptTurns(): void {
    this.#interrupt(new CodexNativeApiError("native_runtime_unavailable", "The server is stopping."));
  }

  /** As `interruptTurns`, for the turns of a token that is no more. */
  interruptTurnsOf(caller: string): void {
    this.#interrupt(new CodexNativeApiError("invalid_auth_token", "The token was withdrawn."), caller);
  }

  #interrupt(error: CodexNativeApiError, caller?: string): void {
    for (const [interrupt, whose] of this.#interrupts) {
      if (caller !== undefined && whose !== caller) continue;
      this.#interrupts.delete(interrupt);
      interrupt(error);
    }
  }

  #end(response: ServerResponse, socket: Socket): void {
    const ends = this.#answers.get(response);
    if (ends === undefined) return;
    this.#answers.delete(response);
    this.#bySocket.get(socket)?.delete(response);
    for (const onEnd of ends) onEnd();
    if (this.#answers.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** How long a caller over its limit is told to wait, in milliseconds. */
const retryAfterMs = 1000;

/** The turns that each token has under way, in the queue or running. */
export class CallerTurns {
  readonly #counts = new Map<string, number>();

  /**
   * Counts a turn until the answer is called; calling that again does nothing.
   *
   * @throws CodexNativeApiError `token_concurrency_exceeded`.
   */
  enter(token: NamedToken | null): () => void {
    if (token === null) return () => {};
    const { name, maxConcurrentTurns } = token;
    const count = this.#counts.get(name) ?? 0;
    if (maxConcurrentTurns !== null && count >= maxConcurrentTurns) {
      throw new CodexNativeApiError(
        "token_concurrency_exceeded",
        `This token may have ${maxConcurrentTurns} turns under way at once, and has.`,
        { retryAfterMs },
      );
    }
    this.#counts.set(name, count + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#counts.get(name) ?? 1) - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    };
  }
}
