/** The answer among a turn's output items. */
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { isCommentary } from "../dialects/answers/commentary.js";
import { RouteFailure } from "./route-failure.js";

/** What a model answered. What a refusal means depends on what it was asked for. */
export interface ModelReply {
  readonly text: string;
  readonly isRefusal: boolean;
}

/**
 * The last message. Earlier messages are the model's commentary, not its answer.
 *
 * @throws RouteFailure `bad_output` where there is no text.
 */
export function readReply(items: readonly JsonObject[]): ModelReply {
  const last = items.findLast((item) => item.type === "message" && !isCommentary(item));
  const parts = last === undefined ? [] : partsOf(last);
  const refusal = parts.find(({ type }) => type === "refusal");
  if (refusal !== undefined) return { text: textOf(refusal.refusal), isRefusal: true };
  return replyOf(parts.map(({ type, text }) => (type === "output_text" ? textOf(text) : "")).join(""));
}

/** @throws RouteFailure `bad_output` where there is no text. */
export function replyOf(text: string): ModelReply {
  if (text.trim() !== "") return { text, isRefusal: false };
  throw unusableAnswer("bad_output", "empty_output", "The model's answer is empty.", text);
}

export function refusedByModel(text: string): RouteFailure {
  return unusableAnswer("content_policy", "refusal", "The model refused.", text);
}

/** The model stopped before its end. */
export function cutShort(reason: string, text: string): RouteFailure {
  const failure = reason === "content_filter" ? "content_policy" : "bad_output";
  return unusableAnswer(failure, reason, `The model stopped early: ${reason}.`, text);
}

/** The check of the answer broke, or cannot follow it, such as one nested deeper than the call stack. */
export function uncheckable(outputText: string, cause: unknown): RouteFailure {
  const message = "The answer could not be checked.";
  return new RouteFailure("bad_output", { code: "check_failed", message, outputText, cause });
}

function unusableAnswer(
  failure: "bad_output" | "content_policy",
  code: string,
  message: string,
  outputText: string,
): RouteFailure {
  return new RouteFailure(failure, { code, message, outputText });
}

/** All text of an answer, refusals included; for errors. */
export function collectText(items: readonly JsonObject[]): string {
  return items
    .filter(({ type }) => type === "message")
    .flatMap(partsOf)
    .map(({ text, refusal }) => textOf(text) + textOf(refusal))
    .join("");
}

function partsOf({ content }: JsonObject): readonly JsonObject[] {
  return Array.isArray(content) ? content.filter(isJsonObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
