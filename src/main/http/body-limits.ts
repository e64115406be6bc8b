/** How many of the largest bodies the requests under way may hold together. */
const largestAtOnce = 16;

/** The part of one request. */
export interface HeldBody {
  /** False when these bytes would be too many for all requests together; they are not counted then. */
  hold(bytes: number): boolean;
  /** Nothing of it is held any more, nor will be. */
  release(): void;
}

/** Bounds on one body, and on what the bodies of all requests under way hold in memory. */
export class BodyLimits {
  /** Holds for requests that begin after it was set. */
  maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  open(): HeldBody {
    let held: number | null = 0;
    return {
      hold: (bytes) => {
        if (held === null) return true;
        if (this.#heldBytes + bytes > largestAtOnce * this.maxBytes) return false;
        this.#heldBytes += bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#heldBytes -= held ?? 0;
        held = null;
      },
    };
  }
}
