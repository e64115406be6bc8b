import type { JsonObject } from "./json.js";
import type { OutputPart } from "./output-parts.js";
import type { RecordedModelRequest } from "./recorded-request.js";

/** A scripted answer to one model request. */
export type Reply = StreamReply | HttpErrorReply | HangUpReply;

/** A reply, or how to make one from the request it answers. */
export type ReplySource = Reply | ((request: RecordedModelRequest) => Reply);

/** The tokens that a response says it took. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
}

export const DEFAULT_USAGE: TokenUsage = {
  inputTokens: 12,
  cachedInputTokens: 4,
  cacheWriteInputTokens: 2,
  outputTokens: 7,
  reasoningOutputTokens: 0,
};

/** A response, streamed event by event. */
export interface StreamReply {
  readonly kind: "stream";
  readonly parts: readonly OutputPart[];
  readonly ending: Ending;
  readonly usage: TokenUsage | undefined;
  /** Silence before the very first byte of the answer, status line included. */
  readonly startDelayMs: number;
  /** Silence between the announcement of the response and the first of its items. */
  readonly silenceMs: number;
  /** Its first event waits until this settles. */
  readonly gate?: Promise<unknown>;
}

/** How a scripted response ends. */
export type Ending =
  | { readonly kind: "completed" }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
  /** A bare `error` event in place of `response.failed`. */
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  /** Any one event in place of the end, as it is. */
  | { readonly kind: "event"; readonly event: JsonObject & { readonly type: string } }
  | { readonly kind: "incomplete"; readonly reason: string }
  /** The socket is destroyed: after so many text deltas, or after everything but `response.completed`. */
  | { readonly kind: "cut"; readonly afterDeltas: number | undefined }
  /** Silence on an open stream, until the client closes it. */
  | { readonly kind: "stall"; readonly afterDeltas: number | undefined };

/** A refusal by status. */
export interface HttpErrorReply {
  readonly kind: "http-error";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Serialised `{"error": {...}}`, or whatever body was given. */
  readonly bodyText: string;
  readonly startDelayMs: number;
}

/** The request is read and the connection ends without a word of an answer. */
export interface HangUpReply {
  readonly kind: "hang-up";
  /** A TCP reset; or an orderly end, over a WebSocket with this close code. */
  readonly how: "reset" | { readonly closeCode: number; readonly reason: string };
  readonly startDelayMs: number;
}

export function streamOf(parts: readonly OutputPart[], ending: Ending = { kind: "completed" }): StreamReply {
  return { kind: "stream", parts, ending, usage: undefined, startDelayMs: 0, silenceMs: 0 };
}

/**
 * Several replies as one response: their items in order, the last usage given, the last ending that is not
 * `completed`, the longest delays. `reply(text("half a"), cutConnection())` and
 * `reply(functionCall(a), functionCall(b))` are what it is for.
 */
export function reply(...replies: readonly StreamReply[]): StreamReply {
  const ending = replies.findLast((each) => each.ending.kind !== "completed")?.ending;
  return {
    kind: "stream",
    parts: replies.flatMap((each) => each.parts),
    ending: ending ?? { kind: "completed" },
    usage: replies.findLast((each) => each.usage !== undefined)?.usage,
    startDelayMs: Math.max(0, ...replies.map((each) => each.startDelayMs)),
    silenceMs: Math.max(0, ...replies.map((each) => each.silenceMs)),
  };
}

/** A model that thinks: the response is announced at once, and its first item comes after a silence of `silenceMs`. */
export function silent(silenceMs: number, answer: StreamReply): StreamReply {
  return { ...answer, silenceMs };
}

/** The same answer, once `gate` has settled: for a test that waits for a state of many open streams. */
export function held(gate: Promise<unknown>, answer: StreamReply): StreamReply {
  return { ...answer, gate };
}

/** The same answer, begun only after a silence of `startDelayMs`. */
export function delayed<R extends Reply>(startDelayMs: number, answer: R): R {
  return { ...answer, startDelayMs };
}
