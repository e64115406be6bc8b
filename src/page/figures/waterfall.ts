/** One request's stages on a line of time. */
import type { Timings } from "../wire.js";
import { currentStage, type Stage, stages } from "./stages.js";

export interface WaterfallPart {
  readonly stage: Stage;
  readonly fromMs: number;
  readonly toMs: number;
  /** It goes on. */
  readonly isOpen: boolean;
  /** The request ended before this stage did. */
  readonly isBroken: boolean;
}

export interface Waterfall {
  /** Those that were reached, each from the end of the one before. */
  readonly parts: readonly WaterfallPart[];
  /** What the line shows in all; more than 0. */
  readonly totalMs: number;
  /** Where rules stand, from 0 on. */
  readonly rulesMs: readonly number[];
}

const ends: Readonly<Record<Stage, keyof Timings>> = {
  prepare: "prepared_ms",
  queue: "admitted_ms",
  thread: "thread_ready_ms",
  start: "turn_started_ms",
  model: "first_output_ms",
  output: "output_ended_ms",
  finish: "ended_ms",
};

/** @param elapsedMs since its start, of a request that goes on; null of one that ended */
export function waterfallOf(timings: Timings, elapsedMs: number | null): Waterfall {
  const parts: WaterfallPart[] = [];
  let reachedMs = 0;
  for (const stage of stages) {
    const endMs = timings[ends[stage]];
    if (endMs === null) continue;
    const toMs = Math.max(reachedMs, endMs);
    const broken = stage === "finish" ? stageAtEnd(timings) : null;
    parts.push({ stage: broken ?? stage, fromMs: reachedMs, toMs, isOpen: false, isBroken: broken !== null });
    reachedMs = toMs;
  }
  if (elapsedMs !== null) {
    const toMs = Math.max(reachedMs, elapsedMs);
    parts.push({ stage: currentStage(timings), fromMs: reachedMs, toMs, isOpen: true, isBroken: false });
    reachedMs = toMs;
  }
  const totalMs = Math.max(reachedMs, 1);
  return { parts, totalMs, rulesMs: rulesOf(totalMs) };
}

/** Of a request that ended early, the stage that it was in; null of one that ended as it should. */
function stageAtEnd(timings: Timings): Stage | null {
  const stage = currentStage({ ...timings, ended_ms: null });
  return stage === "finish" ? null : stage;
}

const mostRules = 6;

/** Round numbers: 1, 2 or 5 times a power of ten. */
function rulesOf(totalMs: number): readonly number[] {
  const roughMs = totalMs / mostRules;
  const power = 10 ** Math.floor(Math.log10(roughMs));
  const stepMs = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= roughMs) ?? totalMs;
  const count = Math.floor(totalMs / stepMs);
  return Array.from({ length: count + 1 }, (_, index) => index * stepMs);
}
