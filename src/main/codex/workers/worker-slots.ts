import type { Logger } from "pino";
import type { AppServerEndpoint } from "../../../workers/contract/endpoint.js";
import type { WorkerHealth } from "../../runtime/types.js";
import type { PidLedger } from "../process/pid-ledger.js";
import { WorkerPool } from "./worker-pool.js";
import { WorkerSlot, type WorkerSlotCallbacks } from "./worker-slot.js";

export interface WorkerSlotsOptions {
  readonly workers: number;
  readonly maxConcurrentTurns: number;
  /** Empty directory, the working directory of native threads. */
  readonly workDirectory: string;
  readonly ledger: PidLedger;
  readonly clientVersion: string;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  readonly logger: Logger;
  readonly callbacks: WorkerSlotsCallbacks;
}

export interface WorkerSlotsCallbacks extends Omit<WorkerSlotCallbacks, "onChild"> {
  /**
   * The worker has stopped reporting and gets no new turns until it reports again. If it stays silent, it is ended, and
   * lost.
   */
  readonly onSilent: (slot: WorkerSlot) => void;
}

/** Where workers connect now: to one endpoint for all (`shared`), or each to a process of its own (`stdio`). */
export interface Dial {
  readonly endpoint: AppServerEndpoint;
  readonly appServerGeneration: number;
  /** How many workers connect; the others stay idle. Default: all. */
  readonly maxWorkers?: number | undefined;
}

const reportIntervalMs = 1_000;
/** A worker that reported within this time would notice an answer of the app-server. */
const reportedWithinMs = 3_000;
/** How long a worker may take to close its connection: longer than the stop ladder of its own process, if it has one. */
const closeTimeoutMs = 2_000;
/** A worker that has not reported for this long gets no new turns. */
const workerSilentMs = 4_000;
/** A worker that has not reported for this long is ended. Its turns that showed no output are run again on another worker. */
const workerHungMs = 15_000;

/**
 * How long an app-server may be silent before a worker probes it, in milliseconds. If workers share a process, the first one
 * probes early; if it gets no answer, the others probe too.
 */
const probeIdleMs = { first: 3_000, others: 15_000 } as const;

/** The workers of the service: a fixed number of places, each held by one worker generation at a time. */
export class WorkerSlots {
  readonly #options: WorkerSlotsOptions;
  readonly #pool: WorkerPool;
  readonly #slots = new Map<string, WorkerSlot>();
  readonly #slotCallbacks: WorkerSlotCallbacks;
  readonly #children: WorkerChildren;
  #nextGeneration = 1;
  #dial: Dial | null = null;
  #closing = false;
  #closed: Promise<void> | null = null;
  readonly #watch: NodeJS.Timeout;
  #watchedAtMs = performance.now();

  constructor(options: WorkerSlotsOptions) {
    this.#options = options;
    this.#slotCallbacks = {
      ...options.callbacks,
      onChild: (slot, pid) => this.#children.set(slot.id, pid),
      onLost: (slot) => this.#onLost(slot),
    };
    this.#pool = new WorkerPool({
      workers: options.workers,
      maxConcurrentTurns: options.maxConcurrentTurns,
      onWorker: (threadId) => this.#attach(threadId),
      onError: (error) => this.#onError(error),
    });
    this.#children = new WorkerChildren(options.ledger, options.logger);
    this.#watch = setInterval(() => this.#watchWorkers(), reportIntervalMs).unref();
  }

  get pool(): WorkerPool {
    return this.#pool;
  }

  all(): readonly WorkerSlot[] {
    return [...this.#slots.values()];
  }

  /** Of the ready workers that `accepts` allows, the one with the fewest turns; null if there is none. */
  leastBusy(accepts: (slot: WorkerSlot) => boolean): WorkerSlot | null {
    let best: WorkerSlot | null = null;
    for (const slot of this.#slots.values()) {
      if (!slot.ready || !accepts(slot)) continue;
      if (best === null || slot.activeTurns < best.activeTurns) best = slot;
    }
    return best;
  }

  /** Whether any worker has reported lately and would notice an answer of the app-server. */
  isAnyReporting(): boolean {
    return this.all().some((slot) => slot.reportedWithin(reportedWithinMs));
  }

  /**
   * After the app-server left this worker unanswered: keeps new turns off the workers that share it until it answers them.
   */
  markOthersSuspect(silent: WorkerSlot): void {
    if (this.#options.processPerWorker) return;
    for (const slot of this.#slots.values()) {
      if (slot !== silent && slot.ready) slot.markSuspect();
    }
  }

  /** Connects every worker, and each later replacement, to this endpoint; null disconnects them. */
  connect(dial: Dial | null): void {
    this.#dial = dial;
    for (const slot of this.#slots.values()) this.#applyDial(slot);
  }

  /** How many native threads are being unloaded on all workers together. */
  get leavingThreads(): number {
    let count = 0;
    for (const slot of this.#slots.values()) count += slot.leavingThreads;
    return count;
  }

  /** The app-servers that workers have started for themselves. */
  get childPids(): readonly number[] {
    return this.#children.pids;
  }

  health(): readonly WorkerHealth[] {
    return this.all().map((slot) => slot.health());
  }

  /** Lets the workers close their connections, then ends them. A second call joins the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watch);
    await Promise.all(this.all().map((slot) => slot.close(closeTimeoutMs)));
    await this.#pool.destroy();
    await this.#children.endAll();
  }

  #attach(threadId: number): void {
    if (this.#closing) return;
    const place = this.#vacantPlace();
    const slot = new WorkerSlot(
      { place, generation: this.#nextGeneration++, threadId },
      this.#slotCallbacks,
      () => performance.now(),
    );
    this.#slots.set(slot.id, slot);
    this.#pool
      .run(
        threadId,
        {
          kind: "attach",
          controlPort: slot.workerPort,
          workerGeneration: slot.generation,
          reportIntervalMs,
          probeIdleMs: probeIdleMs[place === 1 || this.#options.processPerWorker ? "first" : "others"],
          workDirectory: this.#options.workDirectory,
          clientVersion: this.#options.clientVersion,
        },
        [slot.workerPort],
      )
      // If the worker dies before it takes its control port, the port closes, and the slot reports the loss.
      .catch((error: Error) => this.#onError(error));
    this.#applyDial(slot);
  }

  #onLost(slot: WorkerSlot): void {
    if (this.#slots.get(slot.id) === slot) this.#slots.delete(slot.id);
    this.#options.logger.error(
      { event: "worker.lost", worker: slot.id, generation: slot.generation },
      "a worker has ended; starting another",
    );
    this.#options.callbacks.onLost(slot);
  }

  /** Logs the error, except on closing: ending a worker that is still starting also raises one. */
  #onError(error: Error): void {
    if (!this.#closing) this.#options.logger.error({ event: "worker.error", err: error }, "a worker failed");
  }

  #watchWorkers(): void {
    const { callbacks, logger } = this.#options;
    const nowMs = performance.now();
    const sinceMs = nowMs - this.#watchedAtMs;
    this.#watchedAtMs = nowMs;
    // After a suspended machine or a blocked main thread, reports are still waiting to be read.
    if (sinceMs > 2 * reportIntervalMs) return;
    for (const slot of this.#slots.values()) {
      const reportAgeMs = slot.reportAgeMs ?? 0;
      if (reportAgeMs > workerSilentMs && slot.ready) {
        slot.markSuspect();
        logger.warn(
          { event: "worker.silent", worker: slot.id, generation: slot.generation },
          "a worker has stopped reporting; it gets no new turns until it reports again",
        );
        callbacks.onSilent(slot);
      }
      // Not awaited: when the worker ends, its control port closes, and the slot reports the loss.
      if (reportAgeMs > workerHungMs) void this.#pool.terminate(slot.threadId);
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
}

/**
 * The app-servers that workers spawn themselves (`stdio`). Each ends when its worker closes its stdin. The ledger covers a
 * child that hangs while the service is killed.
 */
class WorkerChildren {
  readonly #ledger: PidLedger;
  readonly #logger: Logger;
  readonly #pids = new Map<string, number>();
  readonly #writing = new Set<Promise<void>>();

  constructor(ledger: PidLedger, logger: Logger) {
    this.#ledger = ledger;
    this.#logger = logger;
  }

  get pids(): readonly number[] {
    return [...this.#pids.values()];
  }

  /** Records the worker's child; null if it has ended. */
  set(workerId: string, pid: number | null): void {
    const former = this.#pids.get(workerId);
    if (former !== undefined) this.#write(this.#ledger.forget(former));
    this.#pids.delete(workerId);
    if (pid === null) return;
    this.#pids.set(workerId, pid);
    this.#logger.info({ event: "app_server.started", worker: workerId, pid }, "app-server started");
    this.#write(this.#ledger.record(pid));
  }

  /** Kills the children that outlived their workers: one that hangs does not notice that its stdin closed. */
  async endAll(): Promise<void> {
    const pids = [...this.#pids.values()];
    this.#pids.clear();
    await Promise.all([...this.#writing]);
    await Promise.all(pids.map((pid) => this.#ledger.kill(pid)));
  }

  #write(written: Promise<void>): void {
    const done = written
      .catch((error: unknown) => {
        this.#logger.warn(
          { event: "pid_ledger.failed", err: error },
          "could not record the running app-servers",
        );
      })
      .finally(() => this.#writing.delete(done));
    this.#writing.add(done);
  }
}
