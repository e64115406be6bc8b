/** Bounds of one connection. The first two are OpenAI's. */
export const laneLimits = {
  /** Responses that are made at the same time. */
  running: 16,
  /** Different names of lanes, the default one not counted. */
  names: 32,
  /** Requests that wait for their lane or for a place. */
  waiting: 32,
} as const;

type Job = () => Promise<void>;

interface Lane {
  readonly waiting: Job[];
  isBusy: boolean;
}

/** Why a job was not taken. */
export type LaneRefusal = "too_many_names" | "too_many_waiting";

/**
 * The requests of one connection. Those of one lane run one after the other, in their order; lanes run beside each other, as far as
 * there are places.
 */
export class Lanes {
  readonly #lanes = new Map<string | null, Lane>();
  readonly #onIdle: () => void;
  #running = 0;
  #waiting = 0;

  /** `onIdle`: nothing runs or waits any more. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting === 0;
  }

  /** Runs a job in its turn. It must not reject. `name`: null is the default lane. Null where it was taken. */
  add(name: string | null, job: Job): LaneRefusal | null {
    const lane = this.#lanes.get(name) ?? this.#open(name);
    if (lane === null) return "too_many_names";
    if (this.#waiting >= laneLimits.waiting) return "too_many_waiting";
    this.#waiting += 1;
    lane.waiting.push(job);
    this.#pump();
    return null;
  }

  #open(name: string | null): Lane | null {
    const names = this.#lanes.size - (this.#lanes.has(null) ? 1 : 0);
    if (name !== null && names >= laneLimits.names) return null;
    const lane: Lane = { waiting: [], isBusy: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  #pump(): void {
    for (const [name, lane] of this.#lanes) {
      if (this.#running >= laneLimits.running) return;
      const job = lane.isBusy ? undefined : lane.waiting.shift();
      if (job === undefined) continue;
      // To the end: those that have not run for longest come first.
      this.#lanes.delete(name);
      this.#lanes.set(name, lane);
      this.#waiting -= 1;
      void this.#run(lane, job);
    }
  }

  async #run(lane: Lane, job: Job): Promise<void> {
    lane.isBusy = true;
    this.#running += 1;
    await job();
    lane.isBusy = false;
    this.#running -= 1;
    this.#pump();
    if (this.isIdle) this.#onIdle();
  }
}
