import { type Spread, spreadOf } from "../measure/statistics.js";

/** What is to be reached. */
export interface Target {
  readonly direction: "at most" | "at least";
  readonly value: number;
}

/** One line of the report. */
export interface Figure {
  readonly what: string;
  /** `x` for a ratio. */
  readonly unit:
    | "x"
    | "%"
    | "s"
    | "ms"
    | "MB"
    | "KB"
    | "bytes"
    | "tokens"
    | "items"
    | "turns/s"
    | "deltas/s"
    | "";
  readonly spread: Spread;
  /** Null: for information. */
  readonly target: Target | null;
}

export type Verdict = "reached" | "missed" | "not measured";

/** By the median; null where there is no target. */
export function judge({ spread, target }: Figure): Verdict | null {
  if (target === null) return null;
  if (!Number.isFinite(spread.median)) return "not measured";
  const isReached =
    target.direction === "at most" ? spread.median <= target.value : spread.median >= target.value;
  return isReached ? "reached" : "missed";
}

export function atMost(value: number): Target {
  return { direction: "at most", value };
}

export function atLeast(value: number): Target {
  return { direction: "at least", value };
}

/** A figure of a single measurement. */
export function single(
  what: string,
  unit: Figure["unit"],
  value: number | null | undefined,
  target: Target | null = null,
): Figure {
  return { what, unit, spread: spreadOf([value ?? Number.NaN]), target };
}
