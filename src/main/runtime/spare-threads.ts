import type { PreparedThread } from "../../workers/contract/native-queries.js";
import type { ThreadSettings } from "../../workers/contract/turn.js";
import type { GatePlace } from "./admission/start-gate.js";
import { isAlive } from "./native-threads.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import { type SpareDemand, SpareDemands } from "./spare-demands.js";
import type { SpareThreadsHealth } from "./types.js";

/** What spares need of the worker that has them. */
type Worker = Pick<WorkerSlot, "connected" | "appServerGeneration" | "query" | "releaseThread">;

/** A native thread started ahead of need: empty, and with settings that turns were seen to want. */
export interface SpareThread<Slot extends Worker = WorkerSlot> {
  readonly slot: Slot;
  readonly appServerGeneration: number;
  readonly startedAtMs: number;
  /** Settles when Codex has set it up; null when that failed. Never rejects. */
  readonly prepared: Promise<PreparedThread | null>;
  /** Settles with null once Codex leaves a call that sets it up unanswered while it answers others. */
  readonly overdue: Promise<null>;
}

/** Where a spare may be started now. */
export interface SparePlace<Slot extends Worker = WorkerSlot> {
  readonly slot: Slot;
  readonly gatePlace: GatePlace;
}

/** The threads that serve a turn. */
export interface WantedThread {
  readonly thread: ThreadSettings;
  /** What would serve it too, given its instructions; null where nothing else would. */
  readonly blank: ThreadSettings | null;
}

/** The turn that a spare is for. */
export interface SpareUser<Slot extends Worker = WorkerSlot> extends WantedThread {
  readonly accepts: (slot: Slot) => boolean;
}

/** What `take` found. */
export interface ClaimedSpare<Slot extends Worker = WorkerSlot> {
  readonly spare: SpareThread<Slot>;
  readonly lacksInstructions: boolean;
}

export interface TakenSpare<Slot extends Worker = WorkerSlot> {
  readonly spare: SpareThread<Slot> | null;
  /** It is one of the blank settings. */
  readonly lacksInstructions: boolean;
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

export interface SpareThreadsContext<Slot extends Worker = WorkerSlot> {
  /** A place to start one, or null while turns need all there are. */
  readonly findPlace: () => SparePlace<Slot> | null;
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
export class SpareThreads<Slot extends Worker = WorkerSlot> {
  readonly #options: SpareThreadsOptions;
  readonly #context: SpareThreadsContext<Slot>;
  readonly #demands: SpareDemands<SpareThread<Slot>>;
  /** The places of those that are being prepared. */
  readonly #preparing = new Set<GatePlace>();
  /** Given back while Codex was still setting them up. */
  #unwanted = 0;
  /** The newest app-server that puts messages of its own into threads: there blank ones serve no other turns. */
  #fullGeneration = 0;
  #taken = 0;
  #missed = 0;
  #discarded = 0;
  #sweep: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;
  #memoryAskedAtMs = Number.NEGATIVE_INFINITY;
  #memoryTight = false;

  constructor(options: SpareThreadsOptions, context: SpareThreadsContext<Slot>) {
    this.#options = options;
    this.#context = context;
    this.#demands = new SpareDemands(context.now, ({ spares }) => this.#discard(spares));
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
  take(turn: SpareUser<Slot>): TakenSpare<Slot> {
    const taken = this.#options.maxThreads === 0 ? nothingTaken : this.#take(turn);
    if (taken.spare === null) this.#missed += 1;
    else this.#taken += 1;
    return taken;
  }

  /** Whether `take` would give such a turn a spare. */
  hasFor({ thread, blank, accepts }: SpareUser<Slot>): boolean {
    const has = (settings: ThreadSettings, fits: SpareUser<Slot>["accepts"]) =>
      this.#demands.find(settings)?.spares.some((spare) => this.#isFit(spare, fits)) ?? false;
    return has(thread, accepts) || (blank !== null && has(blank, this.#blankFits(accepts)));
  }

  /** Gives up the spare of the settings longest unused; false where there is none. */
  discardOne(): boolean {
    return this.#giveUpOne(null);
  }

  /** A turn started. What it may have taken is replaced after its first word, which calls `refill`, or when that keeps one waiting. */
  refillSoon(): void {
    this.#soon ??= setTimeout(() => this.refill(), firstWordPatienceMs).unref();
  }

  /** Starts what is wanted and missing, as far as there is room. Call it whenever room may have appeared. */
  refill(): void {
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
    while (this.#preparing.size < preparedAtOnce && this.#prepareOne()) this.#watchIdle();
  }

  #prepareOne(): boolean {
    const demand = this.#demands.findShort();
    if (demand === null || this.#isMemoryTight() || !this.#makeRoom(demand)) return false;
    const place = this.#context.findPlace();
    if (place === null) return false;
    this.#preparing.add(place.gatePlace);
    demand.spares.push(this.#prepare(demand, place));
    return true;
  }

  /** The id of a spare that was taken; null where it is not to be had in time, or not fit, and then it is given back. */
  async claim({ spare, lacksInstructions }: ClaimedSpare<Slot>): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, claimTimeoutMs, null);
    });
    const prepared = await Promise.race([spare.prepared, spare.overdue, late]);
    clearTimeout(timer);
    // The account's messages would come before the turn's instructions.
    if (prepared !== null && (prepared.isBare || !lacksInstructions)) return prepared.threadId;
    this.discard(spare);
    return null;
  }

  /** Gives back a spare that was taken and not used. */
  discard(spare: SpareThread<Slot>): void {
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
    for (const { spares } of this.#demands) this.#discard(spares);
  }

  /** A thread does not outlive the connection that started it. */
  forgetDead(): void {
    for (const { spares } of this.#demands) {
      for (let index = spares.length - 1; index >= 0; index -= 1) {
        const spare = spares[index];
        if (spare !== undefined && !isAlive(spare)) spares.splice(index, 1);
      }
    }
  }

  /** Lets all of them go and starts no more until settings come again. */
  clear(): void {
    this.#demands.forgetAll();
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
  }

  #take({ thread, blank, accepts }: SpareUser<Slot>): TakenSpare<Slot> {
    const own = this.#takeOf(thread, accepts);
    if (own.spare !== null || blank === null) return { spare: own.spare, lacksInstructions: false };
    // Those that come again get threads of their own, which know their instructions already.
    const fits = this.#blankFits(accepts);
    const other = own.isFirst ? this.#takeOf(blank, fits).spare : this.#findOf(blank, fits);
    return { spare: other, lacksInstructions: other !== null };
  }

  #takeOf(thread: ThreadSettings, accepts: SpareUser<Slot>["accepts"]) {
    const demand = this.#demands.noteUse(thread);
    const isFirst = demand === null || demand.uses === 1;
    const spare = this.#findOf(thread, accepts);
    // The first turn of its settings may be the only one.
    if (spare === null && demand !== null && !isFirst)
      demand.wanted = Math.min(demand.wanted + 1, this.#options.maxThreads);
    return { spare, isFirst };
  }

  #findOf(thread: ThreadSettings, accepts: SpareUser<Slot>["accepts"]): SpareThread<Slot> | null {
    const { spares = [] } = this.#demands.find(thread) ?? {};
    this.#discardAged(spares);
    const index = spares.findIndex((spare) => this.#isFit(spare, accepts));
    return index === -1 ? null : (spares.splice(index, 1)[0] ?? null);
  }

  /** At the bound, the settings longest unused give one up. */
  #makeRoom(wanting: SpareDemand<SpareThread<Slot>>): boolean {
    return this.#demands.size < this.#options.maxThreads || this.#giveUpOne(wanting);
  }

  #giveUpOne(wanting: SpareDemand<SpareThread<Slot>> | null): boolean {
    const spare = this.#demands.giveUpOne(wanting);
    if (spare !== undefined) this.discard(spare);
    return spare !== undefined;
  }

  #prepare(demand: SpareDemand<SpareThread<Slot>>, { slot, gatePlace }: SparePlace<Slot>): SpareThread<Slot> {
    const { appServerGeneration } = slot;
    let isOverdue: (value: null) => void = () => {};
    const overdue = new Promise<null>((resolve) => {
      isOverdue = resolve;
    });
    const onOverdue = (): void => {
      isOverdue(null);
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
        // Codex will not start such a thread, or is gone. The turn that asks for one tells why; here it must not be tried for ever.
        this.#remove(demand, spare);
        demand.wanted = 0;
        demand.uses = 0;
        return null;
      })
      .finally(() => {
        gatePlace.leave();
        this.#goOn(gatePlace);
      });
    const startedAtMs = this.#context.now();
    const spare: SpareThread<Slot> = { slot, appServerGeneration, startedAtMs, prepared, overdue };
    return spare;
  }

  /** This one is not waited for any longer. */
  #goOn(gatePlace: GatePlace): void {
    this.#preparing.delete(gatePlace);
    this.#context.onPlaceLeft();
    this.refill();
  }

  #isFit(spare: SpareThread<Slot>, accepts: SpareUser<Slot>["accepts"]): boolean {
    return !this.#isAged(spare) && isAlive(spare) && accepts(spare.slot);
  }

  #isAged({ startedAtMs }: SpareThread<Slot>): boolean {
    return startedAtMs < this.#context.now() - this.#options.maxAgeMs;
  }

  #blankFits(accepts: SpareUser<Slot>["accepts"]): SpareUser<Slot>["accepts"] {
    return (slot) => accepts(slot) && slot.appServerGeneration !== this.#fullGeneration;
  }

  #discardAged(spares: SpareThread<Slot>[]): void {
    for (let oldest = spares[0]; oldest !== undefined && this.#isAged(oldest); oldest = spares[0]) {
      spares.shift();
      this.discard(oldest);
    }
  }

  #remove(demand: SpareDemand<SpareThread<Slot>>, spare: SpareThread<Slot>): void {
    const index = demand.spares.indexOf(spare);
    if (index !== -1) demand.spares.splice(index, 1);
  }

  #discard(spares: SpareThread<Slot>[]): void {
    for (const spare of spares.splice(0)) this.discard(spare);
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

  #watchIdle(): void {
    this.#sweep ??= setInterval(() => this.#dropIdle(), this.#options.idleMs / 5).unref();
  }

  #dropIdle(): void {
    if (this.#isMemoryTight()) return this.clear();
    this.#demands.forgetUnusedSince(this.#context.now() - this.#options.idleMs);
    for (const { spares } of this.#demands) this.#discardAged(spares);
    this.refill();
  }
}

const nothingTaken = { spare: null, lacksInstructions: false } as const;
