/** What a process holds on to, by kind: a difference after the end is a leak. */
const kindOf: readonly [kind: string, pattern: RegExp][] = [
  ["sockets", /^(?:TCP|Pipe|TLS)(?:Socket|Connect)?Wrap$/],
  ["servers", /ServerWrap$/],
  ["timers", /^Timeout$/],
  ["threads", /^(?:Worker|MessagePort)$/],
  // Node's own: what is written or closed at this moment.
  ["", /^(?:Immediate|TTYWrap|.*Req.*|CloseReq)$/],
];

export interface Leaks {
  readonly kinds: ReadonlyMap<string, number>;
  readonly total: number;
}

export class Resources {
  readonly #counts: ReadonlyMap<string, number>;

  private constructor(counts: ReadonlyMap<string, number>) {
    this.#counts = counts;
  }

  static count(): Resources {
    const counts = new Map<string, number>([
      ["sockets", 0],
      ["servers", 0],
      ["timers", 0],
      ["threads", 0],
      ["other", 0],
      ["listeners", countListeners()],
    ]);
    for (const name of process.getActiveResourcesInfo()) {
      const kind = kindOf.find(([, pattern]) => pattern.test(name))?.[0] ?? "other";
      if (kind !== "") counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return new Resources(counts);
  }

  /** What there is now and was not then. */
  leaked(): Leaks {
    const kinds = new Map<string, number>();
    let total = 0;
    for (const [kind, number] of Resources.count().#counts) {
      const more = Math.max(0, number - (this.#counts.get(kind) ?? 0));
      kinds.set(kind, more);
      total += more;
    }
    return { kinds, total };
  }
}

/** On the process itself: signals, exits, warnings. */
function countListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}
