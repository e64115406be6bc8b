import type { PreparedThread } from "../../../workers/contract/native-queries.js";
import type { ThreadSettings } from "../../../workers/contract/turn.js";
import { createDeferred, waitWithin } from "../../../workers/contract/wait.js";
import type { WorkerSlot } from "../../codex/workers/worker-slot.js";
import type { SpareThreadsHealth } from "../../runtime/types.js";
import type { GatePlace } from "../admission/start-gate.js";
import { isAlive } from "./native-threads.js";
import { type SpareDemand, SpareDemands } from "./spare-demands.js";

/** A native thread started ahead of need: empty, and with settings that turns were seen to want. */
export interface SpareThread {
  readonly slot: WorkerSlot;
  readonly appServerGeneration: number;
  readonly startedAtMs: number;
  /** Settles when Codex has set it up; null when that failed. Never rejects. */
  readonly prepared: Promise<PreparedThread | null>;
  /** Settles with null once Codex leaves a call that sets it up unanswered while it answers others. */
  readonly overdue: Promise<null>;
  /** It was taken for a turn with instructions that it does not have. */
  readonly lacksInstructions: boolean;
}

/** Where a spare may be started now. */
export interface SparePlace {
  readonly slot: WorkerSlot;
  readonly gatePlace: GatePlace;
}

/** The threads that serve a turn. */
export interface WantedThread {
  readonly thread: ThreadSettings;
  /** What would serve it too, given its instructions; null where nothing else would. */
  readonly blank: ThreadSettings | null;
}

/** The turn that a spare is for. */
export interface SpareUser extends WantedThread {
  readonly accepts: (slot: WorkerSlot) => boolean;
}

export interface SpareThreadsOptions {
  /** Spares at most, over all settings; 0 switches them off. */
  readonly maxThreads: number;
  /** Settings that no turn wanted for this long lose their spares, in milliseconds. */
  readonly idleMs: number;
  /** One that is older is not given to anybody: the backend ends its connection sooner or later, in milliseconds. */
  readonly maxAgeMs: number;
  /** With less memory than this left on the machine there are no spares, in bytes. */
  readonly minAvailableBytes: number;
}

export interface SpareThreadsContext {
  /** A place to start one, or null while turns need all there are. */
  readonly findPlace: () => SparePlace | null;
  readonly availableBytes: () => number;
  readonly onThreadStarted: (appServerGeneration: number) => void;
  /** A place became free again. */
  readonly onPlaceLeft: () => void;
  readonly now: () => number;
}

const prepareTimeoutMs = 10_000;
/** A burst's threads are there before the next burst, and turns find the other places of the gate. */
const preparedAtOnce = 2;
/** How long a turn waits for one that is still being started: it was begun before the turn, so that a new one is no faster. */
const claimTimeoutMs = 2_000;
const memoryAskedEveryMs = 1_000;
/** A model that thinks for longer does not keep other turns from finding their threads. */
const firstWordPatienceMs = 1_000;

/**
 * Starting a thread is more than half of what a short turn costs Codex. Settings that come a second time get a spare, and more
 * of them each time that none was left. Few at a time are started, and only while no turn waits for a place.
 */
export class SpareThreads {
  readonly #options: SpareThreadsOptions;
  readonly #context: SpareThreadsContext;
  readonly #demands: SpareDemands<SpareThread>;
  /** The places of those that are being prepared. */
  readonly #preparing = new Set<GatePlace>();
  /** Given back while Codex was still setting them up. */
  #unwanted = 0;
  /** The newest app-server that puts messages of its own into threads: there blank ones serve no other turns. */
  #fullGeneration = 0;
  #taken = 0;
  #missed = 0;
  #discarded = 0;
  #sweep: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #memoryAskedAtMs = Number.NEGATIVE_INFINITY;
  #memoryTight = false;

  constructor(options: SpareThreadsOptions, context: SpareThreadsContext) {
    this.#options = options;
    this.#context = context;
    this.#demands = new SpareDemands(context.now, (demand) => this.#discardOf(demand));
  }

  health(): SpareThreadsHealth {
    const uses = { taken: this.#taken, missed: this.#missed, discarded: this.#discarded };
    return { ready: this.#demands.size, ...uses };
  }

  /** Threads that are there or being set up, wanted or not. */
  get held(): number {
    return this.#demands.size + this.#unwanted;
  }

  /** Those of them that were given back while Codex was still setting them up. */
  get leaving(): number {
    return this.#unwanted;
  }

  /** Notes that a turn with these settings begins, and gives it a spare where there is one on such a worker. */
  take(turn: SpareUser): SpareThread | null {
    const spare = this.#options.maxThreads === 0 ? null : this.#take(turn);
    if (spare === null) this.#missed += 1;
    else this.#taken += 1;
    return spare;
  }

  /** A turn with these settings is announced: it finds a spare, as far as there is room for one. */
  expect({ thread, blank }: WantedThread): void {
    if (this.#options.maxThreads === 0 || this.hasFor({ thread, blank, accepts: () => true })) return;
    const demand = this.#demands.remember(thread);
    if (demand !== null) demand.wanted = Math.max(demand.wanted, 1);
    this.refill();
  }

  /** Whether `take` would give such a turn a spare. */
  hasFor({ thread, blank, accepts }: SpareUser): boolean {
    const has = (settings: ThreadSettings, fits: SpareUser["accepts"]) =>
      this.#demands.find(settings)?.spares.some((spare) => this.#isFit(spare, fits)) ?? false;
    return has(thread, accepts) || (blank !== null && has(blank, this.#blankFits(accepts)));
  }

  /** Gives up a spare of the settings longest unused, as far as those are older than `wanting`; false where there is none. */
  discardOne(wanting: SpareDemand<SpareThread> | null = null): boolean {
    const spare = this.#demands.giveUpOne(wanting);
    if (spare !== undefined) this.discard(spare);
    return spare !== undefined;
  }

  /** A turn started. What it may have taken is replaced after its first word, which calls `refill`, or when that keeps one waiting. */
  refillSoon(): void {
    this.#soon ??= setTimeout(() => this.refill(), firstWordPatienceMs).unref();
  }

  /** Starts what is wanted and missing, as far as there is room. Call it whenever room may have appeared. */
  refill(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    while (this.#preparing.size < preparedAtOnce && this.#prepareOne()) {
      this.#sweep ??= setInterval(() => this.#dropIdle(), this.#options.idleMs / 5).unref();
    }
  }

  #prepareOne(): boolean {
    const demand = this.#demands.findShort();
    if (demand === null || this.#isMemoryTight()) return false;
    // At the bound, the settings longest unused give one up.
    if (this.#demands.size >= this.#options.maxThreads && !this.discardOne(demand)) return false;
    const place = this.#context.findPlace();
    if (place === null) return false;
    this.#preparing.add(place.gatePlace);
    demand.spares.push(this.#prepare(demand, place));
    return true;
  }

  /** The id of a spare that was taken; null where it is not ready in time, or not fit, and then it is given back. */
  async claim(spare: SpareThread): Promise<string | null> {
    const ready = Promise.race([spare.prepared, spare.overdue]);
    const prepared = await waitWithin(ready, { timeoutMs: claimTimeoutMs }, () => null);
    // The account's messages would come before the turn's instructions.
    if (prepared !== null && (prepared.isBare || !spare.lacksInstructions)) return prepared.threadId;
    this.discard(spare);
    return null;
  }

  /** Gives back a spare that was taken and not used. */
  discard(spare: SpareThread): void {
    this.#unwanted += 1;
    this.#discarded += 1;
    void spare.prepared.then((prepared) => {
      this.#unwanted -= 1;
      if (prepared !== null && isAlive(spare)) spare.slot.releaseThread(prepared.threadId);
      else this.#context.onPlaceLeft();
    });
  }

  /** Lets all of them go; as many take their places. */
  discardAll(): void {
    for (const demand of this.#demands) this.#discardOf(demand);
  }

  /** A thread does not outlive the connection that started it. */
  forgetDead(): void {
    for (const demand of this.#demands) demand.spares = demand.spares.filter(isAlive);
  }

  /** Lets all of them go and starts no more until settings come again. */
  clear(): void {
    this.#demands.forgetUnusedSince();
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }

  #take({ thread, blank, accepts }: SpareUser): SpareThread | null {
    const { spare, isFirst } = this.#takeOf(thread, accepts);
    if (spare !== null || blank === null) return spare;
    // Those that come again get threads of their own, which know their instructions already.
    const fits = this.#blankFits(accepts);
    const other = isFirst ? this.#takeOf(blank, fits).spare : this.#findOf(blank, fits);
    return other === null ? null : { ...other, lacksInstructions: true };
  }

  #takeOf(thread: ThreadSettings, accepts: SpareUser["accepts"]) {
    const demand = this.#demands.noteUse(thread);
    const isFirst = demand === null || demand.uses === 1;
    const spare = this.#findOf(thread, accepts);
    // The first turn of its settings may be the only one, announced or not.
    if (demand !== null && isFirst) demand.wanted = 0;
    else if (demand !== null && spare === null)
      demand.wanted = Math.min(demand.wanted + 1, this.#options.maxThreads);
    return { spare, isFirst };
  }

  #findOf(thread: ThreadSettings, accepts: SpareUser["accepts"]): SpareThread | null {
    const demand = this.#demands.find(thread);
    if (demand === null) return null;
    this.#discardOf(demand, (spare) => this.#isAged(spare));
    const found = demand.spares.find((spare) => this.#isFit(spare, accepts));
    if (found !== undefined) remove(demand, found);
    return found ?? null;
  }

  #prepare(demand: SpareDemand<SpareThread>, { slot, gatePlace }: SparePlace): SpareThread {
    const { appServerGeneration } = slot;
    const overdue = createDeferred<null>();
    const onOverdue = (): void => {
      overdue.resolve(null);
      gatePlace.noteOverdue();
      this.#goOn(gatePlace);
    };
    const prepared = slot
      .query({ query: "prepare_thread", thread: demand.thread }, prepareTimeoutMs, onOverdue)
      .then((answer) => {
        this.#context.onThreadStarted(appServerGeneration);
        const isFull = demand.thread.instructions === "" && !answer.isBare;
        if (isFull) this.#fullGeneration = appServerGeneration;
        return answer;
      })
      .catch(() => {
        // Codex will not start such a thread, or is gone. A turn that asks for one reports why; here it must not be tried for ever.
        remove(demand, spare);
        demand.wanted = 0;
        demand.uses = 0;
        return null;
      })
      .finally(() => {
        gatePlace.leave();
        this.#goOn(gatePlace);
      });
    const spare: SpareThread = {
      slot,
      appServerGeneration,
      startedAtMs: this.#context.now(),
      prepared,
      overdue: overdue.promise,
      lacksInstructions: false,
    };
    return spare;
  }

  /** Stops waiting for this one: another spare may be prepared. */
  #goOn(gatePlace: GatePlace): void {
    this.#preparing.delete(gatePlace);
    this.#context.onPlaceLeft();
    this.refill();
  }

  #isFit(spare: SpareThread, accepts: SpareUser["accepts"]): boolean {
    return !this.#isAged(spare) && isAlive(spare) && accepts(spare.slot);
  }

  #isAged({ startedAtMs }: SpareThread): boolean {
    return startedAtMs < this.#context.now() - this.#options.maxAgeMs;
  }

  #blankFits(accepts: SpareUser["accepts"]): SpareUser["accepts"] {
    return (slot) => accepts(slot) && slot.appServerGeneration !== this.#fullGeneration;
  }

  /** Discards the spares that are meant. */
  #discardOf(demand: SpareDemand<SpareThread>, isMeant: (spare: SpareThread) => boolean = () => true): void {
    const meant = demand.spares.filter(isMeant);
    demand.spares = demand.spares.filter((spare) => !meant.includes(spare));
    for (const spare of meant) this.discard(spare);
  }

  /** Asking the system costs more than all else here, so it is asked once a second at most. */
  #isMemoryTight(): boolean {
    const nowMs = this.#context.now();
    if (nowMs - this.#memoryAskedAtMs >= memoryAskedEveryMs) {
      this.#memoryAskedAtMs = nowMs;
      this.#memoryTight = this.#context.availableBytes() < this.#options.minAvailableBytes;
    }
    return this.#memoryTight;
  }

  #dropIdle(): void {
    if (this.#isMemoryTight()) return this.clear();
    this.#demands.forgetUnusedSince(this.#context.now() - this.#options.idleMs);
    for (const demand of this.#demands) this.#discardOf(demand, (spare) => this.#isAged(spare));
    this.refill();
  }
}

function remove(demand: SpareDemand<SpareThread>, spare: SpareThread): void {
  demand.spares = demand.spares.filter((each) => each !== spare);
}
