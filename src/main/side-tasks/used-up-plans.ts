import { LRUCache } from "lru-cache";
import type { SideTaskRouteName } from "./types.js";

interface UsedUpPlansOptions {
  /** How long a plan counts as used up at least and at most, whatever the route says, in milliseconds. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

interface UsedUp {
  readonly untilMs: number;
  /** It has a circuit of its own for it. */
  readonly shownBy: SideTaskRouteName;
}

/** Accounts that are remembered; the least recently used is forgotten. */
const maxAccounts = 16;

/** Which accounts have no usage left, so that a second route to the same account is not asked in vain. */
export class UsedUpPlans {
  readonly #options: UsedUpPlansOptions;
  /** The account that each route showed last. */
  readonly #accounts = new Map<SideTaskRouteName, string>();
  /** By account. */
  readonly #usedUp = new LRUCache<string, UsedUp>({ max: maxAccounts });

  constructor(options: UsedUpPlansOptions) {
    this.#options = options;
  }

  /**
   * Whether another route showed that the route's plan is used up.
   *
   * @param accountId as the route knows it now; null: as its last answer said.
   */
  isUsedUp(route: SideTaskRouteName, accountId: string | null): boolean {
    const known = this.#accountOf(route, accountId);
    const entry = known === null ? undefined : this.#usedUp.get(known);
    return entry !== undefined && entry.shownBy !== route && entry.untilMs > this.#options.now();
  }

  noteUsedUp(route: SideTaskRouteName, accountId: string | null, waitMs: number | null): void {
    const known = this.#accountOf(route, accountId);
    if (known === null) return;
    const { minMs, maxMs, now } = this.#options;
    const untilMs = now() + Math.min(Math.max(minMs, waitMs ?? 0), maxMs);
    this.#usedUp.set(known, { untilMs, shownBy: route });
  }

  noteServed(route: SideTaskRouteName, accountId: string | null): void {
    if (accountId === null) {
      this.#accounts.delete(route);
      return;
    }
    this.#accounts.set(route, accountId);
    this.#usedUp.delete(accountId);
  }

  #accountOf(route: SideTaskRouteName, accountId: string | null): string | null {
    return accountId ?? this.#accounts.get(route) ?? null;
  }
}
