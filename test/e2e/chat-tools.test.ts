import type OpenAI from "openai";
import { zodFunction } from "openai/helpers/zod";
import t from "tap";
import { z } from "zod";
import { lacks } from "../support/codex-version.js";
import { functionCall, reasoning, reply, text, webSearchCall } from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";

type Message = OpenAI.ChatCompletionMessageParam;

const hello: Message[] = [{ role: "user", content: "hello" }];

const weather: OpenAI.ChatCompletionTool = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: JSON.stringify({ city }), callId });

const answerTo = (callId: string, content: string): Message => ({
  role: "tool",
  tool_call_id: callId,
  content,
});

async function openHarness(...args: Parameters<typeof startServiceHarness>) {
  const harness = await startServiceHarness(...args);
  return { ...harness, model: await firstModel(harness) };
}

async function firstModel({ client }: ServiceHarness): Promise<string> {
  return (await client.models.list()).data[0]?.id ?? "";
}

t.test("the client's stream helper puts the same completion together", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.queueReply(reply(text("Let me look."), callOf("Rome", "call_1"), callOf("Oslo", "call_2")));
  const stream = client.chat.completions.stream({ model, messages: hello, tools: [weather] });
  const { choices } = await stream.finalChatCompletion();
  t.match(choices[0], {
    finish_reason: "tool_calls",
    message: {
      content: "Let me look.",
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
        { id: "call_2", function: { arguments: '{"city":"Oslo"}' } },
      ],
    },
  });
});

t.test("calls are answered, and the same native turn goes on with the reasoning it had", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.queueReply(
    reply(
      reasoning({ summary: ["Two cities."], encryptedContent: "gAAAA" }),
      callOf("Rome", "call_1"),
      callOf("Oslo", "call_2"),
    ),
  );
  backend.setDefaultReply(text("Sunny and cold."));
  const messages: Message[] = [{ role: "user", content: "Weather?" }];
  const first = await client.chat.completions.create({ model, messages, tools: [weather] });
  const message = first.choices[0]?.message;
  t.match(first.choices[0], { finish_reason: "tool_calls", message: { reasoning_content: "Two cities." } });
  if (message === undefined) throw new Error("no message");
  messages.push(message, answerTo("call_2", "cold"), answerTo("call_1", "sunny"));
  const second = await client.chat.completions.create({ model, messages, tools: [weather] });
  t.equal(second.choices[0]?.message.content, "Sunny and cold.");
  // Without the feature the first call's usage comes with the second's.
  const inTime = lacks("usage_of_parked_turns") === null;
  t.equal(second.usage?.total_tokens, inTime ? 19 : 38, "the usage of the second model call alone");
  const turnOf = (completion: object) =>
    (completion as { native_api: { response_mapping: { native_turn_id: string } } }).native_api
      .response_mapping.native_turn_id;
  t.match(second, { native_api: { continuation: { resumed: true, mode: "native" } } });
  t.equal(turnOf(second), turnOf(first));
  t.match(seenInput(backend.requests[1]), [
    { role: "user" },
    { type: "reasoning", encrypted_content: "gAAAA" },
    { type: "function_call", call_id: "call_1" },
    { type: "function_call", call_id: "call_2" },
    { type: "function_call_output", call_id: "call_1", output: "sunny" },
    { type: "function_call_output", call_id: "call_2", output: "cold" },
  ]);
  messages.push({ role: "assistant", content: "Sunny and cold." }, { role: "user", content: "Thanks." });
  const third = await client.chat.completions.create({ model, messages, tools: [weather] });
  t.match(third, { native_api: { continuation: { resumed: false } } });
  t.equal(
    seenInput(backend.requests[2]).length,
    7,
    "whoever answers history gets it replayed, without the reasoning",
  );
});

t.test("a caller that changes its history is not given the turn that waits", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.queueReply(reply(callOf("Rome", "call_1")));
  backend.setDefaultReply(text("Snow."));
  const first = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Weather in Rome?" }],
    tools: [weather],
  });
  const message = first.choices[0]?.message;
  if (message === undefined) throw new Error("no message");
  const second = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Snow in Rome?" }, message, answerTo("call_1", "lots")],
    tools: [weather],
  });
  t.match(second, { native_api: { continuation: { mode: "replayed" } } });
  t.match(seenInput(backend.requests[1]), [
    { role: "user", content: [{ text: "Snow in Rome?" }] },
    { type: "function_call", call_id: "call_1", name: "weather", arguments: '{"city":"Rome"}' },
    { type: "function_call_output", call_id: "call_1", output: "lots" },
  ]);
  await pollUntil(() => backend.counters.openStreams === 0);
});

t.test("runTools loops over functions until there is an answer, streamed or not", async (t) => {
  const { backend, client, model } = await openHarness(t);
  for (const stream of [false, true]) {
    const asked: string[] = [];
    const tool = zodFunction({
      name: "weather",
      parameters: z.object({ city: z.string() }),
      function: ({ city }) => {
        asked.push(city);
        return `${city} is sunny`;
      },
    });
    const before = backend.requests.length;
    backend.queueReply(reply(callOf("Rome", `call_1_${stream}`)));
    backend.queueReply(
      reply(text("Next."), callOf("Oslo", `call_2_${stream}`), callOf("Bern", `call_3_${stream}`)),
    );
    backend.queueReply(text("Done."));
    const runner = stream
      ? client.chat.completions.runTools({ model, messages: hello, tools: [tool], stream })
      : client.chat.completions.runTools({ model, messages: hello, tools: [tool] });
    t.equal(await runner.finalContent(), "Done.");
    t.strictSame(asked, ["Rome", "Oslo", "Bern"]);
    t.equal(backend.requests.length - before, 3);
    t.match(await runner.finalChatCompletion(), {
      native_api: { continuation: { mode: "native" } },
    });
  }
});

t.test("tool_choice decides what the model is offered and told", async (t) => {
  const { backend, client, model } = await openHarness(t);
  const tools: OpenAI.ChatCompletionTool[] = [weather, { type: "function", function: { name: "time" } }];
  const ask = (choice: OpenAI.ChatCompletionToolChoiceOption) =>
    client.chat.completions.create({ model, messages: hello, tools, tool_choice: choice });
  await ask("none");
  t.strictSame(offeredTools(backend.requests[0]), []);
  const named = await ask({ type: "function", function: { name: "time" } });
  t.match(offeredTools(backend.requests[1]), [{ name: "time" }]);
  t.match(named, { native_api: { ignored_parameters: ["tool_choice"] } }, "the model did not obey");
  backend.queueReply(reply(callOf("Rome", "call_1")));
  t.match(await ask("required"), {
    choices: [{ finish_reason: "tool_calls" }],
    native_api: { ignored_parameters: [] },
  });
});

t.test("web search is Codex's own, with its citations", async (t) => {
  const { backend, client, model } = await openHarness(t);
  const cited = { url: "https://x.test", title: "X", startIndex: 0, endIndex: 3 };
  backend.setDefaultReply(
    reply(webSearchCall({ query: "news" }), text({ deltas: ["See it."], annotations: [cited] })),
  );
  const completion = await client.chat.completions.create({
    model,
    messages: hello,
    web_search_options: { search_context_size: "low" },
  });
  t.match(offeredTools(backend.requests[0]), [{ type: "web_search" }]);
  t.match(completion.choices[0], { message: { content: "See it." }, finish_reason: "stop" });
  if (lacks("citations") !== null) return;
  t.match(completion.choices[0]?.message.annotations, [
    {
      type: "url_citation",
      url_citation: { url: "https://x.test", title: "X", start_index: 0, end_index: 3 },
    },
  ]);
});
