/** An agent loop of the OpenAI Agents SDK, over both of its APIs: another base URL, a model of Codex's, and nothing else. */

import {
  Agent,
  getDefaultModel,
  OpenAIProvider,
  Runner,
  run,
  setDefaultOpenAIClient,
  setOpenAIAPI,
  setTracingDisabled,
  tool,
} from "@openai/agents";
import OpenAI from "openai";
import t, { type Test } from "tap";
import { z } from "zod";
import { lacks } from "../support/codex-version.js";
import {
  functionCall,
  httpError,
  lastUserText,
  reasoning,
  reply,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";

import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";

/** Its traces would go to OpenAI. */
setTracingDisabled(true);

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: { city }, callId });

async function firstModel({ client }: ServiceHarness): Promise<string> {
  return (await client.models.list()).data[0]?.id ?? "";
}

/** A harness with a runner of its own: the SDK's default one keeps the first client that it had. */
async function startForecaster(t: Test, useResponses: boolean) {
  const harness = await startServiceHarness(t);
  const modelProvider = new OpenAIProvider({
    openAIClient: new OpenAI({ baseURL: `${harness.url}/v1`, apiKey: "unused" }),
    useResponses,
  });
  t.teardown(() => modelProvider.close());
  const asked: string[] = [];
  const agent = createForecaster(asked, await firstModel(harness));
  return { harness, runner: new Runner({ modelProvider }), agent, asked };
}

function createForecaster(asked: string[], model: string) {
  const weather = tool({
    name: "weather",
    description: "The weather in a city",
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return { city, sky: "clear" };
    },
  });
  return new Agent({ name: "Forecaster", instructions: "Answer in one sentence.", model, tools: [weather] });
}

/** Two steps of calls, then an answer in pieces. */
function scriptWeather({ backend }: ServiceHarness): void {
  backend.queueReply(
    reply(
      reasoning({ summary: ["First"], encryptedContent: "gAAAA" }),
      callOf("Rome", "call_1"),
      callOf("Oslo", "call_2"),
    ),
    callOf("Lima", "call_3"),
  );
  backend.setDefaultReply(textInDeltas("Clear all over.", 3, 5));
}

const wholeLoop = [
  "message developer",
  "message user",
  "reasoning gAAAA",
  "function_call call_1",
  "function_call call_2",
  "function_call_output call_1",
  "function_call_output call_2",
  "function_call call_3",
  "function_call_output call_3",
];

/** What the model has seen in the end. */
function lastInputOf({ backend }: ServiceHarness): readonly string[] {
  return seenInput(backend.requests.at(-1)).map(
    (item) => `${item.type} ${item.role ?? item.call_id ?? item.encrypted_content}`,
  );
}

for (const useResponses of [true, false]) {
  const api = useResponses ? "responses" : "chat completions";

  t.test(`${api}: an agent answers, with its usage`, async (t) => {
    const { harness, runner, agent } = await startForecaster(t, useResponses);
    harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
    const result = await runner.run(agent, "hello");
    t.equal(result.finalOutput, "re: hello");
    t.match(result.state.usage, { requests: 1, inputTokens: 12, outputTokens: 7, totalTokens: 19 });
    const request = harness.backend.requests[0];
    t.match(offeredTools(request), [{ type: "function", name: "weather" }]);
    t.match(seenInput(request), [
      { role: "developer", content: [{ text: "Answer in one sentence." }] },
      { role: "user", content: [{ text: "hello" }] },
    ]);
  });

  t.test(`${api}: a loop over tools runs to its end`, async (t) => {
    const { harness, runner, agent, asked } = await startForecaster(t, useResponses);
    scriptWeather(harness);
    const result = await runner.run(agent, "Weather?");
    t.equal(result.finalOutput, "Clear all over.");
    t.same(asked, ["Rome", "Oslo", "Lima"]);
    t.strictSame(lastInputOf(harness), wholeLoop);
    await pollUntil(() => harness.backend.counters.openStreams === 0);
  });

  t.test(`${api}: a streamed loop over tools runs to its end`, async (t) => {
    const { harness, runner, agent, asked } = await startForecaster(t, useResponses);
    scriptWeather(harness);
    const result = await runner.run(agent, "Weather?", { stream: true });
    const pieces: string[] = [];
    const items: string[] = [];
    for await (const event of result) {
      if (event.type === "run_item_stream_event") items.push(event.name);
      if (event.type !== "raw_model_stream_event" || event.data.type !== "output_text_delta") continue;
      pieces.push(event.data.delta);
    }
    await result.completed;
    t.equal(result.finalOutput, "Clear all over.");
    t.equal(pieces.join(""), "Clear all over.");
    t.ok(pieces.length > 1, "in more than one piece");
    t.same(asked, ["Rome", "Oslo", "Lima"]);
    t.strictSame(
      items.filter((name) => name !== "reasoning_item_created"),
      [
        ...["tool_called", "tool_called", "tool_output", "tool_output"],
        ...["tool_called", "tool_output", "message_output_created"],
      ],
    );
    const { usage } = result.state;
    t.equal(usage.requests, 3);
    if (lacks("usage_of_parked_turns") === null) t.equal(usage.totalTokens, 57);
    t.strictSame(lastInputOf(harness), wholeLoop);
    await pollUntil(() => harness.backend.counters.openStreams === 0);
  });

  t.test(`${api}: an agent with an output type gets an object of it`, async (t) => {
    const { harness, runner, agent } = await startForecaster(t, useResponses);
    harness.backend.setDefaultReply(text('{"name":"Ada","age":36}'));
    const outputType = z.object({ name: z.string(), age: z.number() });
    const person = new Agent({ name: "Person", model: agent.model, outputType });
    t.same((await runner.run(person, "Who?")).finalOutput, { name: "Ada", age: 36 });
    t.match(harness.backend.requests[0]?.body.text, { format: { type: "json_schema", strict: true } });
  });

  t.test(`${api}: a conversation goes on over the history of a run`, async (t) => {
    const { harness, runner, agent } = await startForecaster(t, useResponses);
    harness.backend.queueReply(callOf("Rome", "call_1"), text("Clear."));
    harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
    const first = await runner.run(agent, "Weather?");
    const second = await runner.run(agent, [...first.history, { role: "user", content: "Sure?" }]);
    t.equal(second.finalOutput, "re: Sure?");
    t.strictSame(lastInputOf(harness), [
      "message developer",
      "message user",
      "function_call call_1",
      "function_call_output call_1",
      "message assistant",
      "message user",
    ]);
  });

  t.test(`${api}: an agent hands over to another`, async (t) => {
    const { harness, runner, agent } = await startForecaster(t, useResponses);
    const triage = Agent.create({ name: "Triage", model: agent.model, handoffs: [agent] });
    harness.backend.queueReply(
      functionCall({ name: "transfer_to_Forecaster", arguments: {}, callId: "call_1" }),
    );
    harness.backend.setDefaultReply(text("Clear."));
    const result = await runner.run(triage, "Weather?");
    t.equal(result.finalOutput, "Clear.");
    t.equal(result.lastAgent?.name, "Forecaster");
    t.match(offeredTools(harness.backend.requests.at(-1)), [{ name: "weather" }]);
    await pollUntil(() => harness.backend.counters.openStreams === 0);
  });

  t.test(`${api}: a refused request is not retried`, async (t) => {
    const { harness, runner, agent } = await startForecaster(t, useResponses);
    harness.backend.queueReply(text("hi"));
    await runner.run(agent, "hello");
    harness.backend.setDefaultReply(httpError(400));
    t.match(await runner.run(agent, "hello").catch((fault: unknown) => fault), { status: 400 });
    t.equal(harness.backend.requests.length, 2);
  });
}

t.test("by the SDK's own globals", async (t) => {
  const harness = await startServiceHarness(t);
  harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  setDefaultOpenAIClient(new OpenAI({ baseURL: `${harness.url}/v1`, apiKey: "unused" }));
  const agent = createForecaster([], await firstModel(harness));
  for (const api of ["responses", "chat_completions"] as const) {
    setOpenAIAPI(api);
    t.equal((await run(agent, api)).finalOutput, `re: ${api}`);
  }
});

t.test("the SDK's default model is refused by its name unless Codex has it", async (t) => {
  const { harness, runner, agent } = await startForecaster(t, true);
  harness.backend.setDefaultReply(text("hi"));
  const catalog = (await harness.client.models.list()).data.map(({ id }) => id);
  const unnamed = new Agent({ name: agent.name });
  const outcome = await runner.run(unnamed, "hello").then(
    () => "answered",
    (error: unknown) => error,
  );
  // Older versions have it, if only hidden.
  if (outcome === "answered" && lacks("citations") !== null) return;
  if (catalog.includes(getDefaultModel())) t.equal(outcome, "answered");
  else t.match(outcome, { status: 404, code: "model_not_found" });
});
