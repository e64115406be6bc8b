/** Callers as they should be: the official client with its defaults, one request after the other, with time between them. */
import { setMaxListeners } from "node:events";
import OpenAI from "openai";
import { z } from "zod";
import { weatherTool } from "../support/weather-tool.js";
import { SocketCaller, type SocketEvent } from "../support/web-socket-caller.js";
import { describeFailure, type Failure, hangMs, TurnFailed } from "./failures.js";
import { pause } from "./service-process.js";

/** One request of a normal caller's, from sent to answered in full. */
export interface Wait {
  readonly what: string;
  readonly beganMs: number;
  readonly endedMs: number;
  /** Null: it went well. */
  readonly failure: Failure | null;
  /** Whether the caller had seen a part of the answer when it failed. */
  readonly wasCut: boolean;
}

/** The offline backend calls the function for inputs that ask for the weather. */
export const weatherQuestion = "What is the weather?";
/** A history of the size that most have. */
const longText = "All of this was said before. ".repeat(1_400);

/** `see` is called when the caller has seen a part of the answer. By the signal, the request counts as hung. */
type Ask = <T>(what: string, run: (see: () => void, signal: AbortSignal) => Promise<T>) => Promise<T>;
type Operation = (client: OpenAI, ask: Ask) => Promise<void>;

const hello = { role: "user", content: "hello" } as const;

const operations: readonly Operation[] = [
  (client, ask) =>
    expectText(ask("response", (_, signal) => client.responses.create({ input: "hello" }, { signal }))),
  (client, ask) =>
    expectText(ask("long response", (_, signal) => client.responses.create({ input: longText }, { signal }))),
  (client, ask) =>
    ask("streamed response", async (see, signal) => {
      const stream = await client.responses.create({ input: "hello", stream: true }, { signal });
      let last = "none";
      for await (const event of stream) {
        last = event.type;
        if (last !== "response.created" && last !== "response.in_progress") see();
        if (event.type === "response.failed") throw new TurnFailed(event.response.error?.code);
      }
      if (last !== "response.completed") throw new Error(`the stream ended with ${last}`);
    }),
  (client, ask) =>
    ask("chat completion", async (_, signal) => {
      const body = { model: "gpt-5.5", messages: [hello] };
      const { choices } = await client.chat.completions.create(body, { signal });
      if (!choices[0]?.message.content) throw new Error("an empty completion");
    }),
  (client, ask) =>
    ask("streamed chat completion", async (see, signal) => {
      const body = { model: "gpt-5.5", messages: [hello], stream: true as const };
      let reason: string | null = null;
      for await (const { choices } of await client.chat.completions.create(body, { signal })) {
        see();
        reason = choices[0]?.finish_reason ?? reason;
      }
      if (reason !== "stop") throw new Error(`the stream ended with ${reason}`);
    }),
  async (client, ask) => {
    let previous: string | null = null;
    for (let step = 0; step < 3; step += 1) {
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        input: `step ${step}`,
        previous_response_id: previous,
      };
      const response: OpenAI.Responses.Response = await ask(
        step === 0 ? "first of a chain" : "chained response",
        (_, signal) => client.responses.create(body, { signal }),
      );
      previous = response.id;
    }
  },
  async (client, ask) => {
    const called = await ask("function call", (_, signal) =>
      client.responses.create({ input: weatherQuestion, tools: [weatherTool] }, { signal }),
    );
    const input = called.output.flatMap((item) =>
      item.type === "function_call"
        ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "sunny" }]
        : [],
    );
    const body = { input, previous_response_id: called.id, tools: [weatherTool] };
    await expectText(ask("function output", (_, signal) => client.responses.create(body, { signal })));
  },
  (client, ask) =>
    ask("background response", async (_, signal) => {
      let answer = await client.responses.create({ input: "later", background: true }, { signal });
      while (answer.status === "queued" || answer.status === "in_progress") {
        await pause(100);
        answer = await client.responses.retrieve(answer.id, {}, { signal });
      }
      if (answer.status !== "completed") throw new TurnFailed(answer.error?.code);
    }),
  (client, ask) =>
    ask("decision", async (_, signal) => {
      const questions = [{ type: "predicate", name: "p", instructions: "It is urgent." }];
      const body = { model: "gpt-6-luna", input: "hello", questions };
      const answer: unknown = await client.post("/decisions", { body, signal });
      if (!JSON.stringify(answer).includes('"answers"')) throw new Error("a decision without answers");
    }),
  askOverWebSocket,
];

/** A connection of its own, two responses that are not stored, and the end of the connection. */
async function askOverWebSocket({ baseURL }: OpenAI, ask: Ask): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    let previous: unknown;
    const url = baseURL.replace(/\/v1$/, "");
    const caller = await ask("WebSocket", () =>
      SocketCaller.open({ teardown: (end) => void ends.push(() => end()) }, url),
    );
    for (const what of ["response over a WebSocket", "chained response over a WebSocket"]) {
      const body = {
        input: "hello",
        store: false,
        ...(previous !== undefined && { previous_response_id: previous }),
      };
      previous = await ask(what, async (see, signal) => {
        signal.addEventListener("abort", () => caller.webSocket.terminate(), { once: true });
        caller.create(body);
        return readSocketAnswer(caller, see);
      });
    }
  } finally {
    for (const end of ends) end();
  }
}

const socketAnswer = z.object({
  response: z.object({ id: z.string(), error: z.object({ code: z.string() }).nullish() }).optional(),
  error: z.object({ code: z.string().nullish() }).nullish(),
});

/** The id of the response. */
async function readSocketAnswer(caller: SocketCaller, see: () => void): Promise<string> {
  for (;;) {
    const event: SocketEvent = await caller.next(
      "response.output_text.delta",
      "response.completed",
      "response.failed",
      "error",
    );
    if (event.type === "response.output_text.delta") see();
    else {
      const { response, error } = socketAnswer.parse(event);
      if (event.type !== "response.completed" || response === undefined)
        throw new TurnFailed(response?.error?.code ?? error?.code);
      return response.id;
    }
  }
}

async function expectText(answer: Promise<OpenAI.Responses.Response>): Promise<void> {
  const { output_text: said } = await answer;
  if (said === "") throw new Error("an empty answer");
}

export interface NormalCallersOptions {
  readonly url: string;
  readonly callers: number;
  /** From the begin of one operation to that of the next. */
  readonly paceMs: number;
  /** Whether they begin nothing for now. */
  readonly isQuiet: () => boolean;
  readonly onWait: (wait: Wait) => void;
}

/** Runs the callers until the signal, and resolves when each has its last answer. */
export async function runNormalCallers(options: NormalCallersOptions, signal: AbortSignal): Promise<void> {
  const client = new OpenAI({ apiKey: "unused", baseURL: `${options.url}/v1`, timeout: hangMs });
  const ask: Ask = async (what, run) => {
    const beganMs = performance.now();
    let hasSeen = false;
    let failure: Failure | null = null;
    // Of the whole request, with what the client tries again: its own limit is of each answer's head.
    const deadline = AbortSignal.timeout(hangMs);
    // A caller that asks how its background response is doing adds one listener each time.
    setMaxListeners(0, deadline);
    try {
      return await run(() => {
        hasSeen = true;
      }, deadline);
    } catch (error) {
      failure = describeFailure(deadline.aborted ? new Error("it hung") : error);
      throw error;
    } finally {
      const wasCut = failure !== null && hasSeen;
      options.onWait({ what, beganMs, endedMs: performance.now(), failure, wasCut });
    }
  };
  const caller = async (first: number) => {
    // Not all at once.
    await pause((options.paceMs / options.callers) * first);
    for (let turn = first; !signal.aborted; turn += 1) {
      const next = pause(options.paceMs);
      // A failure is recorded where it happened; the caller asks for something else then.
      if (!options.isQuiet()) await operations[turn % operations.length]?.(client, ask).catch(() => {});
      await next;
    }
  };
  await Promise.all([
    probe(options, ask, signal),
    ...Array.from({ length: options.callers }, (_, index) => caller(index)),
  ]);
}

/** Asks what needs no Codex: how long it takes is how long the service was busy with something else. */
async function probe({ url, isQuiet }: NormalCallersOptions, ask: Ask, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!isQuiet())
      await ask("probe", async (_, deadline) => {
        const { status } = await fetch(`${url}/livez`, { signal: deadline });
        if (status !== 200) throw new Error(String(status));
      }).catch(() => {});
    await pause(200);
  }
}
