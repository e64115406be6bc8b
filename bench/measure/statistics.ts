/** Order statistics. Plain functions of numbers, so that a test can check them by hand. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** The value below which the share `q` of all lies, between neighbours by straight line; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, q));
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    min: quantile(values, 0),
    max: quantile(values, 1),
    count: values.length,
  };
}

/**
 * What one contestant took of what another took, round by round. Two values of one round were measured within seconds of
 * each other, so what else the machine did weighs on both; over all rounds only the ratios are compared.
 */
export function ratioSpread(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length) throw new Error("a ratio needs both sides of every round");
  return spreadOf(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

export function differenceSpread(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length) throw new Error("a difference needs both sides of every round");
  return spreadOf(ours.map((value, round) => value - (theirs[round] ?? Number.NaN)));
}
