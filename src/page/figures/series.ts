/** Figures over time: the span in equal buckets, whose edges stay where they are as time goes on. */
import type { Entry } from "../wire.js";
import { spreadOf } from "./quantiles.js";
import { endedAt, groupBy, sum } from "./summary.js";

export interface Span {
  readonly fromMs: number;
  readonly bucketMs: number;
  readonly count: number;
}

export interface Series {
  /** What the legend says; several may be of one group. */
  readonly group: string;
  readonly name: string;
  /** One for each bucket; null: nothing happened. */
  readonly values: readonly (number | null)[];
  /** Which of the page's colours, from 1. */
  readonly color: number;
  readonly isDashed?: boolean;
}

const bucketCount = 24;

/** The last so many milliseconds, the bucket that has just begun included. */
export function spanUntil(nowMs: number, lengthMs: number): Span {
  const bucketMs = lengthMs / bucketCount;
  const endMs = (Math.floor(nowMs / bucketMs) + 1) * bucketMs;
  return { fromMs: endMs - bucketCount * bucketMs, bucketMs, count: bucketCount };
}

/** The middle of each bucket, in seconds since the epoch. */
export function timesOf({ fromMs, bucketMs, count }: Span): readonly number[] {
  return Array.from({ length: count }, (_, index) => (fromMs + (index + 0.5) * bucketMs) / 1_000);
}

function bucketsOf(entries: readonly Entry[], span: Span): readonly (readonly Entry[])[] {
  const buckets = Array.from({ length: span.count }, (): Entry[] => []);
  for (const entry of entries) {
    const atMs = endedAt(entry);
    if (atMs !== null) buckets[Math.floor((atMs - span.fromMs) / span.bucketMs)]?.push(entry);
  }
  return buckets;
}

/** For each group the median and the 95th percentile of what each entry has, such as its time to the first word. */
export function quantileSeries(
  entries: readonly Entry[],
  span: Span,
  {
    groupOf,
    measure,
    colorOf,
  }: {
    readonly groupOf: (entry: Entry) => string;
    readonly measure: (entry: Entry) => number | null;
    readonly colorOf: (group: string) => number;
  },
): readonly Series[] {
  const measured = entries.filter((entry) => measure(entry) !== null);
  return [...groupBy(measured, groupOf)].sort(byCount).flatMap(([group, members]) => {
    const spreads = bucketsOf(members, span).map((bucket) =>
      spreadOf(bucket.flatMap((entry) => measure(entry) ?? [])),
    );
    const color = colorOf(group);
    return [
      { group, name: `${group} p50`, values: spreads.map(({ p50 }) => p50), color },
      { group, name: `${group} p95`, values: spreads.map(({ p95 }) => p95), color, isDashed: true },
    ];
  });
}

/** The largest groups by name, and the rest as one. */
export function tokenSeries(
  entries: readonly Entry[],
  span: Span,
  {
    groupOf,
    restName,
    mostGroups,
  }: {
    readonly groupOf: (entry: Entry) => string;
    readonly restName: string;
    readonly mostGroups: number;
  },
): readonly Series[] {
  const tokensOf = (members: readonly Entry[]) => sum(members, ({ usage }) => usage?.total_tokens ?? 0);
  const groups = [
    ...groupBy(
      entries.filter(({ usage }) => usage !== null),
      groupOf,
    ),
  ].sort(([, left], [, right]) => tokensOf(right) - tokensOf(left));
  const shown = groups.slice(0, mostGroups);
  const rest = groups.slice(mostGroups).flatMap(([, members]) => members);
  if (rest.length > 0) shown.push([restName, rest]);
  const minutes = span.bucketMs / 60_000;
  return shown.map(([name, members], index) => ({
    name,
    group: name,
    values: bucketsOf(members, span).map((bucket) => tokensOf(bucket) / minutes),
    color: index + 1,
  }));
}

type Group = readonly [string, readonly Entry[]];

function byCount([, left]: Group, [, right]: Group): number {
  return right.length - left.length;
}
