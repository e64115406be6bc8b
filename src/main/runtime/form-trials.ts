import type { PromptForm } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import type { TurnedAway } from "./account-standing.js";
import type { Permit } from "./admission/admission.js";
import { isFormRefusal } from "./leg-verdicts.js";
import type { Doubt, PromptForms } from "./prompt-forms.js";
import type { Place } from "./turn-places.js";
import type { LegResult, TurnSession } from "./turn-session.js";
import type { IsolatedTurnHandlers } from "./types.js";

/** A leg that is over, and what it ran on. */
export interface EndedLeg {
  readonly result: LegResult;
  readonly session: TurnSession;
  readonly permit: Permit<Place>;
}

/** The forms that one turn was tried in. */
export interface FormTrial {
  readonly caller: string;
  readonly tried: Set<PromptForm>;
  /** How the turn ended in its first form, which is its caller's answer where all refuse it; null while it is in that one. */
  first: EndedLeg | null;
  /** Null while its first form is not doubted. */
  doubt: Doubt | null;
}

/** Runs refused turns once more in another form, as `PromptForms` judges. */
export class FormTrials {
  readonly #forms: PromptForms;
  readonly #now: () => number;
  /** Turns that were refused on their native thread in a form that another may do better than: whoever replays one goes on with that. */
  readonly #kept = new WeakMap<IsolatedTurnHandlers, FormTrial>();

  constructor(forms: PromptForms, now: () => number) {
    this.#forms = forms;
    this.#now = now;
  }

  /** A new one, or that which was kept for a replay with these handlers. */
  take(handlers: IsolatedTurnHandlers, caller: string): FormTrial {
    const kept = this.#kept.get(handlers);
    this.#kept.delete(handlers);
    return kept ?? { caller, tried: new Set(), first: null, doubt: null };
  }

  keep(handlers: IsolatedTurnHandlers, trial: FormTrial): void {
    if (trial.first !== null) this.#kept.set(handlers, trial);
  }

  /** Takes in how a leg ended. Where it is to run in another form, it keeps its place in its caller's line. */
  next(ended: EndedLeg, trial: FormTrial): TurnedAway | undefined {
    const { result, session, permit } = ended;
    const runsAgain = this.#forms.judge({ ...session.target, ...session.assignment.thread }, result, trial);
    if (isFormRefusal(result)) trial.first ??= ended;
    if (!runsAgain || result.outcome.status !== "failed") return undefined;
    const error = CodexNativeApiError.fromTurnError(result.outcome.error);
    // What it waited counts on; what it ran is no wait.
    const enqueuedAtMs = this.#now() - permit.waitedMs;
    return { enqueuedAtMs, error, refusals: permit.refusals, aloneSinceMs: null };
  }

  /** What its caller is answered: refused in every form, the turn ended as it did in its first. */
  conclude(ended: EndedLeg, trial: FormTrial): EndedLeg {
    return isFormRefusal(ended.result) ? (trial.first ?? ended) : ended;
  }

  /** A turn that finds no place for another form ended as it did in its first. Throws for one that was in none yet. */
  giveUp(trial: FormTrial, error: unknown): EndedLeg {
    this.#forms.endTrial(trial, false);
    if (trial.first === null) throw error;
    return trial.first;
  }
}
