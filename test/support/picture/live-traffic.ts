/** Callers with different work, for a page that shows something: short questions, long thought, functions, and now and then a fault. */
import { setTimeout as pause } from "node:timers/promises";
import {
  delayed,
  functionCall,
  httpError,
  lastUserText,
  type RecordedModelRequest,
  type Reply,
  reasoning,
  reply,
  text,
  textInDeltas,
  withUsage,
} from "../offline-backend/index.js";

export interface LiveCaller {
  readonly name: string;
  readonly token: string;
}

interface Job {
  readonly path: string;
  readonly body: object;
  /** Between one request and the next. */
  readonly pauseMs: number;
}

const review = "Review this change: the retry loop now waits twice as long each time.";
const lookUp = "Is the garage closed?";
const garbled = "garbled";

/** What the model answers, by what it is asked. */
export function answerLive(request: RecordedModelRequest): Reply {
  const asked = lastUserText(request) ?? "";
  if (asked === garbled) return httpError(400, { message: "The input cannot be read." });
  if (asked === lookUp)
    return delayed(180, functionCall({ name: "read_sensor", arguments: { door: "garage" } }));
  if (asked === review) {
    const thought = reasoning({
      summary: ["Checking the bound of the wait, and who cancels it."],
      delayMs: 90,
    });
    const words = textInDeltas(
      "The wait doubles without a bound: cap it at a minute, and end it when the caller leaves.",
      24,
      60,
    );
    return withUsage(
      { inputTokens: 2_140, cachedInputTokens: 1_536, outputTokens: 212, reasoningOutputTokens: 128 },
      delayed(350, reply(thought, words)),
    );
  }
  if (asked.startsWith("Mail"))
    return withUsage(
      { inputTokens: 310, cachedInputTokens: 256, outputTokens: 9 },
      delayed(120, text({ deltas: ['{"intent":', '"billing"}'], delayMs: 40 })),
    );
  const words =
    "Because air scatters short waves of light more than long ones, blue reaches us from every part of the sky.";
  return withUsage(
    { inputTokens: 64, outputTokens: 31, reasoningOutputTokens: 12 },
    delayed(300, textInDeltas(words, 20, 70)),
  );
}

function jobsOf(caller: string): readonly Job[] {
  const path = "/v1/responses";
  if (caller === "reviewer")
    return [{ path, body: { input: review, reasoning: { effort: "high" }, stream: true }, pauseMs: 900 }];
  if (caller === "garage") {
    const tools = [{ type: "function", name: "read_sensor", parameters: { type: "object" } }];
    return [
      { path, body: { input: lookUp, tools }, pauseMs: 2_400 },
      { path, body: { input: garbled }, pauseMs: 5_000 },
    ];
  }
  const format = {
    type: "json_schema",
    name: "intent",
    schema: { type: "object", properties: { intent: { type: "string" } } },
  };
  const input = "Mail: I was charged twice this month.";
  return [{ path, body: { input, text: { format }, store: false }, pauseMs: 350 }];
}

/** Each caller works through its jobs, again and again, until the signal aborts. Settles when all have ended. */
export async function sendLiveTraffic(
  url: string,
  callers: readonly LiveCaller[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(callers.map((caller) => work(url, caller, signal)));
}

async function work(url: string, { name, token }: LiveCaller, signal: AbortSignal): Promise<void> {
  const jobs = jobsOf(name);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    for (let count = 0; ; count++) {
      const job = jobs[count % jobs.length];
      if (job === undefined) return;
      const body = JSON.stringify(job.body);
      const answer = await fetch(url + job.path, { method: "POST", headers, body, signal });
      await answer.text();
      await pause(job.pauseMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
