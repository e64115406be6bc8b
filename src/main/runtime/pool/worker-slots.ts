import type { AppServerEndpoint } from "../../../workers/contract/endpoint.js";
import type { RateLimits } from "../../../workers/contract/native-queries.js";
import type { WorkerHealth } from "../types.js";
import { WorkerPool } from "./worker-pool.js";
import { type ConnectionChange, WorkerSlot, type WorkerSlotCallbacks } from "./worker-slot.js";

export interface WorkerSlotsOptions {
  readonly threads: number;
  readonly maxConcurrentTurns: number;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly clientVersion: string;
  readonly reportIntervalMs: number;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  /** How long a thread may take to close its connection. */
  readonly closeTimeoutMs: number;
  readonly now: () => number;
  readonly callbacks: WorkerSlotsCallbacks;
}

export interface WorkerSlotsCallbacks {
  readonly onConnection: (slot: WorkerSlot, change: ConnectionChange) => void;
  readonly onAccountChanged: () => void;
  readonly onRateLimits: (rateLimits: RateLimits) => void;
  readonly onThreadGone: () => void;
  readonly onChild: (slot: WorkerSlot, pid: number | null) => void;
  /** Its thread does not report any more. It gets no new turns until it does; one that stays silent is ended, and lost. */
  readonly onSilent: (slot: WorkerSlot) => void;
  readonly onLost: (slot: WorkerSlot) => void;
  readonly onError: (error: Error) => void;
}

/** Where workers connect now: one endpoint for all (`shared`), or one each (`stdio`). */
export interface Dial {
  readonly endpoint: AppServerEndpoint;
  readonly appServerGeneration: number;
  /** Only so many workers connect; the others stay idle. Default: all. */
  readonly maxWorkers?: number;
}

/** A thread that has not reported for this long gets no new turns, */
const threadSilentMs = 4_000;
/** and after this long it is ended, with what runs on it: turns that showed nothing are run again on another. */
const threadHungMs = 15_000;

/**
 * Silence after which an app-server is asked whether it lives, in milliseconds. Of many workers on one process the first asks for all: what it
 * finds makes the others ask too.
 */
const probeIdleMs = { first: 3_000, others: 15_000 } as const;

/** The worker threads of the service: a fixed number of places, each held by one generation of a thread at a time. */
export class WorkerSlots {
  readonly #options: WorkerSlotsOptions;
  readonly #pool: WorkerPool;
  readonly #slots = new Map<string, WorkerSlot>();
  #nextGeneration = 1;
  #dial: Dial | null = null;
  #closing = false;
  #closed: Promise<void> | null = null;
  readonly #watch: NodeJS.Timeout;
  #watchedAtMs: number;

  constructor(options: WorkerSlotsOptions) {
    this.#options = options;
    this.#pool = new WorkerPool({
      threads: options.threads,
      maxConcurrentTurns: options.maxConcurrentTurns,
      onThread: (threadId) => this.#attach(threadId),
      onError: (error) => this.#onError(error),
    });
    this.#watchedAtMs = options.now();
    this.#watch = setInterval(() => this.#watchThreads(), options.reportIntervalMs);
    this.#watch.unref();
  }

  get pool(): WorkerPool {
    return this.#pool;
  }

  all(): readonly WorkerSlot[] {
    return [...this.#slots.values()];
  }

  /** The ready worker with the fewest turns that passes the test. */
  leastBusy(accepts: (slot: WorkerSlot) => boolean): WorkerSlot | null {
    let best: WorkerSlot | null = null;
    for (const slot of this.#slots.values()) {
      if (!slot.ready || !accepts(slot)) continue;
      if (best === null || slot.activeTurns < best.activeTurns) best = slot;
    }
    return best;
  }

  /** The app-server does not answer this one: those that share its process get no new turns until it has answered them. */
  suspectOthers(silent: WorkerSlot): void {
    if (this.#options.processPerWorker) return;
    for (const slot of this.#slots.values()) {
      if (slot !== silent && slot.ready) slot.markSuspect();
    }
  }

  /** Sends every worker, also those to come, to this endpoint; null keeps them from dialling. */
  connect(dial: Dial | null): void {
    this.#dial = dial;
    for (const slot of this.#slots.values()) this.#applyDial(slot);
  }

  /** Native threads on their way out, over all workers. */
  get leavingThreads(): number {
    let count = 0;
    for (const slot of this.#slots.values()) count += slot.leavingThreads;
    return count;
  }

  health(): readonly WorkerHealth[] {
    return this.all().map((slot) => slot.health());
  }

  /** Lets the workers close their connections, then ends their threads. A second call joins the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watch);
    await Promise.all(this.all().map((slot) => slot.close(this.#options.closeTimeoutMs)));
    await this.#pool.destroy();
  }

  #attach(threadId: number): void {
    if (this.#closing) return;
    const place = this.#vacantPlace();
    const slot = new WorkerSlot(
      { place, generation: this.#nextGeneration++, threadId },
      this.#slotCallbacks(),
      this.#options.now,
    );
    this.#slots.set(slot.id, slot);
    this.#pool
      .run(
        threadId,
        {
          kind: "attach",
          controlPort: slot.workerPort,
          workerGeneration: slot.generation,
          reportIntervalMs: this.#options.reportIntervalMs,
          probeIdleMs: probeIdleMs[place === 1 || this.#options.processPerWorker ? "first" : "others"],
          workDirectory: this.#options.workDirectory,
          clientVersion: this.#options.clientVersion,
        },
        [slot.workerPort],
      )
      // A thread that dies before it took its control port closes that port: the slot learns of it there.
      .catch((error: Error) => this.#onError(error));
    this.#applyDial(slot);
  }

  /** A thread that is still starting, or whose task was, ends by an error too when all are ended. */
  #onError(error: Error): void {
    if (!this.#closing) this.#options.callbacks.onError(error);
  }

  #watchThreads(): void {
    const { now, reportIntervalMs, callbacks } = this.#options;
    const sinceMs = now() - this.#watchedAtMs;
    this.#watchedAtMs = now();
    // After a suspended machine or a blocked main thread, what the workers said meanwhile is not read yet.
    if (sinceMs > 2 * reportIntervalMs) return;
    for (const slot of this.#slots.values()) {
      const unheardMs = slot.unheardMs ?? 0;
      if (unheardMs > threadSilentMs && slot.ready) {
        slot.markSuspect();
        callbacks.onSilent(slot);
      }
      // Nobody waits for the end: the slot's control port tells of it.
      if (unheardMs > threadHungMs) void this.#pool.terminate(slot.threadId);
    }
  }

  #applyDial(slot: WorkerSlot): void {
    if (this.#dial === null || slot.place > (this.#dial.maxWorkers ?? Number.POSITIVE_INFINITY))
      slot.disconnect();
    else slot.connect(this.#dial.endpoint, this.#dial.appServerGeneration);
  }

  #vacantPlace(): number {
    const taken = new Set(this.all().map(({ place }) => place));
    for (let place = 1; ; place += 1) {
      if (!taken.has(place)) return place;
    }
  }

  #slotCallbacks(): WorkerSlotCallbacks {
    const { callbacks } = this.#options;
    return {
      onConnection: callbacks.onConnection,
      onAccountChanged: callbacks.onAccountChanged,
      onRateLimits: callbacks.onRateLimits,
      onThreadGone: callbacks.onThreadGone,
      onChild: callbacks.onChild,
      onLost: (slot) => {
        if (this.#slots.get(slot.id) === slot) this.#slots.delete(slot.id);
        callbacks.onLost(slot);
      },
    };
  }
}
