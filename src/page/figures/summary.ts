/** The figures of the requests that ended within a span of time. */
import type { Entry } from "../wire.js";
import { type Spread, spreadOf } from "./quantiles.js";
import { meanStages, type StageMeans } from "./stages.js";

export interface ThreadShare {
  readonly kind: string;
  readonly count: number;
  readonly firstWord: Spread;
}

export interface Summary {
  readonly spanMs: number;
  readonly ended: number;
  readonly failed: number;
  readonly firstWord: Spread;
  readonly turn: Spread;
  readonly tokens: number;
  readonly tokensPerMinute: number;
  /** Part of the input tokens that came from the cache; null without input. */
  readonly cacheShare: number | null;
  readonly errors: readonly { readonly code: string; readonly count: number }[];
  readonly threads: readonly ThreadShare[];
  /** Requests that needed more than one attempt. */
  readonly retried: number;
  readonly stages: StageMeans | null;
}

/** When it ended; null while it runs. */
export function endedAt({ state, started_at_ms, timings }: Entry): number | null {
  return state === "ended" ? started_at_ms + (timings.ended_ms ?? 0) : null;
}

export function endedSince(entries: readonly Entry[], sinceMs: number): readonly Entry[] {
  return entries.filter((entry) => (endedAt(entry) ?? Number.NEGATIVE_INFINITY) >= sinceMs);
}

/** A failed request has an error. What its caller cancelled or left has none, or an outcome that says so. */
export function hasFailed({ outcome, error }: Entry): boolean {
  return outcome === "failed" || (outcome === null && error !== null);
}

/** @param entries that ended within the span */
export function summarize(entries: readonly Entry[], spanMs: number): Summary {
  const answered = entries.filter(({ thread, usage }) => thread !== null || usage !== null);
  const input = sum(entries, ({ usage }) => usage?.input_tokens ?? 0);
  const tokens = sum(entries, ({ usage }) => usage?.total_tokens ?? 0);
  return {
    spanMs,
    ended: entries.length,
    failed: entries.filter(hasFailed).length,
    firstWord: spreadOf(entries.flatMap(({ timings }) => timings.first_output_ms ?? [])),
    turn: spreadOf(answered.flatMap(({ timings }) => timings.ended_ms ?? [])),
    tokens,
    tokensPerMinute: spanMs === 0 ? 0 : tokens / (spanMs / 60_000),
    cacheShare: input === 0 ? null : sum(entries, ({ usage }) => usage?.cached_input_tokens ?? 0) / input,
    errors: countErrors(entries),
    threads: countThreads(entries),
    retried: entries.filter(({ attempts }) => attempts > 1).length,
    stages: meanStages(entries),
  };
}

function countErrors(entries: readonly Entry[]): Summary["errors"] {
  const groups = groupBy(entries, ({ error }) => error?.code ?? null);
  return [...groups]
    .map(([code, { length: count }]) => ({ code, count }))
    .sort((left, right) => right.count - left.count);
}

/** The fastest way first, as the service prefers them. */
const threadOrder = ["spare", "loaded", "parked", "new"];

function countThreads(entries: readonly Entry[]): readonly ThreadShare[] {
  const groups = groupBy(entries, ({ thread }) => thread?.kind ?? null);
  const rank = (kind: string) =>
    threadOrder.includes(kind) ? threadOrder.indexOf(kind) : threadOrder.length;
  return [...groups]
    .map(([kind, members]) => ({
      kind,
      count: members.length,
      firstWord: spreadOf(members.flatMap(({ timings }) => timings.first_output_ms ?? [])),
    }))
    .sort((left, right) => rank(left.kind) - rank(right.kind));
}

/** In the order of first appearance. Members whose key is null are left out. */
export function groupBy<T>(
  members: readonly T[],
  keyOf: (member: T) => string | null,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const member of members) {
    const key = keyOf(member);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}

export function sum<T>(members: readonly T[], measure: (member: T) => number): number {
  return members.reduce((total, member) => total + measure(member), 0);
}
