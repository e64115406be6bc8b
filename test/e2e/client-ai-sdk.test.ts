/** Vercel's AI SDK, as its own documentation has it used: its OpenAI provider with another base URL and nothing else. */

import { createOpenAI } from "@ai-sdk/openai";
import {
  APICallError,
  generateObject,
  generateText,
  Output,
  stepCountIs,
  streamText,
  type ToolSet,
  tool,
} from "ai";
import t from "tap";
import { z } from "zod";
import { lacks } from "../support/codex-version.js";
import {
  functionCall,
  lastUserText,
  reasoning,
  reply,
  stall,
  text,
  textInDeltas,
  webSearchCall,
} from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted, offeredTools, seenInput } from "../support/upstream-forms.js";

const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const person = z.object({ name: z.string(), age: z.number() });

/** The SDK warns on the console where it meets what it does not know. */
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

async function openModel({ url, client }: ServiceHarness) {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: "unused" });
  const { data } = await client.models.list();
  return { openai, model: openai.responses(data[0]?.id ?? "") };
}

function weatherTool(asked: string[]) {
  return tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return { city, sky: "clear" };
    },
  });
}

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: { city }, callId });

t.test("generateText gets the answer, its usage and no warning", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
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
  t.match(harness.backend.requests[0]?.fullInput.slice(-2), [
    { role: "developer", content: [{ text: "Answer in one word." }] },
    { role: "user", content: [{ text: "hello" }] },
  ]);
});

t.test("streamText gets text and reasoning as they come", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  harness.backend.setDefaultReply(
    reply(reasoning({ summary: ["Thinking hard"] }), textInDeltas("one two three", 3, 1)),
  );
  const result = streamText({
    model,
    prompt: "hello",
    providerOptions: { openai: { reasoningSummary: "auto" } },
  });
  let said = "";
  let thought = "";
  const faults: unknown[] = [];
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") said += part.text;
    if (part.type === "reasoning-delta") thought += part.text;
    if (part.type === "error") faults.push(part.error);
  }
  t.same(faults, []);
  t.equal(said, "one two three");
  t.equal(thought, "Thinking hard");
  t.equal(await result.finishReason, "stop");
});

t.test("generateObject and Output.object get an object of their schema", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  harness.backend.setDefaultReply(text('{"name":"Ada","age":36}'));
  const made = await generateObject({ model, schema: person, prompt: "Who?" });
  t.same(made.object, { name: "Ada", age: 36 });
  const { output } = await generateText({ model, output: Output.object({ schema: person }), prompt: "Who?" });
  t.same(output, { name: "Ada", age: 36 });
  const streamed = streamText({ model, output: Output.object({ schema: person }), prompt: "Who?" });
  t.same(await streamed.output, { name: "Ada", age: 36 });
  for (const request of harness.backend.requests) {
    t.match(request.body.text, {
      format: { type: "json_schema", strict: true, schema: { required: ["name", "age"] } },
    });
  }
});

t.test("a loop over tools runs to its end, with the reasoning between its steps kept", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  const { backend } = harness;
  backend.queueReply(
    reply(reasoning({ summary: ["First"], encryptedContent: "gAAAA1" }), callOf("Rome", "call_1")),
    reply(
      reasoning({ summary: ["Second"], encryptedContent: "gAAAA2" }),
      callOf("Oslo", "call_2"),
      callOf("Lima", "call_3"),
    ),
  );
  backend.setDefaultReply(text("Clear everywhere."));
  const asked: string[] = [];
  const result = await generateText({
    model,
    prompt: "Weather?",
    tools: { weather: weatherTool(asked) },
    stopWhen: stepCountIs(5),
  });
  t.equal(result.text, "Clear everywhere.");
  t.same(asked, ["Rome", "Oslo", "Lima"]);
  t.equal(result.steps.length, 3);
  t.equal(backend.requests.length, 3);
  t.match(seenInput(backend.requests[2]), [
    { role: "user", content: [{ text: "Weather?" }] },
    { type: "reasoning", encrypted_content: "gAAAA1" },
    { type: "function_call", call_id: "call_1" },
    { type: "function_call_output", call_id: "call_1" },
    { type: "reasoning", encrypted_content: "gAAAA2" },
    { type: "function_call", call_id: "call_2" },
    { type: "function_call", call_id: "call_3" },
    { type: "function_call_output", call_id: "call_2" },
    { type: "function_call_output", call_id: "call_3" },
  ]);
});

t.test("a streamed loop over tools runs to its end", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  harness.backend.queueReply(reply(callOf("Rome", "call_1"), callOf("Oslo", "call_2")));
  harness.backend.setDefaultReply(text("Clear everywhere."));
  const asked: string[] = [];
  const result = streamText({
    model,
    prompt: "Weather?",
    tools: { weather: weatherTool(asked) },
    stopWhen: stepCountIs(5),
  });
  const parts: string[] = [];
  for await (const part of result.fullStream) {
    if (parts.at(-1) !== part.type) parts.push(part.type);
  }
  t.same(parts.filter((type) => /^(tool-(call|result)|text-delta|error)$/.test(type)).slice(-1), [
    "text-delta",
  ]);
  t.notOk(parts.includes("error"));
  t.equal(await result.text, "Clear everywhere.");
  t.same(asked, ["Rome", "Oslo"]);
});

t.test("a conversation goes on over the items of its answers", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  const { backend } = harness;
  backend.setDefaultReply((request) =>
    reply(reasoning({ encryptedContent: "gAAAA" }), text(`re: ${lastUserText(request)}`)),
  );
  const first = await generateText({ model, prompt: "one" });
  const second = await generateText({
    model,
    messages: [
      { role: "user", content: "one" },
      ...first.response.messages,
      { role: "user", content: "two" },
    ],
  });
  t.equal(second.text, "re: two");
  t.match(seenInput(backend.requests[1]), [
    { role: "user", content: [{ text: "one" }] },
    { type: "reasoning", encrypted_content: "gAAAA" },
    { role: "assistant", content: [{ text: "re: one" }] },
    { role: "user", content: [{ text: "two" }] },
  ]);
});

t.test("an image part reaches the backend unchanged", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  const result = await generateText({
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
  t.equal(result.finishReason, "stop");
  t.match(seenInput(harness.backend.requests[0]), [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: `data:image/png;base64,${pixel}` },
      ],
    },
  ]);
});

t.test("its web search tool is Codex's, and the citations come as sources", async (t) => {
  const harness = await startServiceHarness(t);
  const { openai, model } = await openModel(harness);
  harness.backend.setDefaultReply(
    reply(
      webSearchCall({ query: "news" }),
      text({
        deltas: ["Much ", "happened."],
        annotations: [{ url: "https://news.example/1", title: "News", startIndex: 0, endIndex: 4 }],
      }),
    ),
  );
  const result = await generateText({
    model,
    prompt: "What is new?",
    // The SDK's own types are not written for exactOptionalPropertyTypes.
    tools: { web_search: openai.tools.webSearch({}) as ToolSet[string] },
  });
  t.equal(result.text, "Much happened.");
  t.match(offeredTools(harness.backend.requests[0]), [{ type: "web_search" }]);
  if (lacks("citations") !== null) return;
  t.match(result.sources, [{ sourceType: "url", url: "https://news.example/1", title: "News" }]);
});

t.test("an abort interrupts the turn", async (t) => {
  const harness = await startServiceHarness(t);
  const { model } = await openModel(harness);
  harness.backend.setDefaultReply(reply(text({ deltas: ["never", " ends"] }), stall({ afterDeltas: 1 })));
  const abort = new AbortController();
  const result = streamText({ model, prompt: "hello", abortSignal: abort.signal });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") abort.abort();
  }
  await checkInterrupted(t, harness.backend.requests[0]);
});

t.test("a refused request is one APICallError with the reason, and is not retried", async (t) => {
  const harness = await startServiceHarness(t);
  const { openai } = await openModel(harness);
  const fault = await generateText({ model: openai.responses("no-such-model"), prompt: "hello" }).catch(
    (error: unknown) => error,
  );
  t.ok(APICallError.isInstance(fault));
  t.match(fault, { statusCode: 404, isRetryable: false, data: { error: { code: "model_not_found" } } });
});
