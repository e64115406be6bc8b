/** The kinds of side task, and the settings of each where its caller gives none. */
import type { JsonObject } from "../runtime/types.js";

export const sideTaskClasses = [
  "intent_classification",
  "normalization",
  "small_verification",
  "side_reasoning",
] as const;

/** What kind of task it is, one of the router's own or one that the host defines; each has its own time and model. */
export type SideTaskClass = (typeof sideTaskClasses)[number] | (string & {});

/** What holds for every task of a class unless the request says otherwise. */
export interface SideTaskClassSettings {
  /** Reasoning effort as the model's catalog entry names it; null leaves the model's default. */
  readonly effort: string | null;
  /** For all routes together, in milliseconds. */
  readonly timeoutMs: number;
  readonly verbosity: "low" | "medium" | "high" | null;
  /** Model id of Codex's catalog; null leaves it to the route. The external provider has a model of its own. */
  readonly model: string | null;
  /** Follows the caller's instructions when there is no schema; null adds nothing. */
  readonly outputHint: string | null;
  /** JSON schema of the answer when the caller gives none; null asks for text. */
  readonly outputSchema: JsonObject | null;
}

/**
 * Changes to the router's own classes, and classes of the host's own, by name: letters, digits, `_` and `-`. What is left out keeps its
 * default.
 */
export type SideTaskClassOverrides = Readonly<Partial<Record<SideTaskClass, Partial<SideTaskClassSettings>>>>;

/** Little effort for small answers: a side task that takes as long as the main chat is useless. */
const brief = { effort: "low", verbosity: "low", model: null, outputSchema: null } as const;

export const defaultTaskClasses: Readonly<Record<(typeof sideTaskClasses)[number], SideTaskClassSettings>> = {
  intent_classification: {
    ...brief,
    timeoutMs: 15_000,
    outputHint: "Answer with the name of the intent alone: no sentence, no punctuation, no explanation.",
  },
  normalization: {
    ...brief,
    timeoutMs: 20_000,
    outputHint: "Answer with the normalized text alone: no introduction, no quotes, no explanation.",
  },
  small_verification: {
    ...brief,
    timeoutMs: 30_000,
    outputHint: 'Begin the answer with "yes" or "no"; then give the reason in one sentence.',
  },
  // A model that reasons may be silent for minutes before its first word.
  side_reasoning: { ...brief, effort: "medium", timeoutMs: 1_200_000, verbosity: null, outputHint: null },
};

/** What a class of the host's own has unless the host says otherwise. */
export const hostClassDefaults: SideTaskClassSettings = { ...brief, timeoutMs: 30_000, outputHint: null };
