/** From so many turns on. With fewer, a nap would cost more in latency than it saves. */
const manyTurns = 32;
/** In milliseconds. What comes meanwhile waits in the socket: some 25 deltas of 256 streams, where there is room for hundreds. */
const napMs = 4;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops the thread, since node reads a socket on as soon as it may, even a paused one. */
function sleep(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}

/**
 * Many streams at a model's pace would wake the thread, and behind it the supervisor's, for each single delta: a quarter of what
 * a delta costs. So the thread takes a nap once it has handed on what it read, and then reads what has come together. Nothing that
 * was read waits for it.
 */
export class ReadPacing {
  readonly #sleep: (ms: number) => void;
  #due = false;

  constructor(sleepFor: (ms: number) => void = sleep) {
    this.#sleep = sleepFor;
  }

  /** A delta was read, while so many turns are under way. */
  noteDelta(turns: number): void {
    if (turns < manyTurns || this.#due) return;
    this.#due = true;
    // After what sends the delta on, which is due in this same phase of the event loop.
    setImmediate(() => {
      this.#due = false;
      this.#sleep(napMs);
    });
  }
}
