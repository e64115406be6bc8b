import type { UpstreamConnectionsHealth } from "../../runtime/types.js";

/** Fewer than this are never learned: one turn that runs, and one that is on its way out. */
const fewest = 2;
/** A burst of refusals is one refusal, in milliseconds. */
const oneRefusalMs = 1_000;
/** Where even the fewest are refused so often, the cause is another than their number, */
const refusedAtFewest = 3;
/** and refusals change no bound for so long, in milliseconds. */
const withoutSocketsMs = 10 * 60_000;
/** A bound that was not refused for so long is tried one higher, in milliseconds. */
const growAfterMs = 30_000;

export interface UpstreamConnectionsOptions {
  /** Connections at once; null: no bound, since the login has none that outlive a request. */
  readonly most: () => number | null;
  /** New ones within a second, and at once; 0: no pace. */
  readonly perSecond: number;
  /** Native threads that hold one now. */
  readonly held: () => number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Another one may be opened, by time alone. */
  readonly onRoom: () => void;
  /** The backend takes so many, as far as is known; called with each change. */
  readonly onChange: (bound: number) => void;
}

/**
 * The connections of an account to its backend. Each native thread of a ChatGPT login holds one from its first turn until Codex has
 * unloaded it. The backend refuses an upgrade where there are too many of them, or too many new ones in a short time; neither number
 * is announced. So they stay under a bound that comes down with a refusal and goes up again with time, and new ones are paced.
 */
export class UpstreamConnections {
  readonly #options: UpstreamConnectionsOptions;
  /** What refusals taught; infinite while there were none. */
  #learned = Number.POSITIVE_INFINITY;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #withoutSocketsUntilMs = Number.NEGATIVE_INFINITY;
  #refused = 0;
  /** In a row. */
  #refusedAtFewest = 0;
  /** How many may open at once now; grows with time. */
  #credit: number;
  #creditAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UpstreamConnectionsOptions) {
    this.#options = options;
    this.#credit = options.perSecond;
    this.#creditAtMs = options.now();
  }

  health(): UpstreamConnectionsHealth {
    const most = this.#options.most();
    return {
      held: most === null ? 0 : this.#options.held(),
      bound: most === null ? null : this.#bound(most),
      refused: this.#refused,
    };
  }

  /** Whether there is room for one more under the bound. */
  get hasRoom(): boolean {
    const most = this.#options.most();
    return most === null || this.#options.held() < this.#bound(most);
  }

  /** Whether the pace allows a new one now; where not, `onRoom` says when. */
  get isPaceKept(): boolean {
    if (this.#options.perSecond === 0 || this.#options.most() === null) return true;
    this.#earn();
    if (this.#credit >= 1) return true;
    const waitMs = ((1 - this.#credit) / this.#options.perSecond) * 1_000;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.onRoom();
    }, Math.ceil(waitMs));
    return false;
  }

  noteOpened(): void {
    this.#earn();
    this.#credit -= 1;
  }

  /** The backend refused an upgrade. Codex tries again, and then does without. */
  noteRefused(): void {
    this.#refused += 1;
    const most = this.#options.most();
    const nowMs = this.#options.now();
    if (most === null || nowMs - this.#changedAtMs < oneRefusalMs || nowMs < this.#withoutSocketsUntilMs)
      return;
    const bound = this.#bound(most);
    this.#changedAtMs = nowMs;
    this.#refusedAtFewest = bound <= fewest ? this.#refusedAtFewest + 1 : 0;
    if (this.#refusedAtFewest >= refusedAtFewest) return this.#noteNoSockets(most, nowMs);
    this.#learned = Math.max(fewest, Math.min(bound, this.#options.held()) - 1);
    if (this.#learned < bound) this.#options.onChange(this.#learned);
  }

  /** For example a proxy that blocks WebSockets: Codex then sends plain requests, which hold no connection. */
  #noteNoSockets(most: number, nowMs: number): void {
    this.#withoutSocketsUntilMs = nowMs + withoutSocketsMs;
    this.#refusedAtFewest = 0;
    this.#learned = Number.POSITIVE_INFINITY;
    this.#options.onChange(most);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #bound(most: number): number {
    const nowMs = this.#options.now();
    while (this.#learned < most && nowMs - this.#changedAtMs >= growAfterMs) {
      this.#learned += 1;
      this.#changedAtMs += growAfterMs;
      this.#options.onChange(this.#learned);
    }
    return Math.min(most, this.#learned);
  }

  #earn(): void {
    const { perSecond, now } = this.#options;
    const nowMs = now();
    this.#credit = Math.min(perSecond, this.#credit + ((nowMs - this.#creditAtMs) / 1_000) * perSecond);
    this.#creditAtMs = nowMs;
  }
}
