/** Callers as they should be: the official client with its defaults, one request after the other, with time between them. */
import OpenAI from "openai";
import { weatherTool } from "../support/weather-tool.js";
import { pause } from "./service-process.js";

/** One request of a normal caller's, from sent to answered in full. */
export interface Wait {
  readonly what: string;
  readonly beganMs: number;
  readonly endedMs: number;
  /** Null: it went well. */
  readonly failure: string | null;
  /** Whether the caller had seen a part of the answer when it failed. */
  readonly wasCut: boolean;
}

/** The offline backend calls the function for inputs that ask for the weather. */
export const weatherQuestion = "What is the weather?";
/** A history of the size that most have. */
const longText = "All of this was said before. ".repeat(1_400);

type Ask = <T>(what: string, run: (see: () => void) => Promise<T>) => Promise<T>;
type Operation = (client: OpenAI, ask: Ask) => Promise<void>;

const operations: readonly Operation[] = [
  (client, ask) => expectText(ask("response", () => client.responses.create({ input: "hello" }))),
  (client, ask) => expectText(ask("long response", () => client.responses.create({ input: longText }))),
  (client, ask) =>
    ask("streamed response", async (see) => {
      const stream = await client.responses.create({ input: "hello", stream: true });
      let last = "none";
      for await (const event of stream) {
        last = event.type;
        if (last !== "response.created" && last !== "response.in_progress") see();
        if (event.type === "response.failed") throw new Error(event.response.error?.code ?? "failed");
      }
      if (last !== "response.completed") throw new Error(`the stream ended with ${last}`);
    }),
  (client, ask) =>
    ask("chat completion", async () => {
      const { choices } = await client.chat.completions.create({ model: "gpt-5.5", messages: [hello] });
      if (!choices[0]?.message.content) throw new Error("an empty completion");
    }),
  (client, ask) =>
    ask("streamed chat completion", async (see) => {
      const stream = await client.chat.completions.create({
        model: "gpt-5.5",
        messages: [hello],
        stream: true,
      });
      let reason: string | null = null;
      for await (const { choices } of stream) {
        see();
        reason = choices[0]?.finish_reason ?? reason;
      }
      if (reason !== "stop") throw new Error(`the stream ended with ${reason}`);
    }),
  async (client, ask) => {
    let previous: string | null = null;
    for (let step = 0; step < 3; step += 1) {
      const response: OpenAI.Responses.Response = await ask("chained response", () =>
        client.responses.create({ input: `step ${step}`, previous_response_id: previous }),
      );
      previous = response.id;
    }
  },
  async (client, ask) => {
    const called = await ask("function call", () =>
      client.responses.create({ input: weatherQuestion, tools: [weatherTool] }),
    );
    const outputs = called.output.flatMap((item) =>
      item.type === "function_call"
        ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "sunny" }]
        : [],
    );
    await expectText(
      ask("function output", () =>
        client.responses.create({ input: outputs, previous_response_id: called.id, tools: [weatherTool] }),
      ),
    );
  },
  (client, ask) =>
    ask("background response", async () => {
      let { id, status } = await client.responses.create({ input: "later", background: true });
      while (status === "queued" || status === "in_progress") {
        await pause(100);
        ({ id, status } = await client.responses.retrieve(id));
      }
      if (status !== "completed") throw new Error(`ended as ${status}`);
    }),
];

const hello = { role: "user", content: "hello" } as const;

async function expectText(answer: Promise<OpenAI.Responses.Response>): Promise<void> {
  const { output_text: said } = await answer;
  if (said === "") throw new Error("an empty answer");
}

export interface NormalCallersOptions {
  readonly url: string;
  readonly callers: number;
  /** From the begin of one operation to that of the next. */
  readonly paceMs: number;
  readonly onWait: (wait: Wait) => void;
}

/** Runs the callers until the signal, and resolves when each has its last answer. */
export async function runNormalCallers(options: NormalCallersOptions, signal: AbortSignal): Promise<void> {
  const client = new OpenAI({ apiKey: "unused", baseURL: `${options.url}/v1`, timeout: 120_000 });
  const ask: Ask = async (what, run) => {
    const beganMs = performance.now();
    let hasSeen = false;
    let failure: string | null = null;
    try {
      return await run(() => {
        hasSeen = true;
      });
    } catch (error) {
      failure = describeError(error);
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
      await operations[turn % operations.length]?.(client, ask).catch(() => {});
      await next;
    }
  };
  await Promise.all([
    probe(options, ask, signal),
    ...Array.from({ length: options.callers }, (_, index) => caller(index)),
  ]);
}

/** Asks what needs no Codex: how long it takes is how long the service was busy with something else. */
async function probe({ url }: NormalCallersOptions, ask: Ask, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ask("probe", async () => {
      const { status } = await fetch(`${url}/livez`);
      if (status !== 200) throw new Error(String(status));
    }).catch(() => {});
    await pause(200);
  }
}

function describeError(error: unknown): string {
  if (error instanceof OpenAI.APIError) return `${error.status ?? ""} ${error.code ?? error.message}`.trim();
  return error instanceof Error ? error.message : String(error);
}
