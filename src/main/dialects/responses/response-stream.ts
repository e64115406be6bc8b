import type { CodexNativeApiError } from "../../errors.js";
import type { IsolatedTurnResult, TokenUsage, TurnEvent, TurnStarted } from "../../runtime/types.js";
import { type ContinuationFacts, describeNativeApi } from "../answers/native-api.js";
import { EventLog } from "./event-log.js";
import type { ResponsesTurn } from "./request-to-turn.js";
import { buildResponseObject, type ResponseObject, type ResponseStatus } from "./response-object.js";
import { ResponseOutput } from "./response-output.js";
import type { LifecycleEventType, ResponseEvent } from "./wire-events.js";

export interface ResponseEventStreamOptions {
  readonly turn: ResponsesTurn;
  readonly routePath: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** A new id with the given prefix, never used before. */
  readonly newId: (prefix: string) => string;
}

type Outcome = IsolatedTurnResult["outcome"];

/**
 * One response: takes a turn's events and gives OpenAI's, in OpenAI's order, with exactly one terminal event. A response that
 * is not streamed goes the same way, so that both forms always agree; its events are dropped and `response` is the answer.
 */
export class ResponseEventStream {
  readonly id: string;
  readonly #options: ResponseEventStreamOptions;
  readonly #log = new EventLog();
  readonly #createdAtMs: number;
  #output: ResponseOutput;
  #state: "waiting" | "queued" | "running" | "ended" = "waiting";
  #continuation: ContinuationFacts | null = null;
  #ignored: readonly string[];
  #started: TurnStarted | null = null;
  #usage: TokenUsage | null = null;
  #response: ResponseObject | null = null;

  constructor(options: ResponseEventStreamOptions) {
    this.#options = options;
    this.id = options.newId("resp");
    this.#createdAtMs = options.wallClock();
    this.#ignored = options.turn.ignoredParameters;
    this.#output = this.#createOutput();
  }

  #createOutput(): ResponseOutput {
    const { newId, turn } = this.#options;
    return new ResponseOutput({
      log: this.#log,
      newId,
      includeEncryptedReasoning: turn.includeEncryptedReasoning,
    });
  }

  /** The response as it stands; final once ended. */
  get response(): ResponseObject {
    return this.#response ?? this.#build(this.#state === "queued" ? "queued" : "in_progress", {});
  }

  /** What the turn takes up. Before `start`, and again where it came otherwise than planned. */
  setContinuation(continuation: ContinuationFacts | null): void {
    this.#continuation = continuation;
  }

  /** Parameters that turned out to have no effect. */
  addIgnored(names: readonly string[]): void {
    this.#ignored = [...this.#ignored, ...names];
  }

  /** The beginning of a response that nobody waits for: it exists before its turn does. */
  queue(): readonly ResponseEvent[] {
    if (this.#state !== "waiting") return [];
    this.#state = "queued";
    this.#tell("response.created", this.response);
    this.#tell("response.queued", this.response);
    return this.#log.take();
  }

  /** A turn that is run again elsewhere starts twice; the client sees one beginning. */
  start(started: TurnStarted): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#started = started;
    this.#begin();
    return this.#log.take();
  }

  #begin(): void {
    const before = this.#state;
    this.#state = "running";
    if (before === "waiting") this.#tell("response.created", this.response);
    if (before !== "running") this.#tell("response.in_progress", this.response);
  }

  push(event: TurnEvent): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#output.push(event);
    return this.#log.take();
  }

  /** The turn begins anew. Only where the client has had no event. */
  forget(): void {
    this.#output = this.#createOutput();
  }

  /** `usage` is the sum over the turn's model calls; null where Codex reported none. */
  end(outcome: Outcome, usage: TokenUsage | null): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#usage = usage;
    // An item never finished, of a turn that was, is one whose end was lost: what it has may not be all.
    this.#output.cutShort();
    switch (outcome.status) {
      case "completed":
      // The model waits for the outputs of functions it called: to the client that is an answer like any other.
      case "parked":
      case "handed_over":
        return this.#finish("response.completed", this.#build("completed", { completed: true }));
      case "incomplete":
        return this.#finish(
          "response.incomplete",
          this.#build("incomplete", { incompleteReason: outcome.reason }),
        );
      case "cancelled":
        // OpenAI has no stream event for this; of the three terminal ones only this says that there is no answer.
        return this.#finish("response.failed", this.#build("cancelled", { error: cancelled }));
    }
  }

  /** Items under way stay open, as OpenAI leaves them; the response holds what there is of them. */
  fail(error: CodexNativeApiError): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    // Before its turn began, where the stream did not wait for that.
    if (this.#state === "waiting") this.#begin();
    const fault = { code: error.code, message: error.message };
    return this.#finish("response.failed", this.#build("failed", { error: fault }));
  }

  #finish(type: LifecycleEventType, response: ResponseObject): readonly ResponseEvent[] {
    this.#state = "ended";
    this.#response = response;
    this.#tell(type, response);
    return this.#log.take();
  }

  #tell(type: LifecycleEventType, response: ResponseObject): void {
    this.#log.add({ type, sequence_number: this.#log.number(), response });
  }

  #build(status: ResponseStatus, end: End): ResponseObject {
    const { turn, routePath, wallClock } = this.#options;
    const started = this.#started;
    return buildResponseObject(turn.echo, {
      id: this.id,
      createdAtSeconds: Math.floor(this.#createdAtMs / 1000),
      // Never before it was created, also where the clock was set back meanwhile.
      completedAtSeconds:
        end.completed === true ? Math.floor(Math.max(wallClock(), this.#createdAtMs) / 1000) : null,
      status,
      model: started?.model ?? turn.echo.model ?? "",
      output: this.#output.snapshot(),
      usage: this.#usage,
      error: end.error ?? null,
      incompleteReason: end.incompleteReason ?? null,
      nativeApi: describeNativeApi({
        routePath,
        ...(started !== null && {
          target: started.target,
          threadId: started.threadId,
          turnId: started.turnId,
          queue: started.queue,
          promptForm: started.promptForm,
        }),
        taskClass: turn.echo.taskClass,
        responseId: this.id,
        continuation: this.#continuation,
        ignoredParameters: this.#ignored,
      }),
    });
  }
}

interface End {
  readonly completed?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly incompleteReason?: string;
}

const cancelled = { code: "turn_cancelled", message: "The turn was cancelled." } as const;
