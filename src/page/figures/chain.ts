/** The requests of one conversation, by the response that each continued: a line, which parts where several continued the same one. */
import type { Entry } from "../wire.js";

export interface Branch {
  /** Each continued the one before. */
  readonly entries: readonly Entry[];
  /** What continued the last of them, if it was several. */
  readonly branches: readonly Branch[];
}

export interface Chain {
  readonly trunk: Branch;
  /** A response that the first of them continued and that no known request made. */
  readonly earlierResponseId: string | null;
  readonly count: number;
  /** There are more than are shown. */
  readonly isCut: boolean;
}

const mostShown = 200;

/** Null: it continued nothing, and nothing continued it. */
export function chainOf(entry: Entry, known: readonly Entry[]): Chain | null {
  const all = new Map([entry, ...known].map((one) => [one.id, one]));
  const makers = new Map<string, Entry>();
  const followers = new Map<string, Entry[]>();
  for (const one of all.values()) {
    if (one.response_id !== null) makers.set(one.response_id, one);
    if (one.previous_response_id === null) continue;
    const siblings = followers.get(one.previous_response_id);
    if (siblings === undefined) followers.set(one.previous_response_id, [one]);
    else siblings.push(one);
  }
  const root = rootOf(entry, makers);
  const walk = new ChainWalk(followers);
  const trunk = walk.branchFrom(root);
  if (walk.count === 1 && root.previous_response_id === null) return null;
  return {
    trunk,
    earlierResponseId: root.previous_response_id,
    count: walk.count,
    isCut: walk.isCut,
  };
}

/** A circle, which no service makes, ends where it began. */
function rootOf(entry: Entry, makers: ReadonlyMap<string, Entry>): Entry {
  const seen = new Set<string>();
  let root = entry;
  while (root.previous_response_id !== null && !seen.has(root.id)) {
    seen.add(root.id);
    const before = makers.get(root.previous_response_id);
    if (before === undefined) break;
    root = before;
  }
  return root;
}

class ChainWalk {
  readonly #followers: ReadonlyMap<string, readonly Entry[]>;
  readonly #seen = new Set<string>();
  isCut = false;

  constructor(followers: ReadonlyMap<string, readonly Entry[]>) {
    this.#followers = followers;
  }

  get count(): number {
    return this.#seen.size;
  }

  branchFrom(first: Entry): Branch {
    const entries: Entry[] = [];
    let next: readonly Entry[] = [first];
    while (next.length === 1 && next[0] !== undefined) {
      const [entry] = next;
      this.#seen.add(entry.id);
      entries.push(entry);
      next = this.#followersOf(entry);
    }
    const branches: Branch[] = [];
    for (const entry of next) {
      // One that was met meanwhile closes a circle.
      if (!this.#seen.has(entry.id) && this.#hasRoom()) branches.push(this.branchFrom(entry));
    }
    return { entries, branches };
  }

  #followersOf({ response_id: responseId }: Entry): readonly Entry[] {
    if (responseId === null) return [];
    const unseen = (this.#followers.get(responseId) ?? []).filter(({ id }) => !this.#seen.has(id));
    if (unseen.length === 0 || !this.#hasRoom()) return [];
    return unseen.sort((left, right) => left.started_at_ms - right.started_at_ms);
  }

  #hasRoom(): boolean {
    if (this.#seen.size < mostShown) return true;
    this.isCut = true;
    return false;
  }
}
