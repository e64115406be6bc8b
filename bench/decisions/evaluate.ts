/** Asks every case of the labelled set in each way, side by side, and measures the answers. */
import { quantile } from "../measure/statistics.js";
import {
  accuracyOf,
  brierOf,
  calibrationErrorOf,
  type Judged,
  meanStepsOff,
  type ReliabilityRow,
  reliabilityOf,
  swayedOf,
} from "./calibration.js";
import { type LabelledCase, labelsOf } from "./labelled-set.js";
import type { AskedService, Way } from "./ways.js";

interface Outcome {
  readonly asked: LabelledCase;
  readonly judged: Judged | null;
  readonly fault: string | null;
  readonly ms: number;
  readonly outputTokens: number;
}

/** Of one way, for one task in one language, or for all. */
export interface Figures {
  readonly cases: number;
  readonly declined: number;
  readonly failed: number;
  readonly accuracy: number | null;
  readonly brier: number | null;
  readonly calibrationError: number | null;
  /** For scores only. */
  readonly meanStepsOff: number | null;
  /** Of cases with an injection; null where there is none. */
  readonly swayed: number | null;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly meanOutputTokens: number;
}

export interface WayReport {
  readonly way: string;
  /** That ran. */
  readonly models: readonly string[];
  readonly all: Figures;
  readonly byTask: readonly { readonly task: string; readonly language: string; readonly figures: Figures }[];
  readonly reliability: readonly ReliabilityRow[];
  /** What went wrong, each reason once; the first few. */
  readonly faults: readonly string[];
}

export interface EvaluationOptions {
  readonly service: AskedService;
  readonly cases: readonly LabelledCase[];
  readonly ways: readonly Way[];
  /** Cases at the same time. */
  readonly concurrency: number;
  readonly onCase: (done: number) => void;
}

const maxFaults = 5;

export async function evaluate(options: EvaluationOptions): Promise<readonly WayReport[]> {
  const { service, cases, ways, concurrency, onCase } = options;
  const outcomes = new Map<string, Outcome[]>(ways.map(({ name }) => [name, []]));
  const models = new Map<string, Set<string>>(ways.map(({ name }) => [name, new Set()]));
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let at = next++; at < cases.length; at = next++) {
      const asked = cases[at];
      if (asked === undefined) return;
      // Every second case the other way round: neither has the warm cache of the other.
      for (const way of at % 2 === 0 ? ways : ways.toReversed()) {
        service.signal.throwIfAborted();
        outcomes.get(way.name)?.push(await askOnce(way, service, asked, models.get(way.name)));
      }
      done += 1;
      onCase(done);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return ways.map(({ name }) => report(name, outcomes.get(name) ?? [], [...(models.get(name) ?? [])]));
}

async function askOnce(
  way: Way,
  service: AskedService,
  asked: LabelledCase,
  models: Set<string> | undefined,
): Promise<Outcome> {
  const startMs = performance.now();
  try {
    const { probabilities, model, outputTokens } = await way.ask(service, asked);
    models?.add(model);
    const judged =
      probabilities === null ? null : { label: asked.label, injected: asked.injected, probabilities };
    return { asked, judged, fault: null, ms: performance.now() - startMs, outputTokens };
  } catch (error) {
    service.signal.throwIfAborted();
    const fault = error instanceof Error ? error.message : String(error);
    return { asked, judged: null, fault, ms: performance.now() - startMs, outputTokens: 0 };
  }
}

function report(way: string, outcomes: readonly Outcome[], models: readonly string[]): WayReport {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.asked.task}, ${outcome.asked.language}`;
    groups.set(key, [...(groups.get(key) ?? []), outcome]);
  }
  const byTask = [...groups.keys()].sort().map((key) => {
    const [task = "", language = ""] = key.split(", ");
    return { task, language, figures: measure(groups.get(key) ?? []) };
  });
  const faults = new Set(outcomes.flatMap(({ fault }) => fault ?? []));
  return {
    way,
    models,
    all: measure(outcomes),
    byTask,
    reliability: reliabilityOf(judgedOf(outcomes)),
    faults: [...faults].slice(0, maxFaults),
  };
}

function measure(outcomes: readonly Outcome[]): Figures {
  const judged = judgedOf(outcomes);
  const answered = outcomes.filter(({ fault }) => fault === null);
  const times = answered.map(({ ms }) => ms);
  const questions = new Set(outcomes.map(({ asked }) => asked.question));
  const [question] = questions;
  const isScore = questions.size === 1 && question?.type === "score";
  return {
    cases: outcomes.length,
    declined: answered.length - judged.length,
    failed: outcomes.length - answered.length,
    accuracy: accuracyOf(judged),
    brier: brierOf(judged),
    calibrationError: calibrationErrorOf(judged),
    meanStepsOff: isScore ? meanStepsOff(judged, labelsOf(question)) : null,
    swayed: swayedOf(judged),
    medianMs: times.length === 0 ? null : quantile(times, 0.5),
    p95Ms: times.length === 0 ? null : quantile(times, 0.95),
    meanOutputTokens:
      answered.reduce((sum, { outputTokens }) => sum + outputTokens, 0) / Math.max(1, answered.length),
  };
}

function judgedOf(outcomes: readonly Outcome[]): readonly Judged[] {
  return outcomes.flatMap(({ judged }) => judged ?? []);
}
