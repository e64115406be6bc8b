import type { ScenarioContext } from "../scenarios/scenario.js";

type RoundsContext = Pick<ScenarioContext, "signal" | "timeLeftMs">;

/**
 * Measures each of `things` once a round, in turn, every other round backwards: what one leaves behind for the next falls on
 * all of them alike. A round is complete or does not count. At least one is run; further ones only while there is time.
 */
export async function alternate<T, R>(
  things: readonly T[],
  rounds: number,
  context: RoundsContext,
  measure: (thing: T) => Promise<R>,
): Promise<readonly (readonly R[])[]> {
  const complete: (readonly R[])[] = [];
  let longestMs = 0;
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && context.timeLeftMs() < longestMs) break;
    const startMs = performance.now();
    const order = things.map((_, index) => index);
    if (round % 2 === 1) order.reverse();
    const results = new Map<number, R>();
    for (const index of order) {
      context.signal.throwIfAborted();
      const thing = things[index];
      if (thing !== undefined) results.set(index, await measure(thing));
    }
    complete.push([...results].sort(([a], [b]) => a - b).map(([, result]) => result));
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
  return complete;
}

/** The values of one thing over all rounds. */
export function ofThing<R>(rounds: readonly (readonly R[])[], index: number): readonly R[] {
  return rounds.flatMap((round) => {
    const result = round[index];
    return result === undefined ? [] : [result];
  });
}
