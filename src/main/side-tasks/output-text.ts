/** The answer among a turn's output items. */
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { RouteFailure } from "./route-failure.js";

/**
 * The text of the last message: what a model says on the way is no part of the answer.
 *
 * @throws RouteFailure `content_policy` for a refusal, `bad_output` where there is no text.
 */
export function readAnswer(items: readonly JsonObject[]): string {
  const messages = items.filter(({ type, phase }) => type === "message" && phase !== "commentary");
  const parts = messages.at(-1)?.content;
  const content = Array.isArray(parts) ? parts.filter(isJsonObject) : [];
  const refusal = content.find(({ type }) => type === "refusal");
  if (refusal !== undefined) throw refusedByModel(textOf(refusal.refusal));
  return requireText(content.map(({ type, text }) => (type === "output_text" ? textOf(text) : "")).join(""));
}

export function requireText(text: string): string {
  if (text.trim() !== "") return text;
  throw new RouteFailure("bad_output", {
    code: "empty_output",
    message: "The model answered nothing.",
    outputText: text,
  });
}

export function refusedByModel(text: string): RouteFailure {
  return new RouteFailure("content_policy", {
    code: "refusal",
    message: "The model refused.",
    outputText: text,
  });
}

/** The model stopped before its end. */
export function cutShort(reason: string, outputText: string): RouteFailure {
  const failure = reason === "content_filter" ? "content_policy" : "bad_output";
  return new RouteFailure(failure, {
    code: reason,
    message: `The model stopped early: ${reason}.`,
    outputText,
  });
}

/** What there is of an answer, refusals and all; for errors. */
export function collectText(items: readonly JsonObject[]): string {
  return items
    .filter(({ type }) => type === "message")
    .flatMap(({ content }) => (Array.isArray(content) ? content.filter(isJsonObject) : []))
    .map(({ text, refusal }) => textOf(text) + textOf(refusal))
    .join("");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
