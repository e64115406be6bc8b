/** Clients in chat mode, with another base URL and nothing else: Vercel's AI SDK and LangChain. */

import { createOpenAI } from "@ai-sdk/openai";
import { type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool as langchainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import t from "tap";
import { z } from "zod";
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

const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const person = z.object({ name: z.string(), age: z.number() });

/** The SDK warns on the console where it meets what it does not know. */
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

async function firstModel({ client }: ServiceHarness): Promise<string> {
  return (await client.models.list()).data[0]?.id ?? "";
}

async function openSdkModel(harness: ServiceHarness) {
  const openai = createOpenAI({ baseURL: `${harness.url}/v1`, apiKey: "unused" });
  return openai.chat(await firstModel(harness));
}

async function openLangchainModel(harness: ServiceHarness): Promise<ChatOpenAI> {
  return new ChatOpenAI({
    model: await firstModel(harness),
    apiKey: "unused",
    maxRetries: 0,
    configuration: { baseURL: `${harness.url}/v1` },
  });
}

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: { city }, callId });

/** Two steps of calls, then an answer. */
function scriptWeather({ backend }: ServiceHarness): void {
  backend.queueReply(
    reply(
      reasoning({ summary: ["First"], encryptedContent: "gAAAA" }),
      callOf("Rome", "call_1"),
      callOf("Oslo", "call_2"),
    ),
    callOf("Lima", "call_3"),
  );
  backend.setDefaultReply(text("Clear everywhere."));
}

const wholeLoop = [
  "message undefined",
  "reasoning undefined",
  "function_call call_1",
  "function_call call_2",
  "function_call_output call_1",
  "function_call_output call_2",
  "function_call call_3",
  "function_call_output call_3",
];

/** What the model has seen in the end. Its own reasoning is there only if one native turn went on through all steps. */
function lastInputOf({ backend }: ServiceHarness): readonly string[] {
  const input = seenInput(backend.requests.at(-1));
  return input.map((item) => `${item.type} ${item.call_id}`);
}

t.test("AI SDK: generateText gets the answer, its usage and no warning", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openSdkModel(harness);
  harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  const result = await generateText({ model, system: "Answer in one word.", prompt: "hello" });
  t.equal(result.text, "re: hello");
  t.equal(result.finishReason, "stop");
  t.match(result.usage, {
    inputTokens: 12,
    inputTokenDetails: { cacheReadTokens: 4 },
    outputTokens: 7,
    totalTokens: 19,
  });
  t.same(result.warnings ?? [], []);
  t.match(seenInput(harness.backend.requests[0]), [
    { role: "developer", content: [{ text: "Answer in one word." }] },
    { role: "user", content: [{ text: "hello" }] },
  ]);
});

t.test("AI SDK: streamText gets the text as it comes, and its usage", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openSdkModel(harness);
  harness.backend.setDefaultReply(
    reply(reasoning({ summary: ["Thinking hard"] }), textInDeltas("one two three", 3, 1)),
  );
  const result = streamText({ model, prompt: "hello" });
  const pieces: string[] = [];
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") pieces.push(part.text);
    if (part.type === "error") t.fail(String(part.error));
  }
  t.equal(pieces.join(""), "one two three");
  t.ok(pieces.length > 1, "in more than one piece");
  t.equal((await result.usage).totalTokens, 19);
  t.equal(await result.finishReason, "stop");
});

t.test("AI SDK: Output.object gets an object of its schema", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openSdkModel(harness);
  harness.backend.setDefaultReply(text('{"name":"Ada","age":36}'));
  const { output } = await generateText({ model, output: Output.object({ schema: person }), prompt: "Who?" });
  t.same(output, { name: "Ada", age: 36 });
  t.match(harness.backend.requests[0]?.body.text, { format: { type: "json_schema", strict: true } });
});

t.test("AI SDK: a loop over tools is one native turn, streamed or not", async (t) => {
  for (const streamed of [false, true]) {
    const harness = await startServiceHarness(t);
    scriptWeather(harness);
    const asked: string[] = [];
    const weather = tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(city);
        return { city, sky: "clear" };
      },
    });
    const options = {
      model: await openSdkModel(harness),
      prompt: "Weather?",
      tools: { weather },
      stopWhen: stepCountIs(5),
    };
    const answer = streamed ? await streamText(options).text : (await generateText(options)).text;
    t.equal(answer, "Clear everywhere.");
    t.same(asked, ["Rome", "Oslo", "Lima"]);
    t.strictSame(lastInputOf(harness), wholeLoop);
    await pollUntil(() => harness.backend.counters.openStreams === 0);
  }
});

t.test("AI SDK: an image goes upstream as one", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openSdkModel(harness);
  await generateText({
    model,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image", image: Buffer.from(pixel, "base64"), mediaType: "image/png" },
        ],
      },
    ],
  });
  t.match(seenInput(harness.backend.requests[0]), [
    {
      content: [{ type: "input_text" }, { type: "input_image", image_url: `data:image/png;base64,${pixel}` }],
    },
  ]);
});

t.test("AI SDK: a fault is an error with its status, whether streamed or not", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openSdkModel(harness);
  harness.backend.setDefaultReply(httpError(400));
  const error = await generateText({ model, prompt: "hello", maxRetries: 0 }).catch(
    (fault: unknown) => fault,
  );
  t.ok(APICallError.isInstance(error));
  t.match(error, { statusCode: 400, isRetryable: false });
  const faults: unknown[] = [];
  const result = streamText({
    model,
    prompt: "hello",
    maxRetries: 0,
    onError: (fault) => void faults.push(fault),
  });
  await result.consumeStream();
  t.match(faults, [{ error: { statusCode: 400 } }]);
});

t.test("LangChain: invoke gets the answer and its usage", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openLangchainModel(harness);
  harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  const answer = await model.invoke([new SystemMessage("Answer in one word."), new HumanMessage("hello")]);
  t.equal(answer.text, "re: hello");
  t.match(answer.usage_metadata, {
    input_tokens: 12,
    input_token_details: { cache_read: 4 },
    output_tokens: 7,
    total_tokens: 19,
  });
  t.match(seenInput(harness.backend.requests[0]), [{ role: "developer" }, { role: "user" }]);
});

t.test("LangChain: stream gets the answer piece by piece", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openLangchainModel(harness);
  harness.backend.setDefaultReply(textInDeltas("one two three", 3, 5));
  const chunks: AIMessageChunk[] = [];
  for await (const chunk of await model.stream("hello")) chunks.push(chunk);
  const whole = chunks.reduce((all, chunk) => all.concat(chunk));
  t.equal(whole.text, "one two three");
  t.ok(chunks.filter((chunk) => chunk.text !== "").length > 1, "in more than one piece");
  t.match(whole.usage_metadata, { total_tokens: 19 });
});

t.test(
  "LangChain: withStructuredOutput gets an object of its schema, by either of its methods",
  async (t) => {
    const harness = await startServiceHarness(t);
    const model = await openLangchainModel(harness);
    harness.backend.queueReply(text('{"name":"Ada","age":36}'));
    const bySchema = model.withStructuredOutput(person, { name: "person", method: "jsonSchema" });
    t.same(await bySchema.invoke("Who?"), { name: "Ada", age: 36 });
    t.match(harness.backend.requests[0]?.body.text, { format: { type: "json_schema", strict: true } });
    harness.backend.queueReply(functionCall({ name: "person", arguments: { name: "Bob", age: 7 } }));
    const byCall = model.withStructuredOutput(person, { name: "person", method: "functionCalling" });
    t.same(await byCall.invoke("Who?"), { name: "Bob", age: 7 });
    t.match(offeredTools(harness.backend.requests[1]), [{ type: "function", name: "person" }]);
  },
);

t.test("LangChain: a loop over tools by messages is one native turn", async (t) => {
  const harness = await startServiceHarness(t);
  scriptWeather(harness);
  const weather = langchainTool(async ({ city }: { city: string }) => `clear in ${city}`, {
    name: "weather",
    description: "The weather in a city",
    schema: z.object({ city: z.string() }),
  });
  const model = (await openLangchainModel(harness)).bindTools([weather]);
  const messages: (AIMessageChunk | HumanMessage | ToolMessage)[] = [new HumanMessage("Weather?")];
  for (;;) {
    const answer = await model.invoke(messages);
    messages.push(answer);
    const calls = answer.tool_calls ?? [];
    if (calls.length === 0) break;
    for (const call of calls) {
      const output: unknown = await weather.invoke({ ...call, type: "tool_call" });
      if (output instanceof ToolMessage) messages.push(output);
    }
  }
  t.equal(messages.at(-1)?.text, "Clear everywhere.");
  t.strictSame(lastInputOf(harness), wholeLoop);
  await pollUntil(() => harness.backend.counters.openStreams === 0);
});
