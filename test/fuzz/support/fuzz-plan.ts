/** How much is tried, from which seed, and what counts as growth. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Test } from "tap";

export interface FuzzPlan {
  readonly seed: number;
  readonly runs: number;
}

/** Fixed, so that a run that failed elsewhere fails here; FUZZ_SEED and FUZZ_RUNS look further. */
const defaultSeed = 20_260_101;

/** The share of a test in all that is tried. A failure prints its seed and the smallest input that shows it. */
export function planFuzz(t: Pick<Test, "comment">, defaultRuns: number): FuzzPlan {
  const seed = readInteger("FUZZ_SEED") ?? defaultSeed;
  const runs = readInteger("FUZZ_RUNS") ?? defaultRuns;
  t.comment(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}`);
  return { seed, runs };
}

function readInteger(name: string): number | null {
  const value = process.env[name];
  return value === undefined || value === "" ? null : Number.parseInt(value, 10);
}

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

/** Bytes that are in use once all that can be freed was. */
export async function measureHeap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    // What was freed may hold on to what finalizers and closed sockets free next.
    await new Promise((resolve) => setImmediate(resolve));
    if (typeof collectGarbage === "function") collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
