/** Answers of a model backend's that are nearly right, wrong, or none. */
import fc from "fast-check";
import { isJsonObject } from "../../../src/workers/contract/json.js";
import {
  cutConnection,
  functionCall,
  type HttpErrorReply,
  httpError,
  incomplete,
  type JsonValue,
  type Reply,
  rawItem,
  reasoning,
  refusal,
  reply,
  responseFailed,
  type StreamReply,
  text,
  usageLimitReached,
  webSearchCall,
} from "../../support/offline-backend/index.js";
import { anyText as anyString, anyJson as anyValue } from "./json-values.js";

const anyText = anyString.map(wellFormed);
const anyJson = anyValue.map(toJson);

/** Addresses that no caller may see in an error. */
export const backendAddresses = [
  "https://chatgpt.com/backend-api/codex/responses",
  "wss://chatgpt.com/backend-api/codex/responses",
  "https://api.openai.com/v1/responses",
  "http://10.1.2.3:8080/v1/responses?x=1",
  "http://[::1]:8080/v1",
] as const;

const words = fc.oneof(
  anyText,
  fc.constantFrom(
    "Rate limit reached. Please try again in 20s.",
    "The 'gpt-5.4' model is not supported when using Codex with a ChatGPT account.",
    "<html><body><h1>502 Bad Gateway</h1></body></html>",
    "x".repeat(20_000),
    "Incomplete response returned, reason: max_output_tokens",
    "stream disconnected before completion",
  ),
  fc.constantFrom(...backendAddresses).map((address) => `error sending request for url (${address})`),
);

const codes = fc.oneof(
  fc.constantFrom(
    "rate_limit_exceeded",
    "context_length_exceeded",
    "insufficient_quota",
    "usage_not_included",
    "invalid_prompt",
    "server_error",
    "server_is_overloaded",
    "cyber_policy",
    "bio_policy",
    "content_policy_violation",
    "model_not_found",
  ),
  anyText,
);

const errorStatuses = fc.oneof(
  fc.constantFrom(400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 451, 500, 501, 502, 503, 504, 529),
  fc.integer({ min: 400, max: 599 }),
);
const otherStatuses = fc.constantFrom(200, 204, 206, 302, 304, 307);

const errorBody = fc.oneof(
  fc
    .record(
      { message: words, code: codes, type: codes, param: fc.constantFrom(null, "input") },
      { noNullPrototype: true },
    )
    .map((error) => ({ error })),
  fc.record({ detail: words }, { noNullPrototype: true }),
  words,
  anyJson,
);

function answerWith(statuses: fc.Arbitrary<number>): fc.Arbitrary<HttpErrorReply> {
  return fc.tuple(statuses, errorBody).map(([status, body]) => httpError(status, { body: toJson(body) }));
}

/** A backend sends no halves of characters: Codex would not read the event, and the rest of the answer would be silence. */
function wellFormed(said: string): string {
  return Buffer.from(said).toString();
}

/** What JSON makes of it, well-formed throughout. */
function toJson(value: unknown): JsonValue {
  const mend = (part: unknown): unknown => {
    if (typeof part === "string") return wellFormed(part);
    if (Array.isArray(part)) return part.map(mend);
    if (!isJsonObject(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([key, held]) => [wellFormed(key), mend(held)]));
  };
  return JSON.parse(JSON.stringify(mend(value) ?? null));
}

const spoken = fc.array(
  anyText.filter((said) => said !== ""),
  { maxLength: 4 },
);
const part: fc.Arbitrary<StreamReply> = fc.oneof(
  { weight: 4, arbitrary: spoken.map((deltas) => text({ deltas })) },
  { weight: 2, arbitrary: spoken.map((summary) => reasoning({ summary, content: summary })) },
  { weight: 1, arbitrary: anyText.map((said) => refusal(said)) },
  { weight: 1, arbitrary: anyText.map((query) => webSearchCall({ query })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("lookup", "exec_command"), fc.constantFrom("{}", '{"a":1}', '{"a":', "", "null"))
      .map(([name, args]) => functionCall({ name, arguments: args })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.oneof(fc.constantFrom("message", "reasoning", "compaction"), anyText), anyJson)
      .map(([type, value]) =>
        rawItem({ type, role: "assistant", content: toJson(value), summary: toJson(value) }),
      ),
  },
);

const ending: fc.Arbitrary<StreamReply> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(reply()) },
  {
    weight: 2,
    arbitrary: fc.tuple(codes, words).map(([code, message]) => responseFailed({ code, message })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("max_output_tokens", "content_filter", "odd")
      .map((reason) => incomplete({ reason })),
  },
  { weight: 1, arbitrary: fc.nat(3).map((afterDeltas) => cutConnection({ afterDeltas })) },
  { weight: 1, arbitrary: fc.constant(cutConnection()) },
);

const isCall = ({ parts }: StreamReply) => parts.some(({ kind }) => kind === "function_call");

/** A call whose answer is cut short holds the turn for half a minute, which is a test of its own. */
const streamed = fc
  .tuple(fc.array(part, { maxLength: 3 }), ending)
  .map(([parts, end]) =>
    reply(...(end.ending.kind === "cut" ? parts.filter((said) => !isCall(said)) : parts), end),
  );

/** What may come over a WebSocket, where an error is an event of its own. */
export const anyWebSocketAnswer: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 7, arbitrary: streamed },
  { weight: 5, arbitrary: answerWith(errorStatuses) },
  { weight: 1, arbitrary: fc.constant(usageLimitReached()) },
);

/** What may come over HTTP: also statuses that are no error, with a body that is no stream. */
export const anyHttpAnswer: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 7, arbitrary: anyWebSocketAnswer },
  { weight: 1, arbitrary: answerWith(otherStatuses) },
);
