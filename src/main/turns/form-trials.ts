import type { PromptForm } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnHandlers } from "../runtime/types.js";
import type { TurnedAway } from "./account-standing.js";
import type { Doubt, PromptForms } from "./prompt-forms.js";
import { isFormRefusal } from "./segment-verdicts.js";
import type { EndedSegment } from "./turn-attempts.js";

/** How often and in which forms one turn was tried. */
export interface FormTrial {
  readonly caller: string;
  readonly tried: Set<PromptForm>;
  /** How the turn ended in its first form, which is its caller's answer where all refuse it; null while it is in that one. */
  first: EndedSegment | null;
  /** Null while its first form is not doubted. */
  doubt: Doubt | null;
  /** Set while the turn is on its way back to the queue. */
  returned: TurnedAway | undefined;
}

/** Runs refused turns once more in another form, as `PromptForms` judges. */
export class FormTrials {
  readonly #forms: PromptForms;
  readonly #now: () => number;
  /** Of turns that were refused on their native thread: a replay with the same handlers keeps the turn's trial and its place in the line. */
  readonly #kept = new WeakMap<IsolatedTurnHandlers, FormTrial>();

  constructor(forms: PromptForms, now: () => number) {
    this.#forms = forms;
    this.#now = now;
  }

  /** The trial kept for a replay with these handlers, or a new one. */
  take(handlers: IsolatedTurnHandlers, caller: string): FormTrial {
    const kept = this.#kept.get(handlers);
    this.#kept.delete(handlers);
    return kept ?? { caller, tried: new Set(), first: null, doubt: null, returned: undefined };
  }

  keep(handlers: IsolatedTurnHandlers, trial: FormTrial): void {
    this.#kept.set(handlers, trial);
  }

  /** Takes in how a segment ended. Where it is to run in another form, it keeps its place in its caller's line. */
  next(ended: EndedSegment, trial: FormTrial): TurnedAway | undefined {
    const { result, session, permit } = ended;
    const runsAgain = this.#forms.judge({ ...session.target, ...session.assignment.thread }, result, trial);
    if (isFormRefusal(result)) trial.first ??= ended;
    if (!runsAgain || result.outcome.status !== "failed") return undefined;
    const error = CodexNativeApiError.fromTurnError(result.outcome.error);
    // What it waited counts on; what it ran is no wait.
    const enqueuedAtMs = this.#now() - permit.waitedMs;
    return { enqueuedAtMs, error, refusals: permit.refusals, aloneSinceMs: null };
  }

  /** What the caller gets: a turn that was refused in every form ends as it did in its first. */
  conclude(ended: EndedSegment, trial: FormTrial): EndedSegment {
    return isFormRefusal(ended.result) ? (trial.first ?? ended) : ended;
  }

  /** A turn that finds no place for another form ended as it did in its first. Throws for one that was in none yet. */
  giveUp(trial: FormTrial, error: unknown): EndedSegment {
    this.#forms.endTrial(trial, false);
    if (trial.first === null) throw error;
    return trial.first;
  }
}
