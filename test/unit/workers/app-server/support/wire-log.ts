import type { TransportCallbacks } from "../../../../../src/workers/app-server/transport.js";

/** What a transport told its owner, to be awaited. */
export class WireLog implements TransportCallbacks {
  readonly messages: string[] = [];
  readonly closes: (Error | null)[] = [];
  readonly closed: Promise<Error | null>;
  #resolveClosed: (error: Error | null) => void = () => {};
  #wake: (() => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  onMessage(text: string): void {
    this.messages.push(text);
    for (const wake of this.#wake.splice(0)) wake();
  }

  onClose(error: Error | null): void {
    this.closes.push(error);
    this.#resolveClosed(error);
  }

  async count(messages: number): Promise<readonly string[]> {
    while (this.messages.length < messages) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.messages;
  }
}
