import type { TurnSettings } from "../../../workers/contract/turn.js";
import type { WorkerSlot } from "../../codex/workers/worker-slot.js";

/** A native thread that is loaded and idle: the history of a chain, where Codex has it. */
export interface LoadedThread {
  readonly threadId: string;
  /** The last turn on it. Only a turn that directly follows that one may run here. */
  readonly lastTurnId: string;
  readonly slot: WorkerSlot;
  readonly appServerGeneration: number;
  /** What the thread keeps for life, as text: a turn with other settings needs another thread. */
  readonly settings: string;
  /** Those of the last turn. */
  readonly turnSettings: LastingSettings;
}

/** Of a turn, those that Codex keeps for the later ones on its thread, unless these say otherwise; there is no word for the default. */
type LastingSettings = Pick<TurnSettings, "effort" | "summary" | "serviceTier">;

/** Loaded threads beyond the bound are unloaded, least recently used first: each costs the app-server 0.85 MB. */
export class NativeThreads {
  readonly #maxThreads: number;
  readonly #threads = new Map<string, LoadedThread>();

  constructor(maxThreads: number) {
    this.#maxThreads = maxThreads;
  }

  get size(): number {
    return this.#threads.size;
  }

  keep(thread: LoadedThread): void {
    this.#threads.delete(thread.threadId);
    this.#threads.set(thread.threadId, thread);
    while (this.#threads.size > this.#maxThreads) this.releaseOldest();
  }

  /**
   * Takes a thread out to continue it; null where it is not loaded, has run another turn since, has other settings, or would go on with
   * the last turn's where this one says nothing.
   */
  take(
    threadId: string,
    lastTurnId: string,
    { settings, turnSettings }: Pick<LoadedThread, "settings" | "turnSettings">,
  ): LoadedThread | null {
    const thread = this.#threads.get(threadId);
    if (thread === undefined || thread.lastTurnId !== lastTurnId || thread.settings !== settings) return null;
    if (!replaces(turnSettings, thread.turnSettings)) return null;
    this.#threads.delete(threadId);
    return isAlive(thread) ? thread : null;
  }

  /** Unloads the thread least recently used; false where there is none. */
  releaseOldest(): boolean {
    const [oldest] = this.#threads.keys();
    if (oldest !== undefined) this.release(oldest);
    return oldest !== undefined;
  }

  releaseAll(): void {
    for (const threadId of [...this.#threads.keys()]) this.release(threadId);
  }

  /** Unloads a thread that no caller will continue. */
  release(threadId: string): void {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) return;
    this.#threads.delete(threadId);
    if (isAlive(thread)) thread.slot.releaseThread(threadId);
  }

  /** A thread does not outlive the connection that started it. */
  forgetDead(): void {
    for (const [threadId, thread] of this.#threads) {
      if (!isAlive(thread)) this.#threads.delete(threadId);
    }
  }
}

function replaces(next: LastingSettings, last: LastingSettings): boolean {
  return (
    (next.effort !== null || last.effort === null) &&
    (next.summary !== null || last.summary === null) &&
    (next.serviceTier !== null || last.serviceTier === null)
  );
}

/** Whether the connection that started the thread still stands. */
export function isAlive(thread: {
  readonly slot: Pick<WorkerSlot, "connected" | "appServerGeneration">;
  readonly appServerGeneration: number;
}): boolean {
  return thread.slot.connected && thread.slot.appServerGeneration === thread.appServerGeneration;
}

/** While a machine is awake and its clocks are not set, they run apart by less than this, in milliseconds. */
const toleranceMs = 10_000;

/**
 * Notices that one clock jumped against another: the wall clock where it was set, or the machine slept; the time since the machine was
 * started where it slept, since the monotonic clock stands then.
 */
export class ClockWatch {
  readonly #steady: () => number;
  readonly #other: () => number;
  #apartMs: number;

  /** Both in milliseconds. */
  constructor(steady: () => number, other: () => number) {
    this.#steady = steady;
    this.#other = other;
    this.#apartMs = other() - steady();
  }

  /** True once after each jump, in either direction. A clock that only drifts never jumps. */
  hasJumped(): boolean {
    const apartMs = this.#other() - this.#steady();
    const hasJumped = Math.abs(apartMs - this.#apartMs) > toleranceMs;
    this.#apartMs = apartMs;
    return hasJumped;
  }
}
