import type { WorkerSlot } from "./pool/worker-slot.js";

/** A native thread that is loaded and idle: the history of a chain, where Codex has it. */
export interface LoadedThread {
  readonly threadId: string;
  /** The last turn on it. Only what comes right after that turn may go on here. */
  readonly lastTurnId: string;
  readonly slot: WorkerSlot;
  readonly appServerGeneration: number;
  /** What the thread keeps for life, as text: a turn with other settings needs another thread. */
  readonly settings: string;
}

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
    for (const oldest of this.#threads.values()) {
      if (this.#threads.size <= this.#maxThreads) return;
      this.release(oldest.threadId);
    }
  }

  /** Takes a thread out to go on with it; null where it is not there, has moved on, or has other settings. */
  take(threadId: string, lastTurnId: string, settings: string): LoadedThread | null {
    const thread = this.#threads.get(threadId);
    if (thread === undefined || thread.lastTurnId !== lastTurnId || thread.settings !== settings) return null;
    this.#threads.delete(threadId);
    return isAlive(thread) ? thread : null;
  }

  /** Unloads the thread least recently used; false where there is none. */
  releaseOldest(): boolean {
    for (const threadId of this.#threads.keys()) {
      this.release(threadId);
      return true;
    }
    return false;
  }

  releaseAll(): void {
    for (const threadId of [...this.#threads.keys()]) this.release(threadId);
  }

  /** Unloads a thread that nobody will continue. */
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

/** Whether the connection that started the thread still stands. */
export function isAlive(thread: {
  readonly slot: Pick<WorkerSlot, "connected" | "appServerGeneration">;
  readonly appServerGeneration: number;
}): boolean {
  return thread.slot.connected && thread.slot.appServerGeneration === thread.appServerGeneration;
}
