/** Ends whatever was started, in reverse order, whatever happens between. */
export class Resources {
  readonly #ends: { readonly what: string; readonly end: () => unknown }[] = [];
  #closing: Promise<readonly string[]> | null = null;

  /** Put beside each start. After `close` has begun, it ends at once what came too late. */
  async defer(what: string, end: () => unknown): Promise<void> {
    if (this.#closing !== null) {
      await end();
      throw new Error(`${what} was started while everything was being stopped`);
    }
    this.#ends.push({ what, end });
  }

  /** Names what could not be ended; never rejects. */
  close(): Promise<readonly string[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<readonly string[]> {
    const faults: string[] = [];
    for (let next = this.#ends.pop(); next !== undefined; next = this.#ends.pop()) {
      try {
        await next.end();
      } catch (error) {
        faults.push(`${next.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return faults;
  }
}
