import type { ThreadSettings } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import type { GatePlace, StartGate } from "./admission/start-gate.js";
import { isAlive, type LoadedThread } from "./native-threads.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { WorkerSlots } from "./pool/worker-slots.js";
import type { SparePlace, SpareThread, SpareThreads, WantedThread } from "./spare-threads.js";

/** Where a turn runs: a worker, and a place among those that its app-server is starting. */
export interface Place {
  readonly slot: WorkerSlot;
  /** Of the turn, or of the thread that it goes on on. */
  readonly thread: ThreadSettings;
  readonly gatePlace: GatePlace;
  /** A thread of that worker's which nobody else gets. */
  readonly spare: SpareThread | null;
  /** The spare has all settings of the turn but its instructions. */
  readonly lacksInstructions: boolean;
}

export interface TurnPlacesOptions {
  readonly slots: WorkerSlots;
  readonly gate: StartGate;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
}

export const noSpare = { spare: null, lacksInstructions: false } as const;

/** Finds the place that a turn can start in now, or none. */
export class TurnPlaces {
  readonly #slots: WorkerSlots;
  readonly #gate: StartGate;
  readonly #processPerWorker: boolean;

  constructor({ slots, gate, processPerWorker }: TurnPlacesOptions) {
    this.#slots = slots;
    this.#gate = gate;
    this.#processPerWorker = processPerWorker;
  }

  /**
   * On the worker that has a spare thread of these settings, else on the least busy one. `mayOpen`: whether a turn without a spare
   * may begin, which opens a connection to the backend.
   */
  find(spares: SpareThreads, wanted: WantedThread, mayOpen: () => boolean): Omit<Place, "thread"> | null {
    const accepts = (slot: WorkerSlot) => this.#hasRoom(slot);
    const leastBusy = this.#slots.leastBusy(accepts);
    if (leastBusy === null) return null;
    const user = { ...wanted, accepts };
    if (!spares.hasFor(user) && !mayOpen()) return null;
    const { spare, lacksInstructions } = spares.take(user);
    const slot = spare?.slot ?? leastBusy;
    return { slot, spare, lacksInstructions, gatePlace: this.#enterGate(slot) };
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
    return this.#hasRoom(slot) ? { slot, thread, ...noSpare, gatePlace: this.#enterGate(slot) } : null;
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
