/** The kinds of side task, and what each is given when its caller says nothing. */
import type { JsonObject } from "../runtime/types.js";

export const sideTaskClasses = [
  "intent_classification",
  "normalization",
  "small_verification",
  "side_reasoning",
] as const;

/** What kind of task it is; each has its own time and model. */
export type SideTaskClass = (typeof sideTaskClasses)[number];

/** What holds for every task of a class unless the request says otherwise. */
export interface SideTaskClassSettings {
  /** Reasoning effort as the model's catalog entry names it; null leaves the model's default. */
  readonly effort: string | null;
  /** For all routes together, in milliseconds. */
  readonly timeoutMs: number;
  readonly verbosity: "low" | "medium" | "high" | null;
  /** Model id of Codex's catalog; null leaves it to the route. The external provider has a model of its own. */
  readonly model: string | null;
  /** Said after the caller's instructions when there is no schema; null says nothing. */
  readonly outputHint: string | null;
  /** JSON schema of the answer when the caller brings none; null asks for text. */
  readonly outputSchema: JsonObject | null;
}

/** Part of the settings of some classes; what is left out keeps its default. */
export type SideTaskClassOverrides = Readonly<Partial<Record<SideTaskClass, Partial<SideTaskClassSettings>>>>;

const plain = { model: null, outputSchema: null } as const;

/** Small answers are asked for with little effort: a side task that takes as long as the main chat is of no use. */
export const defaultTaskClasses: Readonly<Record<SideTaskClass, SideTaskClassSettings>> = {
  intent_classification: {
    ...plain,
    effort: "low",
    timeoutMs: 15_000,
    verbosity: "low",
    outputHint: "Answer with the name of the intent alone: no sentence, no punctuation, no explanation.",
  },
  normalization: {
    ...plain,
    effort: "low",
    timeoutMs: 20_000,
    verbosity: "low",
    outputHint: "Answer with the normalized text alone: no introduction, no quotes, no explanation.",
  },
  small_verification: {
    ...plain,
    effort: "low",
    timeoutMs: 30_000,
    verbosity: "low",
    outputHint: 'Begin the answer with "yes" or "no"; then give the reason in one sentence.',
  },
  // A model that reasons may be silent for minutes before its first word.
  side_reasoning: { ...plain, effort: "medium", timeoutMs: 1_200_000, verbosity: null, outputHint: null },
};

export function isSideTaskClass(value: unknown): value is SideTaskClass {
  return sideTaskClasses.some((name) => name === value);
}

/** The settings of every class, with the host's changes laid over the defaults. */
export function resolveTaskClasses(
  overrides: SideTaskClassOverrides,
): Readonly<Record<SideTaskClass, SideTaskClassSettings>> {
  return {
    intent_classification: {
      ...defaultTaskClasses.intent_classification,
      ...overrides.intent_classification,
    },
    normalization: { ...defaultTaskClasses.normalization, ...overrides.normalization },
    small_verification: { ...defaultTaskClasses.small_verification, ...overrides.small_verification },
    side_reasoning: { ...defaultTaskClasses.side_reasoning, ...overrides.side_reasoning },
  };
}
