import { createDeferred } from "../../workers/contract/wait.js";
import type { Owner } from "../continuation/owned-registry.js";
import { joinFileAccess } from "../dialects/answers/native-api.js";
import type { FileAccess } from "../dialects/answers/wire-types.js";
import type { ChoicesAnswer, Dialect, DialectTurn } from "../dialects/dialect.js";
import { fieldError } from "../dialects/requests/schema-fault.js";
import type { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnResult, JsonObject, OnAdmission, TurnStarted } from "../runtime/types.js";
import { encodingOf } from "./encoding.js";
import {
  type EventSink,
  Exchange,
  type ExchangeEnd,
  type ExchangeOptions,
  type RequestExchange,
} from "./exchange.js";
import { joinProgress, type TurnProgress } from "./turn-progress.js";

/**
 * One request that asks for several choices: an exchange for each, side by side, whose answers are sent as one. Each is a turn like any
 * other, in the queue too. The first that fails cancels the others, and the request fails with its error once their turns are over: a
 * caller that comes back at once finds the room that they had. No turn is kept, for the next request continues one of them at most.
 */
export class ChoicesExchange implements RequestExchange {
  readonly turn: DialectTurn;
  readonly owner: Owner;
  readonly dialect: Dialect;
  readonly answer: ChoicesAnswer;
  readonly log = null;
  readonly #options: ExchangeOptions;
  readonly #choices: readonly Exchange[];
  readonly #end = createDeferred<ExchangeEnd>();
  /** Why it fails; nothing is sent of any choice from then on. */
  #failure: CodexNativeApiError | null = null;

  constructor(options: ExchangeOptions) {
    const { turn, owner, dialect } = options;
    const answer = dialect.encodeChoices?.(turn, encodingOf(options));
    if (answer === undefined) throw new Error(`${dialect.route} has no choices.`);
    this.turn = turn;
    this.owner = owner;
    this.dialect = dialect;
    this.answer = answer;
    this.#options = options;
    this.#choices = answer.choices.map((choice) => new Exchange({ ...options, choice }));
  }

  get id(): string {
    return this.answer.id;
  }

  /** Settles when all of its turns are over, also where the answer was interrupted before. Never rejects. */
  get ended(): Promise<ExchangeEnd> {
    return this.#end.promise;
  }

  /** Of the first choice that has any. */
  get started(): TurnStarted | null {
    return this.#choices.find(({ started }) => started !== null)?.started ?? null;
  }

  get firstEventAtMs(): number | null {
    const times = this.#choices.flatMap(({ firstEventAtMs: time }) => time ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  get fileAccess(): FileAccess | null {
    return joinFileAccess(this.#choices.map(({ fileAccess }) => fileAccess));
  }

  /** `completed` where all choices are. */
  get outcome(): IsolatedTurnResult["outcome"]["status"] | null {
    const outcomes = this.#choices.map(({ outcome }) => outcome);
    return outcomes.find((outcome) => outcome !== "completed") ?? outcomes[0] ?? null;
  }

  get progress(): TurnProgress {
    return joinProgress(this.#choices.map(({ progress }) => progress));
  }

  get outputItems(): readonly JsonObject[] {
    return this.#choices.flatMap(({ outputItems }) => outputItems);
  }

  /** Throws `invalid_request` for more choices than can ever run and wait at once, and what an exchange throws. */
  async prepare(): Promise<void> {
    const { capacity } = this.#options.runtime.health().queue;
    const count = this.#choices.length;
    if (capacity !== undefined && count > capacity) {
      throw fieldError(
        "n",
        `asks for ${count} turns, and this service runs and queues no more than ${capacity}`,
      );
    }
    await Promise.all(this.#choices.map((choice) => choice.prepare()));
  }

  async run(sink: EventSink, signal: AbortSignal | null, onAdmission?: OnAdmission): Promise<ExchangeEnd> {
    const admitted = new Set<Exchange>();
    const send: EventSink = (events) => (this.#failure === null ? sink(events) : undefined);
    const runs = this.#choices.map(async (choice) => {
      const end = await choice.run(send, signal, (isAdmitted) => {
        const before = admitted.size;
        if (isAdmitted) admitted.add(choice);
        else admitted.delete(choice);
        if (before === 0 || admitted.size === 0) onAdmission?.(isAdmitted);
      });
      if (!end.ok) this.#fail(end.error);
    });
    await Promise.all(runs);
    const events = this.#failure === null ? this.answer.end() : this.answer.fail(this.#failure);
    if (events.length > 0) await sink(events);
    const end: ExchangeEnd = this.#failure === null ? { ok: true } : { ok: false, error: this.#failure };
    this.#end.resolve(end);
    return end;
  }

  /** An empty answer is one. */
  async warmUp(): Promise<ExchangeEnd> {
    throw fieldError("n", "is for answers that a model makes");
  }

  cancel(): void {
    for (const choice of this.#choices) choice.cancel();
  }

  async interrupt(error: CodexNativeApiError, sink: EventSink): Promise<ExchangeEnd> {
    const failure = this.#fail(error);
    const events = this.answer.fail(failure);
    if (events.length > 0) await sink(events);
    return { ok: false, error: failure };
  }

  /** The first failure counts: those that follow are of choices that it cancelled. */
  #fail(error: CodexNativeApiError): CodexNativeApiError {
    if (this.#failure !== null) return this.#failure;
    this.#failure = error;
    this.cancel();
    return error;
  }
}
