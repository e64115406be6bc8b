/** Drives the chat dialect as the HTTP layer does, without any socket, and reads its streams. */
import { unmetObligations } from "../../src/main/dialects/answers/obligations.js";
import { type ChatTurn, toChatTurn } from "../../src/main/dialects/chat-completions/decode.js";
import { CompletionStream } from "../../src/main/dialects/chat-completions/encode.js";
import { parseChatRequest } from "../../src/main/dialects/chat-completions/request-schema.js";
import type {
  ChatChunk,
  ChatCompletion,
  ChatStreamPart,
  Delta,
} from "../../src/main/dialects/chat-completions/wire-types.js";
import type { CodexNativeApiError } from "../../src/main/errors.js";
import type { IsolatedTurnResult, JsonObject, TurnEvent } from "../../src/main/runtime/types.js";
import { fakeStarted, fakeUsage } from "./fake-runtime.js";

const hello = { messages: [{ role: "user", content: "hi" }] };

/** A turn with its items as values. */
export type ChatTurnShown = Omit<ChatTurn, "request"> & {
  readonly request: Omit<ChatTurn["request"], "items"> & { readonly items: readonly JsonObject[] };
};

/** The turn that a request with these fields becomes. */
export function chatTurnOf(body: object, policy: "ignore" | "reject" = "ignore"): ChatTurnShown {
  const turn = toChatTurn(parseChatRequest({ ...hello, ...body }), policy);
  return { ...turn, request: { ...turn.request, items: [...turn.request.items] } };
}

function turnOf(body: object): ChatTurn {
  return toChatTurn(parseChatRequest({ ...hello, ...body }), "ignore");
}

export function newCompletion(body: object = {}): CompletionStream {
  let ids = 0;
  return new CompletionStream(turnOf(body), {
    routePath: "/v1/chat/completions",
    wallClock: () => 1_700_000_000_500,
    newId: (prefix) => `${prefix}_${++ids}`,
  });
}

type Outcome = IsolatedTurnResult["outcome"];

/** The answer of a whole turn that is not streamed. */
export function playWhole(
  events: readonly TurnEvent[],
  outcome: Outcome = { status: "completed" },
  body: object = {},
): ChatCompletion {
  const stream = newCompletion(body);
  stream.start(fakeStarted);
  for (const event of events) stream.push(event);
  stream.end({ outcome, usage: fakeUsage, unmet: unmetOf(body, events) });
  return stream.body;
}

/** As an exchange finds it, from all that the model made. */
function unmetOf(body: object, events: readonly TurnEvent[]): readonly string[] {
  const made = events.flatMap((event) => (event.type === "item.completed" ? [event.item] : []));
  return unmetObligations(turnOf(body).obligations, made);
}

/** Everything a stream tells of a whole turn. */
export function playStream(
  events: readonly TurnEvent[],
  end: Outcome | CodexNativeApiError = { status: "completed" },
  body: object = {},
): readonly ChatStreamPart[] {
  const stream = newCompletion({ ...body, stream: true });
  stream.start(fakeStarted);
  const told = events.flatMap((event) => stream.push(event));
  if (end instanceof Error) return [...told, ...stream.fail(end)];
  return [...told, ...stream.end({ outcome: end, usage: fakeUsage, unmet: unmetOf(body, events) })];
}

export function chunksOf(parts: readonly ChatStreamPart[]): readonly ChatChunk[] {
  return parts.filter((part) => "choices" in part);
}

export function deltasOf(parts: readonly ChatStreamPart[]): readonly Delta[] {
  return chunksOf(parts).flatMap(({ choices }) => choices.map(({ delta }) => delta));
}

export function joinDeltas(
  parts: readonly ChatStreamPart[],
  field: "content" | "reasoning_content" | "refusal",
): string {
  return deltasOf(parts)
    .map((delta) => delta[field] ?? "")
    .join("");
}

export function callItem(callId: string, name: string, args: object | string): JsonObject {
  return {
    type: "function_call",
    id: `fc_${callId}`,
    call_id: callId,
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  };
}

export interface ChatStreamText {
  readonly parts: readonly ChatStreamPart[];
  readonly comments: readonly string[];
  /** Whether the stream ends with `[DONE]`. */
  readonly done: boolean;
}

/** Reads a stream as strictly as the standard has it. */
export function parseChatStream(text: string): ChatStreamText {
  if (!text.endsWith("\n\n")) throw new Error(`The stream breaks off: ${JSON.stringify(text.slice(-80))}`);
  const blocks = text.slice(0, -2).split("\n\n");
  const done = blocks.at(-1) === "data: [DONE]";
  const parts: ChatStreamPart[] = [];
  const comments: string[] = [];
  for (const block of done ? blocks.slice(0, -1) : blocks) {
    if (block.startsWith(":")) comments.push(block.slice(1).trim());
    else if (block.startsWith("data: ") && !block.includes("\n")) parts.push(JSON.parse(block.slice(6)));
    else throw new Error(`Not a chunk: ${JSON.stringify(block)}`);
  }
  return { parts, comments, done };
}
