import OpenAI from "openai";
import { weatherTool } from "../support/weather-tool.js";

/** One thing a caller does, and how it came out in a word. Throws what the client throws. */
export interface Operation {
  readonly name: string;
  run(client: OpenAI, signal: AbortSignal): Promise<string>;
}

/** The offline backend calls the function for inputs that ask for the weather. */
export const toolInput = "What is the weather?";

export const operations: readonly Operation[] = [
  {
    name: "json",
    run: async (client, signal) =>
      (await client.responses.create({ input: "hello" }, { signal })).status ?? "none",
  },
  {
    name: "stream",
    run: async (client, signal) => {
      const stream = await client.responses.create({ input: "hello", stream: true }, { signal });
      let last = "none";
      for await (const event of stream) last = event.type;
      return last;
    },
  },
  {
    name: "leave",
    run: async (client, signal) => {
      const leave = new AbortController();
      const stream = await client.responses.create(
        { input: "hello", stream: true },
        { signal: AbortSignal.any([signal, leave.signal]) },
      );
      for await (const event of stream) if (event.type === "response.output_text.delta") break;
      leave.abort();
      return "left";
    },
  },
  {
    name: "chain",
    run: async (client, signal) => {
      let previous: string | null = null;
      for (let step = 0; step < 4; step += 1) {
        const response: OpenAI.Responses.Response = await client.responses.create(
          { input: `step ${step}`, previous_response_id: previous },
          { signal },
        );
        previous = response.id;
      }
      return "completed";
    },
  },
  {
    name: "tools",
    run: async (client, signal) => {
      const first = await client.responses.create({ input: toolInput, tools: [weatherTool] }, { signal });
      const input = first.output.flatMap((item) =>
        item.type === "function_call"
          ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "sunny" }]
          : [],
      );
      if (input.length === 0) return "no call";
      const second = await client.responses.create(
        { previous_response_id: first.id, input, tools: [weatherTool] },
        { signal },
      );
      return second.status ?? "none";
    },
  },
  {
    name: "background",
    run: async (client, signal) => {
      const { id } = await client.responses.create({ input: "later", background: true }, { signal });
      for (;;) {
        const { status } = await client.responses.retrieve(id);
        if (signal.aborted) return "hung";
        if (status !== "queued" && status !== "in_progress") return status ?? "none";
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  },
  {
    name: "refused",
    run: async (client, signal) => {
      const answer = await client.responses
        .create({ input: [], model: "nothing" }, { signal })
        .catch((error: unknown) => error);
      return answer instanceof OpenAI.APIError ? `refused ${answer.status}` : "answered";
    },
  },
];
