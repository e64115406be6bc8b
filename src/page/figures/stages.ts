/** Where the time of a request went, from its timings: each stage ends where the next begins, so together they are the whole. */
import type { Entry, Timings } from "../wire.js";

/**
 * `prepare`: reading and checking the request. `queue`: waiting for a place. `thread`: until a native thread was ready. `start`: until
 * Codex had started the turn. `model`: until the first output. `output`: until the last. `finish`: until the answer was sent.
 */
export const stages = ["prepare", "queue", "thread", "start", "model", "output", "finish"] as const;
export type Stage = (typeof stages)[number];

const stageEnds: Readonly<Record<Stage, keyof Timings>> = {
  prepare: "prepared_ms",
  queue: "admitted_ms",
  thread: "thread_ready_ms",
  start: "turn_started_ms",
  model: "first_output_ms",
  output: "output_ended_ms",
  finish: "ended_ms",
};

/** Durations in milliseconds. A stage that was not reached has none, and its time counts to the next that was. */
export function stageTimes(timings: Timings): Readonly<Record<Stage, number>> {
  const times = { prepare: 0, queue: 0, thread: 0, start: 0, model: 0, output: 0, finish: 0 };
  let reachedMs = 0;
  for (const stage of stages) {
    const endMs = timings[stageEnds[stage]];
    if (endMs === null) continue;
    times[stage] = Math.max(0, endMs - reachedMs);
    reachedMs = Math.max(reachedMs, endMs);
  }
  return times;
}

/** The stage that a request is in. */
export function currentStage(timings: Timings): Stage {
  let current: Stage = "prepare";
  for (const [index, stage] of stages.entries()) {
    if (timings[stageEnds[stage]] !== null) current = stages[index + 1] ?? "finish";
  }
  return current;
}

export interface StageMeans {
  readonly count: number;
  readonly totalMs: number;
  readonly times: Readonly<Record<Stage, number>>;
}

/** Means, since they add up to the mean of the whole, which medians do not. */
export function meanStages(entries: readonly Entry[]): StageMeans | null {
  const whole = entries.filter(
    ({ timings }) => timings.ended_ms !== null && timings.turn_started_ms !== null,
  );
  if (whole.length === 0) return null;
  const times = { prepare: 0, queue: 0, thread: 0, start: 0, model: 0, output: 0, finish: 0 };
  let totalMs = 0;
  for (const { timings } of whole) {
    const own = stageTimes(timings);
    for (const stage of stages) {
      times[stage] += own[stage] / whole.length;
      totalMs += own[stage] / whole.length;
    }
  }
  return { count: whole.length, totalMs, times };
}
