/** Models that mark their messages: what is commentary and what the answer, with the official client against a real app-server. */
import type OpenAI from "openai";
import t from "tap";
import { functionCall, reply, text, webSearchCall } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

const marked = (words: string, phase: string) => text({ deltas: words.split(/(?<= )/), phase });

const hello: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Weather?" }];

const searching = reply(
  marked("Let me look. ", "commentary"),
  webSearchCall({ query: "weather" }),
  marked('{"sky": "blue"}', "final_answer"),
);

const withSearch = { messages: hello, web_search_options: {} };

/** OpenAI's clients have no such field. */
function reasoningOf(message: object): unknown {
  return "reasoning_content" in message ? message.reasoning_content : undefined;
}

t.test("in chat commentary is reasoning_content and never content, whole and streamed", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(searching, searching);
  const whole = await client.chat.completions.create({ model, ...withSearch });
  t.equal(whole.choices[0]?.message.content, '{"sky": "blue"}');
  t.match(reasoningOf(whole.choices[0]?.message ?? {}), /Let me look\./);

  const stream = client.chat.completions.stream({ model, ...withSearch });
  let thoughts = "";
  stream.on("chunk", ({ choices }) => {
    thoughts += reasoningOf(choices[0]?.delta ?? {}) ?? "";
  });
  const { choices } = await stream.finalChatCompletion();
  t.equal(choices[0]?.message.content, '{"sky": "blue"}');
  t.match(thoughts, /Let me look\./);
});

t.test("a response_format is asked of the answer alone", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(searching);
  const { choices, ...rest } = await client.chat.completions.parse({
    model,
    ...withSearch,
    response_format: { type: "json_object" },
  });
  t.strictSame(JSON.parse(choices[0]?.message.content ?? ""), { sky: "blue" });
  t.match(rest, { native_api: { ignored_parameters: [] } });
});

t.test("commentary before a call: content is null, and the call is answered as ever", async (t) => {
  const { backend, client, model } = await open(t);
  const call = functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: "call_1" });
  backend.queueReply(reply(marked("I ask for it. ", "commentary"), call), marked("Sunny.", "final_answer"));
  const stream = client.chat.completions.stream({ model, messages: hello, tools: [chatWeather] });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  stream.on("chunk", (chunk) => void chunks.push(chunk));
  const { choices } = await stream.finalChatCompletion();
  t.equal("weather", choices[0]?.message.tool_calls?.[0]?.function.name);
  t.equal(choices[0]?.message.content, null);
  t.notOk(
    chunks.some((chunk) => chunk.choices[0]?.delta.content === ""),
    "no empty content",
  );
  const message = choices[0]?.message;
  if (message === undefined) throw new Error("no message");
  const next = await client.chat.completions.create({
    model,
    tools: [chatWeather],
    messages: [...hello, message, { role: "tool", tool_call_id: "call_1", content: "sun" }],
  });
  t.equal(next.choices[0]?.message.content, "Sunny.");
  t.match(next, { native_api: { continuation: { mode: "native" } } });
});

t.test(
  "in responses it keeps its item and phase, and output_text has it as OpenAI's helper does",
  async (t) => {
    const { backend, client, model } = await open(t);
    backend.queueReply(searching, text("You are welcome."));
    const stream = client.responses.stream({ model, input: "Weather?", tools: [{ type: "web_search" }] });
    const added: unknown[] = [];
    stream.on("response.output_item.added", ({ item }) => {
      if (item.type === "message") added.push(item.phase);
    });
    const response = await stream.finalResponse();
    const messages = response.output.flatMap((item) => (item.type === "message" ? [item] : []));
    t.strictSame(
      messages.map(({ phase }) => phase),
      ["commentary", "final_answer"],
    );
    t.match(added.filter((phase) => phase !== undefined).length, /0|2/, "announced with or without its mark");
    t.equal(response.output_text, 'Let me look. {"sky": "blue"}');
    await client.responses.create({ model, input: "Thanks.", previous_response_id: response.id });
    t.match(
      seenInput(backend.requests.at(-1)).filter(({ role }) => role === "assistant"),
      [{ phase: "commentary" }, { phase: "final_answer" }],
    );
  },
);

const chatWeather = {
  type: "function",
  function: { name: weatherTool.name, parameters: weatherTool.parameters ?? {} },
} as const;

async function open(t: Parameters<typeof startServiceHarness>[0]) {
  const harness = await startServiceHarness(t);
  return { ...harness, model: (await harness.client.models.list()).data[0]?.id ?? "" };
}
