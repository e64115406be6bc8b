import type { RecordedModelRequest } from "./recorded-request.js";
import type { RequestMatch } from "./reply-script.js";

interface Waiter {
  readonly match: RequestMatch;
  readonly resolve: (request: RecordedModelRequest) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** How long to wait, and from which request on. */
export interface WaitForRequestOptions {
  /** Default 60,000. */
  readonly timeoutMs?: number;
  /** Looks only at requests with a higher index. Default -1: all that are still recorded, and new ones. */
  readonly afterIndex?: number;
}

/** The last requests, bounded, and those who wait for one. */
export class RequestLog {
  readonly requests: RecordedModelRequest[] = [];
  readonly warmups: RecordedModelRequest[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #maxRecorded: number;
  #isClosed = false;

  constructor(maxRecorded: number) {
    this.#maxRecorded = maxRecorded;
  }

  add(request: RecordedModelRequest): void {
    const list = request.isWarmup ? this.warmups : this.requests;
    if (this.#maxRecorded > 0) {
      list.push(request);
      if (list.length > this.#maxRecorded) {
        list.shift();
      }
    }
    if (request.isWarmup) {
      return;
    }
    for (const waiter of this.#waiters) {
      if (waiter.match(request)) {
        this.#settle(waiter);
        waiter.resolve(request);
      }
    }
  }

  async waitFor(match: RequestMatch, options: WaitForRequestOptions): Promise<RecordedModelRequest> {
    const { timeoutMs = 60_000, afterIndex = -1 } = options;
    const matches: RequestMatch = (request) => request.index > afterIndex && match(request);
    const known = this.requests.find(matches);
    if (known !== undefined) {
      return known;
    }
    if (this.#isClosed) {
      throw new Error("The offline backend is closed: no request will come.");
    }
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(waiter);
        reject(new Error(`No matching model request within ${timeoutMs} ms.`));
      }, timeoutMs);
      const waiter: Waiter = { match: matches, resolve, reject, timer };
      this.#waiters.add(waiter);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiters) {
      this.#settle(waiter);
      waiter.reject(new Error("The offline backend was closed while waiting for a model request."));
    }
  }

  #settle(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
  }
}
