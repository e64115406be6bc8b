/**
 * Our wire shapes against the types of the official client. Most of this file is checked by the compiler: each function says
 * that one of our shapes is one of OpenAI's.
 */
import type OpenAI from "openai";
import t from "tap";
import type * as wire from "../../src/main/dialects/chat-completions/wire-types.js";
import { playStream, playWhole } from "../support/chat-driver.js";
import { messageItem } from "../support/fake-runtime.js";

/** Ours, without `readonly`, which OpenAI's types do not have. */
type Plain<T> = T extends readonly (infer Entry)[]
  ? Plain<Entry>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

/**
 * Where we are wider than OpenAI's types, on purpose: tiers of Codex's own, a null where its deprecated fingerprint is a text,
 * and fields beside its own.
 */
type Wider = "service_tier" | "system_fingerprint" | "native_api" | "metadata";

/** OpenAI streams calls of custom tools as it answers them whole; its types have only functions there. */
type FunctionCallsOnly<T> = T extends readonly (infer Entry)[]
  ? readonly FunctionCallsOnly<Exclude<Entry, { readonly type: "custom" }>>[]
  : T extends object
    ? { readonly [Key in keyof T]: FunctionCallsOnly<T[Key]> }
    : T;

export const checked = {
  message: (message: Plain<wire.WireMessage>): OpenAI.ChatCompletionMessage => message,
  usage: (usage: Plain<wire.CompletionUsage>): OpenAI.CompletionUsage => usage,
  completion: (
    completion: Plain<Omit<wire.ChatCompletion, Wider>>,
  ): Omit<OpenAI.ChatCompletion, "service_tier" | "system_fingerprint"> => completion,
  chunk: (
    chunk: Plain<FunctionCallsOnly<Omit<wire.ChatChunk, Wider>>>,
  ): Omit<OpenAI.ChatCompletionChunk, "service_tier" | "system_fingerprint"> => chunk,
  finishReason: (reason: wire.FinishReason): OpenAI.ChatCompletion.Choice["finish_reason"] => reason,
};

/** The compiler sees that no field of OpenAI's is missing here. */
const fields: Record<Exclude<keyof OpenAI.ChatCompletion, "moderation">, true> = {
  id: true,
  choices: true,
  created: true,
  model: true,
  object: true,
  service_tier: true,
  system_fingerprint: true,
  usage: true,
};

/** Those left out are deprecated, or only there with calls, or with what is refused. */
const messageFields: Record<
  Exclude<keyof OpenAI.ChatCompletionMessage, "audio" | "function_call" | "tool_calls">,
  true
> = { annotations: true, content: true, refusal: true, role: true };

t.test("a completion and its chunks have every field that OpenAI documents", async (t) => {
  const events = [{ type: "item.completed", item: messageItem("msg_1", "Hi") }] as const;
  const whole = playWhole(events);
  for (const field of Object.keys(fields)) t.ok(field in whole, field);
  for (const field of Object.keys(messageFields)) t.ok(field in whole.choices[0].message, field);
  const body = { stream_options: { include_usage: true } };
  for (const chunk of playStream(events, { status: "completed" }, body)) {
    for (const field of Object.keys(fields)) t.ok(field in chunk, field);
  }
});
