/** The service's usage rows, summed by one of their keys. */
import type { UsageRow } from "../wire.js";

export const usageKeys = ["caller", "model", "route", "task_class", "hour"] as const;
export type UsageKey = (typeof usageKeys)[number];

export interface UsageSum {
  readonly requests: number;
  readonly failed: number;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface UsageGroup extends UsageSum {
  /** Null: requests without one, such as those of no named token. */
  readonly key: string | null;
}

const nothing: UsageSum = { requests: 0, failed: 0, input: 0, cached: 0, output: 0, reasoning: 0 };

export function sumUsage(rows: readonly UsageRow[]): UsageSum {
  return rows.reduce(
    (sum, row) => ({
      requests: sum.requests + row.requests,
      failed: sum.failed + row.failed,
      input: sum.input + row.input_tokens,
      cached: sum.cached + row.cached_input_tokens,
      output: sum.output + row.output_tokens,
      reasoning: sum.reasoning + row.reasoning_output_tokens,
    }),
    nothing,
  );
}

/** Hours in their order, newest first; else the most tokens first. */
export function groupUsage(rows: readonly UsageRow[], key: UsageKey): readonly UsageGroup[] {
  const groups = new Map<string | null, UsageRow[]>();
  for (const row of rows) {
    const value = key === "hour" ? (row.hour_ms?.toString() ?? null) : row[key];
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  }
  const sums = [...groups].map(([value, members]) => ({ key: value, ...sumUsage(members) }));
  if (key === "hour") return sums.sort((left, right) => Number(right.key) - Number(left.key));
  return sums.sort(
    (left, right) => right.input + right.output - left.input - left.output || right.requests - left.requests,
  );
}

/** Tokens in each hour from the first to the last, hours without any included, at most so many. */
export function usageByHour(rows: readonly UsageRow[], nowMs: number, mostHours: number) {
  const hourMs = 3_600_000;
  const lastMs = Math.floor(nowMs / hourMs) * hourMs;
  const firstMs = Math.min(lastMs - 11 * hourMs, ...rows.flatMap(({ hour_ms }) => hour_ms ?? []));
  const fromMs = Math.max(firstMs, lastMs - (mostHours - 1) * hourMs);
  const count = Math.round((lastMs - fromMs) / hourMs) + 1;
  const sums = Array.from({ length: count }, (_, index) =>
    sumUsage(rows.filter(({ hour_ms }) => hour_ms === fromMs + index * hourMs)),
  );
  return { span: { fromMs, bucketMs: hourMs, count }, sums };
}
