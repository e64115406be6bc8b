/** LangChain's ChatOpenAI in Responses mode, with another base URL and nothing else. */

import { type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import t from "tap";
import { z } from "zod";
import {
  functionCall,
  lastUserText,
  reasoning,
  reply,
  stall,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted, offeredTools, seenInput } from "../support/upstream-forms.js";

const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const person = z.object({ name: z.string(), age: z.number() });

async function openModel({ url, client }: ServiceHarness): Promise<ChatOpenAI> {
  const { data } = await client.models.list();
  return new ChatOpenAI({
    model: data[0]?.id ?? "",
    apiKey: "unused",
    useResponsesApi: true,
    configuration: { baseURL: `${url}/v1` },
  });
}

/** All chunks as the one message they make. */
async function join(chunks: AsyncIterable<AIMessageChunk>, onText: (text: string) => void = () => {}) {
  const all: AIMessageChunk[] = [];
  for await (const chunk of chunks) {
    if (chunk.text !== "") onText(chunk.text);
    all.push(chunk);
  }
  return all.reduce((whole, chunk) => whole.concat(chunk));
}

function weatherTool(asked: string[]) {
  return tool(
    async ({ city }: { city: string }) => {
      asked.push(city);
      return `clear in ${city}`;
    },
    { name: "weather", description: "The weather in a city", schema: z.object({ city: z.string() }) },
  );
}

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: { city }, callId });

t.test("invoke gets the answer and its usage", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  harness.backend.setDefaultReply((request) => text(`re: ${lastUserText(request)}`));
  const answer = await model.invoke([new SystemMessage("Answer in one word."), new HumanMessage("hello")]);
  t.equal(answer.text, "re: hello");
  t.match(answer.usage_metadata, {
    input_tokens: 12,
    input_token_details: { cache_read: 4 },
    output_tokens: 7,
    total_tokens: 19,
  });
  t.match(harness.backend.requests[0]?.fullInput.slice(-2), [
    { role: "developer", content: [{ text: "Answer in one word." }] },
    { role: "user", content: [{ text: "hello" }] },
  ]);
});

t.test("stream gets the answer piece by piece", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  harness.backend.setDefaultReply(textInDeltas("one two three", 3, 5));
  const pieces: string[] = [];
  const whole = await join(await model.stream("hello"), (piece) => pieces.push(piece));
  t.equal(pieces.join(""), "one two three");
  t.ok(pieces.length > 1, "in more than one piece");
  t.match(whole.usage_metadata, { total_tokens: 19 });
});

t.test("withStructuredOutput gets an object of its schema, by either of its methods", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  harness.backend.queueReply(text('{"name":"Ada","age":36}'));
  t.same(await model.withStructuredOutput(person, { name: "person" }).invoke("Who?"), {
    name: "Ada",
    age: 36,
  });
  t.match(harness.backend.requests[0]?.body.text, {
    format: { type: "json_schema", strict: true, schema: { required: ["name", "age"] } },
  });
  harness.backend.queueReply(functionCall({ name: "person", arguments: { name: "Bob", age: 7 } }));
  const byCall = model.withStructuredOutput(person, { name: "person", method: "functionCalling" });
  t.same(await byCall.invoke("Who?"), { name: "Bob", age: 7 });
  t.match(offeredTools(harness.backend.requests[1]), [{ type: "function", name: "person" }]);
});

t.test("a loop over tools by messages, reasoning and parallel calls included", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend } = harness;
  const asked: string[] = [];
  const weather = weatherTool(asked);
  const model = (await openModel(harness)).bindTools([weather]);
  backend.queueReply(
    reply(
      reasoning({ summary: ["Thinking"], encryptedContent: "gAAAA" }),
      callOf("Rome", "call_1"),
      callOf("Oslo", "call_2"),
    ),
    callOf("Lima", "call_3"),
  );
  backend.setDefaultReply(text("Clear everywhere."));
  const messages: (AIMessageChunk | HumanMessage | ToolMessage)[] = [new HumanMessage("Weather?")];
  let answer = await model.invoke(messages);
  messages.push(answer);
  while ((answer.tool_calls ?? []).length > 0) {
    for (const call of answer.tool_calls ?? []) {
      const output: unknown = await weather.invoke({ ...call, type: "tool_call" });
      if (output instanceof ToolMessage) messages.push(output);
    }
    answer = await model.invoke(messages);
    messages.push(answer);
  }
  t.equal(answer.text, "Clear everywhere.");
  t.same(asked, ["Rome", "Oslo", "Lima"]);
  t.equal(backend.requests.length, 3);
  t.match(
    seenInput(backend.requests[2])[1],
    { type: "reasoning", encrypted_content: "gAAAA" },
    "LangChain names the reasoning by its id alone, which is enough while its response is stored",
  );
  t.same(
    seenInput(backend.requests[2])
      .slice(2)
      .map((item) => `${item.type} ${item.call_id}`),
    [
      "function_call call_1",
      "function_call call_2",
      "function_call_output call_1",
      "function_call_output call_2",
      "function_call call_3",
      "function_call_output call_3",
    ],
  );
});

t.test("a streamed tool call has its arguments whole", async (t) => {
  const harness = await startServiceHarness(t);
  const model = (await openModel(harness)).bindTools([weatherTool([])]);
  harness.backend.setDefaultReply(callOf("Rome", "call_1"));
  const whole = await join(await model.stream("Weather?"));
  t.match(whole.tool_calls, [{ name: "weather", args: { city: "Rome" }, id: "call_1" }]);
});

t.test("a chain goes on by previous_response_id", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  const first = await model.invoke("one");
  const id = String(first.response_metadata.id);
  await model.invoke("two", { previous_response_id: id });
  t.match(seenInput(harness.backend.requests[1]), [
    { role: "user", content: [{ text: "one" }] },
    { role: "assistant" },
    { role: "user", content: [{ text: "two" }] },
  ]);
});

t.test("an image block reaches the backend unchanged", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  const url = `data:image/png;base64,${pixel}`;
  await model.invoke([
    new HumanMessage({
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url } },
      ],
    }),
  ]);
  t.match(seenInput(harness.backend.requests[0]), [
    { role: "user", content: [{ text: "What is this?" }, { type: "input_image", image_url: url }] },
  ]);
});

t.test("an abort interrupts the turn", async (t) => {
  const harness = await startServiceHarness(t);
  const model = await openModel(harness);
  harness.backend.setDefaultReply(reply(text({ deltas: ["never", " ends"] }), stall({ afterDeltas: 1 })));
  const abort = new AbortController();
  const stream = await model.stream("hello", { signal: abort.signal });
  await t.rejects(join(stream, () => abort.abort()));
  await checkInterrupted(t, harness.backend.requests[0]);
});

t.test("a refused request is not retried", async (t) => {
  const { url } = await startServiceHarness(t);
  const model = new ChatOpenAI({
    model: "no-such-model",
    apiKey: "unused",
    useResponsesApi: true,
    configuration: { baseURL: `${url}/v1` },
  });
  const fault = await model.invoke("hello").catch((error: unknown) => error);
  t.match(fault, { status: 404, code: "model_not_found" });
});
