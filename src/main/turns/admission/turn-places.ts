import type { ThreadSettings } from "../../../workers/contract/turn.js";
import type { WorkerSlot } from "../../codex/workers/worker-slot.js";
import type { WorkerSlots } from "../../codex/workers/worker-slots.js";
import { CodexNativeApiError } from "../../errors.js";
import { isAlive, type LoadedThread } from "../threads/native-threads.js";
import type { SparePlace, SpareThread, SpareThreads, WantedThread } from "../threads/spare-threads.js";
import type { GatePlace, StartGate } from "./start-gate.js";

/** Where a turn runs: a worker, and a place among those that its app-server is starting. */
export interface Place {
  readonly slot: WorkerSlot;
  /** The settings of the turn's native thread. */
  readonly thread: ThreadSettings;
  readonly gatePlace: GatePlace;
  /** A thread of that worker's which no other turn gets. */
  readonly spare: SpareThread | null;
  /** The thread of an earlier turn, which this one continues. */
  readonly loaded: LoadedThread | null;
}

/** Finds the place that a turn can start in now, or none. */
export class TurnPlaces {
  readonly #slots: WorkerSlots;
  readonly #gate: StartGate;
  readonly #processPerWorker: boolean;

  /** `processPerWorker`: whether each worker has an app-server process of its own. */
  constructor(slots: WorkerSlots, gate: StartGate, processPerWorker: boolean) {
    this.#slots = slots;
    this.#gate = gate;
    this.#processPerWorker = processPerWorker;
  }

  /**
   * On the worker that has a spare thread of these settings, else on the least busy one. `mayOpen`: whether a turn without a spare
   * may begin, which opens a connection to the backend.
   */
  find(
    spares: SpareThreads,
    wanted: WantedThread,
    mayOpen: () => boolean,
  ): Omit<Place, "thread" | "loaded"> | null {
    const accepts = (slot: WorkerSlot) => this.#hasRoom(slot);
    const leastBusy = this.#slots.leastBusy(accepts);
    if (leastBusy === null) return null;
    const user = { ...wanted, accepts };
    if (!spares.hasFor(user) && !mayOpen()) return null;
    const spare = spares.take(user);
    const slot = spare?.slot ?? leastBusy;
    return { slot, spare, gatePlace: this.#enterGate(slot) };
  }

  /** For a thread that is started ahead of need. */
  findForSpare(): SparePlace | null {
    const slot = this.#slots.leastBusy((candidate) => this.#hasRoom(candidate));
    return slot === null ? null : { slot, gatePlace: this.#enterGate(slot) };
  }

  /** Where the thread is. Throws when that is gone for good. */
  findOn(loaded: LoadedThread, thread: ThreadSettings): Place | null {
    const { slot } = loaded;
    if (!isAlive(loaded)) {
      throw new CodexNativeApiError(
        "native_runtime_unavailable",
        "The native thread is not loaded any more.",
      );
    }
    if (!this.#hasRoom(slot)) return null;
    return { slot, thread, spare: null, loaded, gatePlace: this.#enterGate(slot) };
  }

  /** What broke one turn may have broken all workers of the process, and not all of them have noticed yet: each has to prove itself. */
  markSuspects(broken: WorkerSlot): void {
    const key = this.#processKey(broken);
    for (const slot of this.#slots.all()) {
      if (slot === broken || this.#processKey(slot) === key) slot.markSuspect();
    }
  }

  #hasRoom(slot: WorkerSlot): boolean {
    return slot.ready && this.#gate.hasRoom(this.#processKey(slot));
  }

  #enterGate(slot: WorkerSlot): GatePlace {
    return this.#gate.enter(this.#processKey(slot));
  }

  #processKey(slot: WorkerSlot): string {
    return this.#processPerWorker ? slot.id : String(slot.appServerGeneration);
  }
}
