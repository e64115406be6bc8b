import type { ServerResponse } from "node:http";
import { CodexNativeApiError } from "../errors.js";

/** A turn that an answer waits for. */
export interface TurnExchange {
  /** Aborted when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  /** Rejects when the server stops and can wait no longer; never settles otherwise. */
  readonly interrupted: Promise<never>;
  readonly clientLeft: boolean;
  /** The turn is over. */
  close(): void;
}

/** The answers under way, so that the server can stop when there are none, and the turns behind them, so that it can end them. */
export class InFlight {
  readonly #responses = new Set<ServerResponse>();
  readonly #interrupts = new Set<() => void>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#responses.size;
  }

  track(response: ServerResponse): void {
    this.#responses.add(response);
    response.once("close", () => {
      this.#responses.delete(response);
      if (this.#responses.size === 0) this.#wake();
    });
  }

  /** Settles once no answer is under way. */
  async whenIdle(): Promise<void> {
    if (this.#responses.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  openTurn(response: ServerResponse): TurnExchange {
    const controller = new AbortController();
    let clientLeft = false;
    const onClose = () => {
      if (response.writableFinished) return;
      clientLeft = true;
      controller.abort();
    };
    if (response.closed) onClose();
    else response.once("close", onClose);

    let interrupt: () => void = () => {};
    const interrupted = new Promise<never>((_resolve, reject) => {
      interrupt = () => {
        reject(new CodexNativeApiError("native_runtime_unavailable", "The server is stopping."));
        controller.abort();
      };
    });
    // Whoever waits for the turn races with it; nobody does once the turn is over.
    interrupted.catch(() => {});
    this.#interrupts.add(interrupt);
    return {
      signal: controller.signal,
      interrupted,
      get clientLeft() {
        return clientLeft;
      },
      close: () => {
        this.#interrupts.delete(interrupt);
        response.off("close", onClose);
      },
    };
  }

  /** Ends every turn: its stream gets its terminal event, or its request an error. */
  interruptTurns(): void {
    for (const interrupt of this.#interrupts) interrupt();
    this.#interrupts.clear();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
