import type { LoadResult } from "../measure/load.js";
import { spreadOf } from "../measure/statistics.js";
import type { Figure } from "./figure.js";

/** Of the process that `read` is about; none where its CPU could not be measured. */
export function cpuPerTurn(
  what: string,
  results: readonly LoadResult[],
  read: (result: LoadResult) => number | null,
): readonly Figure[] {
  const values = results.flatMap((result) => {
    const ms = read(result);
    return ms === null ? [] : [ms / Math.max(1, result.completed)];
  });
  return values.length === 0 ? [] : [{ what, unit: "ms", spread: spreadOf(values), target: null }];
}
