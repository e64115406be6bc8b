/** A turn's one message as OpenAI's decision. Nothing is streamed: a decision is whole or it failed. */
import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { JsonObject, TokenUsage, TurnEvent, TurnStarted } from "../../runtime/types.js";
import { isCommentary } from "../answers/commentary.js";
import { describeError } from "../answers/error-body.js";
import { describeNativeApi, describeNativeRuntime } from "../answers/native-api.js";
import type { ErrorBody } from "../answers/wire-types.js";
import type { Answer, Encoding, EventKind, TurnEnd } from "../dialect.js";
import type { DecisionAnswer } from "./decision-types.js";
import type { DecisionTurn } from "./decode.js";
import { invalidOutput } from "./errors.js";
import { readAnswers, refuseAll } from "./read-output.js";
import type { DecisionBody } from "./wire-decision.js";

export function encodeDecision(turn: DecisionTurn, encoding: Encoding): Answer<never> {
  return new DecisionBuilder(turn, encoding);
}

/** One decision: takes a turn's events, and gives none. */
export class DecisionBuilder implements Answer<never> {
  readonly id: string;
  readonly #turn: DecisionTurn;
  readonly #encoding: Encoding;
  /** The last that is no commentary. */
  #message: JsonObject | null = null;
  #started: TurnStarted | null = null;
  #body: DecisionBody | null = null;

  constructor(turn: DecisionTurn, encoding: Encoding) {
    this.#turn = turn;
    this.#encoding = encoding;
    this.id = encoding.newId("decision");
  }

  /** Once ended well. */
  get body(): DecisionBody {
    if (this.#body === null) throw new Error("A decision that has not ended has no body.");
    return this.#body;
  }

  endOfStream(): string {
    return "";
  }

  setContinuation(): void {}

  start(started: TurnStarted): readonly never[] {
    this.#started = started;
    return [];
  }

  push(event: TurnEvent): readonly never[] {
    if (event.type !== "item.completed") return [];
    const { item } = event;
    if (item.type === "message" && !isCommentary(item)) this.#message = item;
    return [];
  }

  forget(): void {
    this.#message = null;
  }

  /** @throws CodexNativeApiError `invalid_model_output`, `content_policy_violation`, `turn_cancelled` */
  end({ outcome, usage }: TurnEnd): readonly never[] {
    if (outcome.status === "cancelled") {
      throw new CodexNativeApiError("turn_cancelled", "The turn was cancelled.");
    }
    if (outcome.status === "incomplete") throw cutOutput(outcome.reason);
    if (outcome.status !== "completed") throw invalidOutput("it calls functions that it was not offered");
    this.#body = this.#build(this.#readAnswers(), usage);
    return [];
  }

  fail(): readonly never[] {
    return [];
  }

  failedBody(error: CodexNativeApiError): ErrorBody {
    return describeError(error);
  }

  encode(): string {
    return "";
  }

  kindOf(): EventKind {
    return "output";
  }

  #readAnswers(): readonly DecisionAnswer[] {
    const content = this.#message?.content;
    const parts = Array.isArray(content) ? content.filter(isJsonObject) : [];
    if (parts.length === 0) throw invalidOutput("there is none");
    const { asked } = this.#turn;
    if (parts.some(({ type }) => type === "refusal")) return refuseAll(asked);
    return readAnswers(parts.map(({ text }) => (typeof text === "string" ? text : "")).join(""), asked);
  }

  #build(answers: readonly DecisionAnswer[], usage: TokenUsage | null): DecisionBody {
    const { request, taskClass, metadata, ignoredParameters } = this.#turn;
    const native = describeNativeApi({
      routePath: this.#encoding.routePath,
      started: this.#started,
      taskClass,
      requestedModel: request.requestedModel,
      metadata,
      ignoredParameters,
    });
    return {
      model: this.#started?.model ?? request.model ?? "",
      answers,
      usage: describeUsage(usage),
      native_api: { ...native, decisions: { method: "stated" } },
      native_runtime: describeNativeRuntime(this.#started),
    };
  }
}

/** An answer that is not whole answers nothing: half a JSON object, or one that a filter cut. */
function cutOutput(reason: string): CodexNativeApiError {
  if (reason === "content_filter") {
    const message = "The model backend's content filter stopped the answer.";
    return new CodexNativeApiError("content_policy_violation", message);
  }
  return invalidOutput(`it was cut off (${reason.slice(0, 64)})`);
}

/** Zero where Codex reported none: OpenAI's field is always there. */
function describeUsage(usage: TokenUsage | null): DecisionBody["usage"] {
  return {
    input_tokens: usage?.inputTokens ?? 0,
    input_tokens_details: {
      cached_tokens: usage?.cachedInputTokens ?? 0,
      cache_write_tokens: usage?.cacheWriteInputTokens ?? 0,
    },
    output_tokens: usage?.outputTokens ?? 0,
    output_tokens_details: { reasoning_tokens: usage?.reasoningOutputTokens ?? 0 },
    total_tokens: usage?.totalTokens ?? 0,
  };
}
