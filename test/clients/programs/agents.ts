/** What a program does with the OpenAI Agents SDK, over both of its APIs and over its WebSocket. */
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "@openai/agents";
import { z } from "zod";
import { expect, report } from "../capabilities.js";

/** Its traces would go to OpenAI. */
setTracingDisabled(true);

const model = process.env.MODEL ?? "";
const hello = "Hello from the model.";
const [baseURL, apiKey] = [process.env.OPENAI_BASE_URL ?? "", process.env.OPENAI_API_KEY ?? ""];
const runners = [true, false].map(
  (useResponses) => new Runner({ modelProvider: new OpenAIProvider({ baseURL, apiKey, useResponses }) }),
);
const greeter = new Agent({ name: "Greeter", model });

await report("text", async () => {
  for (const runner of runners) {
    const { finalOutput } = await runner.run(greeter, "Say hello.");
    expect(finalOutput === hello, finalOutput);
  }
});

await report("stream", async () => {
  for (const runner of runners) {
    const result = await runner.run(greeter, "Say hello.", { stream: true });
    const deltas: string[] = [];
    for await (const event of result) {
      if (event.type !== "raw_model_stream_event" || event.data.type !== "output_text_delta") continue;
      deltas.push(event.data.delta);
    }
    expect(result.finalOutput === hello && deltas.length > 1, deltas);
  }
});

await report("functions", async () => {
  const weather = tool({
    name: "weather",
    description: "The weather in a city",
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => `clear in ${city}`,
  });
  const agent = new Agent({ name: "Forecaster", model, tools: [weather] });
  for (const runner of runners) {
    const { finalOutput } = await runner.run(agent, "Ask the weather.");
    expect(finalOutput?.includes("clear in Rome") === true, finalOutput);
  }
});

await report("structured output", async () => {
  const outputType = z.object({ name: z.string(), age: z.number() });
  const agent = new Agent({ name: "Person", model, outputType });
  for (const runner of runners) {
    const { finalOutput } = await runner.run(agent, "Who is it?");
    expect(finalOutput?.age === 36, finalOutput);
  }
});

await report("chain / resume", async () => {
  const [runner] = runners;
  const first = await runner?.run(greeter, "Say hello.");
  const previousResponseId = String(first?.lastResponseId);
  const second = await runner?.run(greeter, "What was said?", { previousResponseId });
  expect(second?.finalOutput?.includes("Say hello.") === true, second?.finalOutput);
});

await report("abort", async () => {
  for (const runner of runners) {
    const abort = new AbortController();
    const given = { stream: true, signal: abort.signal } as const;
    const result = await runner.run(greeter, "Never end.", given);
    for await (const event of result) {
      if (event.type === "raw_model_stream_event" && event.data.type === "output_text_delta") abort.abort();
    }
    expect(abort.signal.aborted && result.finalOutput === undefined, result.finalOutput);
  }
});

await report("WebSocket", async () => {
  const modelProvider = new OpenAIProvider({
    baseURL,
    apiKey,
    useResponses: true,
    useResponsesWebSocket: true,
  });
  try {
    const result = await new Runner({ modelProvider }).run(greeter, "Say hello.");
    expect(result.finalOutput === hello, result.finalOutput);
  } finally {
    await modelProvider.close();
  }
});
