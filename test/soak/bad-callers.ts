/** What callers do that a service has to outlive. Each runs until its signal and counts how the service answered. */
import { type ClientRequest, request } from "node:http";
import { weatherTool } from "../support/weather-tool.js";
import { weatherQuestion } from "./normal-callers.js";
import { pause } from "./service-process.js";

export interface BadCallerContext {
  readonly url: string;
  readonly count: (outcome: string) => void;
}

export type BadCaller = (context: BadCallerContext, signal: AbortSignal) => Promise<void>;

/** The default limit of a body. */
const maxBodyBytes = 32 * 1024 * 1024;
export const longAnswer = "Tell me everything.";

const fill = (head: string, piece: string, tail: string, bytes = maxBodyBytes) =>
  Buffer.from(head + piece.repeat(Math.floor((bytes - head.length - tail.length - 2) / piece.length)) + tail);

interface Bomb {
  readonly path: string;
  readonly body: Buffer;
}

const responses = "/v1/responses";
const chat = "/v1/chat/completions";

function makeBombs(): readonly Bomb[] {
  const message = '{"role":"user","content":"x"},';
  return [
    { path: responses, body: fill('{"input":[', "0,", "0]}") },
    { path: chat, body: fill('{"messages":[', "0,", "0]}") },
    { path: responses, body: fill('{"input":"hello","odd":[', "{},", "{}]}") },
    { path: responses, body: fill('{"input":"hello","metadata":', "[", "", maxBodyBytes / 4) },
    { path: responses, body: fill('{"input":[', "[],", "[]]}") },
    { path: chat, body: fill('{"messages":[{"role":"user","content":"', "\\u0041", '"}]}') },
    { path: responses, body: fill('{"input":"', "a", '"}') },
    { path: chat, body: fill('{"messages":[', message, `${message.slice(0, -1)}]}`, 1024 * 1024) },
    { path: responses, body: wideObject() },
    // Over the limit.
    { path: responses, body: fill('{"input":"', "a", '"}', maxBodyBytes * 2) },
  ];
}

function wideObject(): Buffer {
  const keys: string[] = [];
  for (let index = 0; index < 2_000_000; index += 1) keys.push(`"k${index}":0`);
  return Buffer.from(`{"input":"hello","metadata":{${keys.join()}}}`);
}

/** Bodies up to the limit that cost much more than a text of their length, two at a time. */
export function sizeBombs(): BadCaller {
  const bombs = makeBombs();
  let next = 0;
  return (context, signal) =>
    inParallel(
      2,
      async () => {
        const bomb = bombs[next++ % bombs.length];
        if (bomb !== undefined) await post(context, bomb.path, bomb.body, signal);
        await pause(200);
      },
      signal,
    );
}

const half = "hi \\ud83d";
const deep = `${"[".repeat(200)}${"]".repeat(200)}`;
const tool = (name: string, description: string, key: string) =>
  `{"type":"function","name":"${name}","description":"${description}","parameters":{"type":"object","properties":{"${key}":{"type":"string"}}}}`;
const halves: readonly (readonly [path: string, body: string])[] = [
  [responses, `{"input":"${half}"}`],
  [responses, `{"input":"hello","instructions":"${half}"}`],
  [responses, `{"input":"hello","tools":[${tool("look", half, "city")}]}`],
  [responses, `{"input":"hello","tools":[${tool("look", "Looks", half)}]}`],
  [responses, `{"input":"hello","tools":[${tool(half, "Looks", "city")}]}`],
  [responses, `{"input":"hello","metadata":{"${half}":"${half}"}}`],
  [responses, `{"input":[{"role":"user","content":[{"type":"input_text","text":"${half}"}]}]}`],
  [responses, `{"input":[{"role":"user","content":"a"},{"role":"assistant","content":"${half}"}]}`],
  [chat, `{"messages":[{"role":"user","content":"${half}"}]}`],
  [
    chat,
    `{"messages":[{"role":"system","content":"${half}"},{"role":"user","content":"a","name":"${half}"}]}`,
  ],
  [responses, `{"input":"hello","odd":${deep}}`],
  [responses, `{"input":"hello","tools":[{"type":"function","name":"f","parameters":{"default":${deep}}}]}`],
];

/** Texts cut in the middle of a character, and JSON deeper than Codex reads, in every place that reaches it. */
export const halfEmojis: BadCaller = async (context, signal) => {
  let next = 0;
  await inParallel(
    4,
    async () => {
      const [path, body] = halves[next++ % halves.length] ?? [responses, ""];
      await post(context, path, Buffer.from(body), signal);
      await pause(400);
    },
    signal,
  );
};

/** Sixteen bodies of full size, each one byte short. */
export function abandonedBodies(): BadCaller {
  const body = fill('{"input":"', "a", '"}').subarray(0, -1);
  return (context, signal) =>
    inParallel(
      16,
      async () => {
        const call = open(context, responses, body.length + 1, signal);
        call.write(body);
        await answered(call, context);
        await pause(1_000);
      },
      signal,
    );
}

/** Sixteen bodies that come byte by byte. */
export const slowBodies: BadCaller = async (context, signal) => {
  await inParallel(
    16,
    async () => {
      const call = open(context, responses, maxBodyBytes, signal);
      const timer = setInterval(() => call.write(" "), 250);
      await answered(call, context);
      clearInterval(timer);
      await pause(1_000);
    },
    signal,
  );
};

/** Callers that leave: with the request just sent, in the middle of the answer, by the end of the socket or by its reset. */
export const leavers: BadCaller = async (context, signal) => {
  let next = 0;
  await inParallel(
    6,
    async () => {
      const number = next++;
      const body = Buffer.from(JSON.stringify({ input: "hello", stream: number % 2 === 0 }));
      const call = open(context, responses, body.length, signal);
      call.end(body);
      const isEarly = number % 3 === 0;
      if (isEarly) await pause(number % 40);
      else await Promise.race([new Promise((resolve) => call.once("response", resolve)), closed(call)]);
      if (number % 4 === 0) call.socket?.resetAndDestroy();
      else call.destroy();
      context.count(isEarly ? "left before the answer" : "left in the answer");
      await pause(150);
    },
    signal,
  );
};

/** Callers that ask for a long stream and read nothing of it. */
export const slowReaders: BadCaller = async (context, signal) => {
  await inParallel(
    8,
    async () => {
      const body = Buffer.from(JSON.stringify({ input: longAnswer, stream: true }));
      const call = open(context, responses, body.length, signal);
      call.end(body);
      await new Promise<void>((resolve) => {
        call.once("response", (answer) => {
          answer.pause();
          context.count(`read nothing after ${answer.statusCode}`);
          resolve();
        });
        call.once("close", resolve);
      });
      await closed(call);
    },
    signal,
  );
};

/** Function calls whose outputs never come: each leaves a turn parked. */
export const unansweredCalls: BadCaller = async (context, signal) => {
  const body = Buffer.from(JSON.stringify({ input: weatherQuestion, tools: [weatherTool] }));
  await inParallel(
    2,
    async () => {
      await post(context, responses, body, signal);
      await pause(1_500);
    },
    signal,
  );
};

async function inParallel(count: number, step: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const loop = async () => {
    while (!signal.aborted) await step();
  };
  await Promise.all(Array.from({ length: count }, loop));
}

function open({ url }: BadCallerContext, path: string, bytes: number, signal: AbortSignal): ClientRequest {
  const headers = { "content-type": "application/json", "content-length": bytes };
  const call = request(`${url}${path}`, { method: "POST", agent: false, headers });
  // The socket's end is what these callers look for; its errors say nothing more.
  call.on("error", () => {});
  const leave = () => call.destroy();
  signal.addEventListener("abort", leave, { once: true });
  call.once("close", () => signal.removeEventListener("abort", leave));
  return call;
}

async function post(
  context: BadCallerContext,
  path: string,
  body: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const call = open(context, path, body.length, signal);
  call.end(body);
  await answered(call, context);
}

/** Counts the answer's status and error code, or that there was none. */
async function answered(call: ClientRequest, { count }: BadCallerContext): Promise<void> {
  let outcome = "no answer";
  call.once("response", (answer) => {
    outcome = String(answer.statusCode);
    let text = "";
    answer.on("data", (chunk) => {
      if (text.length < 4_096) text += chunk;
    });
    answer.on("end", () => {
      const code = /"code":\s*"(\w+)"/.exec(text)?.[1];
      if (code !== undefined && answer.statusCode !== 200) outcome += ` ${code}`;
      call.destroy();
    });
  });
  await closed(call);
  count(call.destroyed && outcome === "no answer" ? "no answer before it left" : outcome);
}

function closed(call: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    if (call.closed) resolve();
    else call.once("close", () => resolve());
  });
}
