/** Usage by token, model, route, task class and hour, within bounds. */
import type { RequestEntry, RequestViewer, UsageReport, UsageRow } from "./types.js";

export interface UsageBounds {
  /** Rows in all, those that stand for others not counted. */
  readonly maxRows: number;
  /** Rows of one caller, so that none takes the room of the others. */
  readonly maxRowsPerCaller: number;
  /** Callers that have rows of their own; one more is counted as `(other)`. */
  readonly maxCallers: number;
  /** Hours that are told apart; what is older is merged. */
  readonly hours: number;
}

export const usageBounds: UsageBounds = {
  maxRows: 10_000,
  maxRowsPerCaller: 2_000,
  maxCallers: 256,
  hours: 7 * 24,
};

/** Stands for what has no row of its own. */
const other = "other";
/** No token can have this name, and so see what others used. */
const otherCallers = "(other)";
const hourMs = 60 * 60 * 1000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Row = Mutable<UsageRow>;
type Place = Pick<UsageRow, "caller" | "model" | "route" | "taskClass" | "hourMs">;

interface CallerTotals {
  /** Rows of an hour each, and of all hours that are too old for one. */
  rows: number;
  merged: number;
}

/** Constant time for each request; once an hour, one step for each row. */
export class UsageTotals {
  readonly #bounds: UsageBounds;
  readonly #wallClock: () => number;
  readonly #sinceMs: number;
  readonly #rows = new Map<string, Row>();
  readonly #callers = new Map<string | null, CallerTotals>();
  /** Rows that stand for others, which are no part of the bounds: one for each caller. */
  #rest = 0;
  #mergedUpToMs = 0;

  constructor(wallClock: () => number, bounds: UsageBounds = usageBounds) {
    this.#wallClock = wallClock;
    this.#bounds = bounds;
    this.#sinceMs = wallClock();
  }

  /** Counts a request that has ended. */
  add(entry: RequestEntry): void {
    const hour = Math.floor(this.#wallClock() / hourMs) * hourMs;
    this.#mergeOlder(hour - this.#bounds.hours * hourMs);
    const { model, route, taskClass, usage } = entry;
    const row = this.#rowFor({
      caller: this.#callerFor(entry.caller),
      model,
      route,
      taskClass,
      hourMs: hour,
    });
    row.requests += 1;
    if (entry.outcome === "failed") row.failed += 1;
    if (usage === null) return;
    row.inputTokens += toCount(usage.inputTokens);
    row.cachedInputTokens += toCount(usage.cachedInputTokens);
    row.outputTokens += toCount(usage.outputTokens);
    row.reasoningOutputTokens += toCount(usage.reasoningOutputTokens);
  }

  /** Latest hours first. */
  report(viewer: RequestViewer): UsageReport {
    const isSeen = ({ caller }: Pick<UsageRow, "caller">) => viewer === null || caller === viewer;
    const rows = [...this.#rows.values()].filter(isSeen).map((row) => ({ ...row }));
    rows.sort((one, two) => (two.hourMs ?? 0) - (one.hourMs ?? 0));
    let merged = 0;
    for (const [caller, totals] of this.#callers) if (isSeen({ caller })) merged += totals.merged;
    return { sinceMs: this.#sinceMs, rows, merged };
  }

  #callerFor(caller: string | null): string | null {
    if (this.#callers.has(caller)) return caller;
    const known = this.#callers.size < this.#bounds.maxCallers ? caller : otherCallers;
    if (!this.#callers.has(known)) this.#callers.set(known, { rows: 0, merged: 0 });
    return known;
  }

  /** The row of a place; where there is no room for it, that of its caller's rest. */
  #rowFor(place: Place): Row {
    const { maxRows, maxRowsPerCaller } = this.#bounds;
    const key = keyOf(place);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const totals = this.#callers.get(place.caller) ?? { rows: 0, merged: 0 };
    if (this.#rows.size - this.#rest < maxRows && totals.rows < maxRowsPerCaller) {
      totals.rows += 1;
      return this.#open(key, place);
    }
    totals.merged += 1;
    const rest = { caller: place.caller, model: other, route: other, taskClass: other, hourMs: null };
    const restKey = `rest ${keyOf(rest)}`;
    const found = this.#rows.get(restKey);
    if (found !== undefined) return found;
    this.#rest += 1;
    return this.#open(restKey, rest);
  }

  #open(key: string, place: Place): Row {
    const row: Row = {
      ...place,
      requests: 0,
      failed: 0,
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningOutputTokens: 0,
    };
    this.#rows.set(key, row);
    return row;
  }

  /** Rows of hours before this one lose their hour. A wall clock that jumps back merges nothing. */
  #mergeOlder(beforeMs: number): void {
    if (beforeMs <= this.#mergedUpToMs) return;
    this.#mergedUpToMs = beforeMs;
    for (const [key, row] of this.#rows) {
      if (row.hourMs === null || row.hourMs >= beforeMs) continue;
      this.#rows.delete(key);
      const totals = this.#callers.get(row.caller);
      if (totals !== undefined) {
        totals.rows -= 1;
        totals.merged += 1;
      }
      addTo(this.#rowFor({ ...row, hourMs: null }), row);
    }
  }
}

function addTo(sum: Row, more: UsageRow): void {
  sum.requests += more.requests;
  sum.failed += more.failed;
  sum.inputTokens += more.inputTokens;
  sum.cachedInputTokens += more.cachedInputTokens;
  sum.outputTokens += more.outputTokens;
  sum.reasoningOutputTokens += more.reasoningOutputTokens;
}

function keyOf({ caller, model, route, taskClass, hourMs: hour }: Place): string {
  return JSON.stringify([caller, model, route, taskClass, hour]);
}

/** A backend may report anything; a sum must stay a number. */
function toCount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
