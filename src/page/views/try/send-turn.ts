/** Sends a request and follows its answer to the end. */
import { type Api, ApiError } from "../../data/api.js";
import { SseParser } from "../../data/sse-parser.js";
import { type Answer, noAnswer } from "./answer.js";
import { readCompletion, takeChunk } from "./chat-answer.js";
import { readDecisions, readResponse, takeResponsesEvent } from "./responses-answer.js";
import type { Dialect } from "./try-form.js";
import type { SentRequest } from "./try-request.js";

export interface TurnFollower {
  readonly signal: AbortSignal;
  /** The head of the answer is there. */
  readonly onHead: (requestId: string | null) => void;
  readonly onAnswer: (answer: Answer) => void;
}

/** A model may think for long before its first word: the service has its own bounds, and the person a button. */
const headWithinMs = 3_600_000;

const readers: Readonly<Record<Dialect, (body: unknown) => Answer | null>> = {
  responses: readResponse,
  chat: readCompletion,
  decisions: readDecisions,
};

export async function sendTurn(api: Api, sent: SentRequest, follower: TurnFollower): Promise<void> {
  const answer = await api.fetch(sent.path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: sent.body,
    signal: follower.signal,
    timeoutMs: headWithinMs,
  });
  follower.onHead(answer.headers.get("x-request-id"));
  if (sent.isStreamed && answer.body !== null) return await followStream(answer.body, sent.dialect, follower);
  const body: unknown = await answer.json();
  const whole = readers[sent.dialect](body);
  if (whole === null) throw new ApiError(answer.status, "unreadable_answer", "");
  follower.onAnswer(whole);
}

async function followStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  dialect: Dialect,
  { onAnswer }: TurnFollower,
): Promise<void> {
  const parser = new SseParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let answer = noAnswer;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    for (const { data } of parser.push(read.value)) answer = takeEvent(answer, dialect, data);
    onAnswer(answer);
  }
  // Nothing of the service's ends without a last event.
  if (!answer.isWhole) throw new ApiError(0, "stream_broken", "");
}

function takeEvent(answer: Answer, dialect: Dialect, data: string): Answer {
  if (data === "[DONE]") return { ...answer, isWhole: true };
  const body = parse(data);
  return dialect === "chat" ? takeChunk(answer, body) : takeResponsesEvent(answer, body);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
