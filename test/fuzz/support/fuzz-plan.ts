/** How much is tried, from which seed, and what counts as growth. */
import type { Test } from "tap";

export { measureHeap } from "../../support/measure-heap.js";

export interface FuzzPlan {
  readonly seed: number;
  readonly runs: number;
}

/** Fixed, so that a run that failed elsewhere fails here; FUZZ_SEED and FUZZ_RUNS look further. */
const defaultSeed = 20_260_101;
/**
 * Of what `npm run test:fuzz` tries, every other test run tries this share: what is tried is the same each time, and it is the longest
 * of all tests.
 */
const usualShare = 0.25;
/** Tests of fewer runs than this are always run whole. */
const fewRuns = 500;

/** The share of a test in all that is tried. A failure prints its seed and the smallest input that shows it. */
export function planFuzz(t: Pick<Test, "comment">, defaultRuns: number): FuzzPlan {
  const seed = readInteger("FUZZ_SEED") ?? defaultSeed;
  const share = process.env.FUZZ_WHOLE === "1" || defaultRuns < fewRuns ? 1 : usualShare;
  const runs = readInteger("FUZZ_RUNS") ?? Math.ceil(defaultRuns * share);
  t.comment(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}`);
  return { seed, runs };
}

function readInteger(name: string): number | null {
  const value = process.env[name];
  return value === undefined || value === "" ? null : Number.parseInt(value, 10);
}
