import { addUsage } from "../../workers/contract/turn.js";
import type { IsolatedTurnHandlers, ThreadKind, TokenUsage, TurnStarted } from "../runtime/types.js";

/** How far the turn of a request has come, and when. Times are on the growing clock, of its last attempt; null: not so far. */
export interface TurnProgress {
  readonly preparedAtMs: number | null;
  /** It left the queue, and is not back in it. */
  readonly admittedAtMs: number | null;
  readonly threadReadyAtMs: number | null;
  readonly turnStartedAtMs: number | null;
  readonly firstOutputAtMs: number | null;
  readonly outputEndedAtMs: number | null;
  /** How the native thread came about; null: not known. */
  readonly threadKind: ThreadKind | null;
  /** How often it was begun. */
  readonly attempts: number;
  /** Why it was begun again, as far as there is room. */
  readonly retries: readonly TurnRetry[];
  /** Of all model calls, those of attempts that failed included. */
  readonly usage: TokenUsage | null;
  /** Parameters that turned out to have no effect. */
  readonly unmet: readonly string[];
}

export interface TurnRetry {
  readonly code: string;
  readonly atMs: number;
}

const maxRetries = 16;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const nothingYet = {
  preparedAtMs: null,
  admittedAtMs: null,
  threadReadyAtMs: null,
  turnStartedAtMs: null,
  firstOutputAtMs: null,
  outputEndedAtMs: null,
  threadKind: null,
  unmet: [],
};

/** Notes the progress of one turn, and tells of each step. */
export class ProgressNotes {
  readonly #clock: () => number;
  readonly #onStep: () => void;
  readonly #retries: TurnRetry[] = [];
  readonly #noted: Mutable<TurnProgress> = {
    ...nothingYet,
    attempts: 0,
    usage: null,
    retries: this.#retries,
  };

  constructor(clock: () => number, onStep: () => void) {
    this.#clock = clock;
    this.#onStep = onStep;
  }

  /** It goes on changing. */
  get soFar(): TurnProgress {
    return this.#noted;
  }

  prepared(): void {
    this.#noted.preparedAtMs = this.#clock();
  }

  /** The model has nothing more to say. `usage` counts where it was not reported before. */
  outputEnded(usage: TokenUsage | null, unmet: readonly string[]): void {
    this.#noted.outputEndedAtMs = this.#clock();
    this.#noted.usage ??= usage;
    this.#noted.unmet = unmet;
  }

  /** The same handlers, which note as well. A further segment of the turn changes no time that was noted. */
  watch(handlers: IsolatedTurnHandlers): IsolatedTurnHandlers {
    const { onAdmission, onTurnStarted, onEvent, onForget, onRetry } = handlers;
    const noted = this.#noted;
    return {
      ...handlers,
      onAdmission: (isAdmitted) => {
        if (isAdmitted) this.#admitted();
        else this.#returned();
        this.#onStep();
        onAdmission?.(isAdmitted);
      },
      onTurnStarted: (started) => {
        this.#started(started);
        onTurnStarted?.(started);
        this.#onStep();
      },
      onEvent: (event) => {
        if (event.type === "model_call.completed") noted.usage = addUsage(noted.usage, event.usage);
        else if (noted.firstOutputAtMs === null) {
          noted.firstOutputAtMs = this.#clock();
          this.#onStep();
        }
        return onEvent?.(event);
      },
      ...(onForget !== undefined && {
        onForget: () => {
          noted.firstOutputAtMs = null;
          onForget();
        },
      }),
      onRetry: (code) => {
        if (this.#retries.length < maxRetries) this.#retries.push({ code, atMs: this.#clock() });
        this.#returned();
        this.#onStep();
        onRetry?.(code);
      },
    };
  }

  #admitted(): void {
    const noted = this.#noted;
    if (noted.admittedAtMs !== null) return;
    noted.admittedAtMs = this.#clock();
    noted.attempts += 1;
  }

  #started({ thread }: TurnStarted): void {
    const noted = this.#noted;
    // A runtime of a host's own may not tell of its queue.
    this.#admitted();
    noted.turnStartedAtMs ??= this.#clock();
    noted.threadReadyAtMs ??= thread?.readyAtMs ?? null;
    noted.threadKind ??= thread?.kind ?? null;
  }

  #returned(): void {
    const { preparedAtMs } = this.#noted;
    Object.assign(this.#noted, nothingYet, { preparedAtMs });
  }
}

/** The progress of several turns that answer one request: times of the first that came so far, ends of the last. */
export function joinProgress(all: readonly TurnProgress[]): TurnProgress {
  const timesOf = (read: (progress: TurnProgress) => number | null) => all.flatMap((one) => read(one) ?? []);
  const first = (times: readonly number[]) => (times.length === 0 ? null : Math.min(...times));
  const ends = timesOf(({ outputEndedAtMs }) => outputEndedAtMs);
  const prepared = timesOf(({ preparedAtMs }) => preparedAtMs);
  return {
    preparedAtMs: prepared.length < all.length ? null : Math.max(...prepared),
    admittedAtMs: first(timesOf(({ admittedAtMs }) => admittedAtMs)),
    threadReadyAtMs: first(timesOf(({ threadReadyAtMs }) => threadReadyAtMs)),
    turnStartedAtMs: first(timesOf(({ turnStartedAtMs }) => turnStartedAtMs)),
    firstOutputAtMs: first(timesOf(({ firstOutputAtMs }) => firstOutputAtMs)),
    outputEndedAtMs: ends.length < all.length ? null : Math.max(...ends),
    threadKind: all.find(({ threadKind }) => threadKind !== null)?.threadKind ?? null,
    attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
    retries: all.flatMap(({ retries }) => retries).slice(0, maxRetries),
    usage: all.reduce<TokenUsage | null>((sum, { usage }) => addUsage(sum, usage), null),
    unmet: [...new Set(all.flatMap(({ unmet }) => unmet))],
  };
}
