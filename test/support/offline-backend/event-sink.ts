import type { Frame } from "./frame.js";

/**
 * Where the events of one response go. Knows when the client is gone; every wait on it ends then, so that
 * nobody sleeps for a client that has left.
 */
export abstract class EventSink {
  #isClosed = false;
  #wake: (() => void) | undefined;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends the events in one go. A promise: the client is slow, wait for it before sending more. */
  abstract write(frames: readonly Frame[]): Promise<void> | undefined;

  /** Breaks the connection in the middle of the answer. */
  abstract cut(): void;

  /** Resolves after `delayMs`, or at once when the client goes. */
  async sleep(delayMs: number): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, delayMs);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** Resolves when the client goes. */
  async untilClosed(): Promise<void> {
    if (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the promise settles, or when the client goes. */
  async settled(promise: Promise<unknown>): Promise<void> {
    await this.until((done) => void promise.then(done, done));
  }

  /** Resolves when `subscribe` calls back, or when the client goes. */
  protected async until(subscribe: (done: () => void) => void): Promise<void> {
    if (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        subscribe(resolve);
      });
      this.#wake = undefined;
    }
  }

  /** The connection is gone; called by whoever owns the socket. */
  markClosed(): void {
    this.#isClosed = true;
    this.#wake?.();
    this.#wake = undefined;
  }
}
