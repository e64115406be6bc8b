/** One turn's place in the start gate. */
export interface GatePlace {
  /** Gives the place back, once, however often it is called. */
  leave(): void;
  /**
   * Codex leaves a call of this turn unanswered while it answers others. The first time, another turn may start beside it; the
   * second time, the place is given back.
   */
  noteOverdue(): void;
}

/** Overdue turns that may stand beside the gate, for each place in it: on a machine that is merely slow all turns look overdue. */
const overduePerPlace = 8;

interface Starting {
  inTime: number;
  overdue: number;
}

/**
 * Bounds the turns between "sent to the app-server" and "started" on one process: a burst of starts makes Codex drop
 * notifications, with eight at a time 1,000 turns lose nothing. A turn that Codex leaves unanswered is part of no burst, so
 * it does not keep others out.
 */
export class StartGate {
  readonly #limit: number;
  readonly #starting = new Map<string, Starting>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  hasRoom(processKey: string): boolean {
    const { inTime, overdue } = this.#starting.get(processKey) ?? { inTime: 0, overdue: 0 };
    return inTime + Math.max(0, overdue - overduePerPlace * this.#limit) < this.#limit;
  }

  enter(processKey: string): GatePlace {
    const starting = this.#starting.get(processKey) ?? { inTime: 0, overdue: 0 };
    this.#starting.set(processKey, starting);
    starting.inTime += 1;
    let standing: keyof Starting | null = "inTime";
    const move = (to: keyof Starting | null): void => {
      if (standing === null) return;
      starting[standing] -= 1;
      if (to !== null) starting[to] += 1;
      standing = to;
      const isEmpty = starting.inTime + starting.overdue === 0;
      if (isEmpty && this.#starting.get(processKey) === starting) this.#starting.delete(processKey);
    };
    return {
      leave: () => move(null),
      noteOverdue: () => move(standing === "inTime" ? "overdue" : null),
    };
  }
}
