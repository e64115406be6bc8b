import type { JsonObject } from "./json.js";
import type { UrlCitation } from "./output-parts.js";
import { type Ending, type HangUpReply, type StreamReply, streamOf, type TokenUsage } from "./reply.js";

/** A message, delta by delta. */
export interface TextOptions {
  readonly deltas: readonly string[];
  /** Between two deltas. Default 0: all at once. */
  readonly delayMs?: number;
  /** Before the first delta. Default `delayMs`. */
  readonly firstDelayMs?: number;
  readonly usage?: Partial<TokenUsage>;
  readonly annotations?: readonly UrlCitation[];
  /** `commentary` or `final_answer`, as the newer models mark their messages. */
  readonly phase?: string;
}

/** An assistant message. A plain string arrives word by word, without delay. */
export function text(content: string | TextOptions): StreamReply {
  const options: TextOptions = typeof content === "string" ? { deltas: splitIntoWords(content) } : content;
  const delayMs = options.delayMs ?? 0;
  const answer = streamOf([
    {
      kind: "text",
      text: options.deltas.join(""),
      deltasJson: options.deltas.map((delta) => JSON.stringify(delta)),
      delayMs,
      firstDelayMs: options.firstDelayMs ?? delayMs,
      annotations: options.annotations ?? [],
      phase: options.phase,
    },
  ]);
  return options.usage === undefined ? answer : withUsage(options.usage, answer);
}

/** A message cut into `count` deltas of about equal length, `delayMs` apart. */
export function textInDeltas(content: string, count: number, delayMs = 0): StreamReply {
  const characters = Array.from(content);
  const deltas = Array.from({ length: count }, (_, index) =>
    characters
      .slice(
        Math.floor((index * characters.length) / count),
        Math.floor(((index + 1) * characters.length) / count),
      )
      .join(""),
  );
  return text({ deltas: deltas.filter((delta) => delta !== ""), delayMs });
}

/** The same answer, with these counts of tokens; what is left out is 0. */
export function withUsage(usage: Partial<TokenUsage>, answer: StreamReply): StreamReply {
  const full = {
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 0,
    reasoningOutputTokens: 0,
    ...usage,
  };
  return { ...answer, usage: full };
}

/** A reasoning item: its summary, its content, and what only the model can read. */
export interface ReasoningOptions {
  readonly summary?: readonly string[];
  readonly content?: readonly string[];
  readonly encryptedContent?: string;
  readonly delayMs?: number;
}

/** A reasoning item; each summary part is streamed word by word. */
export function reasoning(options: ReasoningOptions): StreamReply {
  return streamOf([
    {
      kind: "reasoning",
      summary: (options.summary ?? []).map(splitIntoWords),
      content: options.content ?? [],
      encryptedContent: options.encryptedContent,
      delayMs: options.delayMs ?? 0,
    },
  ]);
}

/** An assistant message whose content is a refusal. */
export function refusal(content: string): StreamReply {
  return streamOf([{ kind: "refusal", text: content }]);
}

/** A call: whose function, with what, and after how long. */
export interface FunctionCallOptions {
  readonly name: string;
  /** A string is sent as it is, valid JSON or not. */
  readonly arguments: string | JsonObject;
  readonly callId?: string;
  readonly namespace?: string;
  readonly delayMs?: number;
}

/** A call of one of the request's functions. Several in one `reply(...)` are parallel calls. */
export function functionCall(options: FunctionCallOptions): StreamReply {
  const given = options.arguments;
  return streamOf([
    {
      kind: "function_call",
      name: options.name,
      namespace: options.namespace,
      arguments: typeof given === "string" ? given : JSON.stringify(given),
      callId: options.callId,
      delayMs: options.delayMs ?? 0,
    },
  ]);
}

/** What was searched for, and found. */
export interface WebSearchOptions {
  readonly query: string;
  readonly sources?: readonly string[];
  readonly delayMs?: number;
}

/** A search the backend has made by itself: in_progress, searching, completed. */
export function webSearchCall(options: WebSearchOptions): StreamReply {
  const { query, sources = [], delayMs = 0 } = options;
  return streamOf([{ kind: "web_search", query, sources, delayMs }]);
}

export interface ShellCallOptions {
  readonly command: readonly string[];
  /** `local_shell_call` is an item of its own; the others are functions of that name. Default `exec_command`. */
  readonly as?: "local_shell_call" | "shell" | "exec_command";
  readonly callId?: string;
}

/** The model asks for a command to be run on this machine. An isolated turn must not do it. */
export function shellCall(options: ShellCallOptions): StreamReply {
  const { command, as = "exec_command", callId } = options;
  if (as === "local_shell_call") {
    const action = { type: "exec", command, timeout_ms: 1_000, env: {} };
    return rawItem({ type: as, call_id: callId ?? "call_local_shell", status: "completed", action });
  }
  const args: JsonObject = as === "shell" ? { command } : { cmd: command.join(" ") };
  return functionCall({ name: as, arguments: args, ...(callId === undefined ? {} : { callId }) });
}

/** An output item of any type, sent without deltas. An `id` is added when it has none. */
export function rawItem(item: JsonObject & { readonly type: string }, delayMs = 0): StreamReply {
  return streamOf([{ kind: "raw", item, delayMs }]);
}

/** `response.failed` after the response was created (and after any parts it is combined with). */
export function responseFailed(error: { readonly code: string; readonly message: string }): StreamReply {
  return streamOf([], { kind: "failed", ...error });
}

/** A bare `error` event after the response was created. */
export function streamError(error: { readonly code: string; readonly message: string }): StreamReply {
  return streamOf([], { kind: "error", ...error });
}

/** The response is created, and this one event is its end. */
export function lastEvent(event: JsonObject & { readonly type: string }): StreamReply {
  return streamOf([], { kind: "event", event });
}

/** The connection is reset before any answer. */
export function resetConnection(): HangUpReply {
  return { kind: "hang-up", how: "reset", startDelayMs: 0 };
}

/** The connection is closed in order before any answer; over a WebSocket with this code and reason. */
export function hangUp(closeCode = 1000, reason = ""): HangUpReply {
  return { kind: "hang-up", how: { closeCode, reason }, startDelayMs: 0 };
}

/** The input is too long for the model. */
export function contextLengthExceeded(): StreamReply {
  return responseFailed({
    code: "context_length_exceeded",
    message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
  });
}

/** `response.incomplete`, with what was said so far. Reasons: `max_output_tokens`, `content_filter`. */
export function incomplete(options: { readonly reason: string; readonly text?: string }): StreamReply {
  const said = options.text === undefined ? [] : text(options.text).parts;
  return streamOf(said, { kind: "incomplete", reason: options.reason });
}

/** Where in its answer a connection breaks. */
export interface InterruptionOptions {
  /** How many text deltas go out first. Default: everything but the end. 0: only `response.created`. */
  readonly afterDeltas?: number;
}

/** The connection breaks in the middle of the answer. */
export function cutConnection(options: InterruptionOptions = {}): StreamReply {
  return interruption("cut", options.afterDeltas);
}

/** The backend goes silent and keeps the connection open. */
export function stall(options: InterruptionOptions = {}): StreamReply {
  return interruption("stall", options.afterDeltas);
}

function interruption(kind: "cut" | "stall", afterDeltas: number | undefined): StreamReply {
  const ending: Ending = { kind, afterDeltas };
  if (afterDeltas === undefined || afterDeltas === 0) {
    return streamOf([], ending);
  }
  const deltas = Array.from({ length: afterDeltas + 1 }, (_, index) => `word${index + 1} `);
  return streamOf(text({ deltas }).parts, ending);
}

function splitIntoWords(content: string): string[] {
  return content.match(/\s*\S+\s*$|\s*\S+|\s+/gu) ?? [];
}
