/** `stop` of chat completions, with the official client against a real app-server. */
import type OpenAI from "openai";
import t from "tap";
import { functionCall, reply, type StreamReply, text } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Count." }];

/** The rest of it comes so late that only an interrupted turn ends in time. */
const endless = reply(
  text({ deltas: ["one ", "two E", "ND three"] }),
  text({ deltas: ["four"], firstDelayMs: 120_000 }),
);

t.test("a stream ends before the sequence, and its turn is interrupted", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(endless);
  const stream = client.chat.completions.stream({
    model,
    messages,
    stop: ["END", "four"],
    stream_options: { include_usage: true },
  });
  const deltas: string[] = [];
  stream.on("content", (delta) => void deltas.push(delta));
  const { choices } = await stream.finalChatCompletion();
  t.match(choices[0], { finish_reason: "stop", message: { content: "one two " } });
  t.notMatch(deltas.join(""), /E/);
  await checkInterrupted(t, backend.requests[0]);
  backend.queueReply(text("five"));
  const next = await client.chat.completions.create({ model, messages });
  t.equal(next.choices[0]?.message.content, "five", "the next turn is as any other");
});

t.test("so does a whole answer", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(endless);
  const { choices, ...rest } = await client.chat.completions.create({ model, messages, stop: "END" });
  t.match(choices[0], { finish_reason: "stop", message: { content: "one two " } });
  t.match(rest, { native_api: { ignored_parameters: [] } });
  await checkInterrupted(t, backend.requests[0]);
});

t.test("the sequence at the very end, in another message, and calls behind it", async (t) => {
  const { backend, client, model } = await open(t);
  const call = functionCall({ name: "f", arguments: '{"a":"END"}', callId: "call_1" });
  const asked = { model, messages, stop: "END", tools: [declare("f")] };
  backend.queueReply(text("oneEND"), reply(text("one"), text("two END"), call), reply(text("one EN"), call));
  const contents = [];
  for (let count = 0; count < 3; count += 1) {
    const { choices } = await client.chat.completions.create(asked);
    contents.push([choices[0]?.message.content, choices[0]?.finish_reason]);
  }
  t.strictSame(contents, [
    ["one", "stop"],
    ["one\n\ntwo ", "stop"],
    ["one EN", "tool_calls"],
  ]);
});

t.test("what is said to be ignored goes by the answer up to the sequence", async (t) => {
  const { backend, client, model } = await open(t);
  const call = functionCall({ name: "f", arguments: "{}", callId: "call_1" });
  const asked: OpenAI.ChatCompletionCreateParamsNonStreaming = { model, messages, stop: "END" };
  const cases: readonly [StreamReply, Partial<typeof asked>, readonly string[]][] = [
    [text('{"a":"xENDy"}'), { response_format: { type: "json_object" } }, ["response_format"]],
    [text('{"a":"x"}END'), { response_format: { type: "json_object" } }, []],
    [reply(text("one END"), call), { tools: [declare("f")], tool_choice: "required" }, ["tool_choice"]],
  ];
  for (const [answer, fields, ignored] of cases) {
    backend.queueReply(answer);
    const completion = await client.chat.completions.create({ ...asked, ...fields });
    t.strictSame(ignoredOf(completion), ignored);
    t.equal(completion.choices[0]?.message.tool_calls, undefined);
  }
});

t.test("what is no sequence is refused by its name", async (t) => {
  const { client, model } = await open(t);
  for (const stop of [7, "", ["a", "b", "c", "d", "e"], [{}]]) {
    const asked = client.post("/chat/completions", { body: { model, messages, stop } });
    const fault: unknown = await asked.catch((error: unknown) => error);
    t.match(fault, { status: 400, param: /^stop/ }, JSON.stringify(stop));
  }
});

/** As the service tells it beside OpenAI's fields. */
function ignoredOf(completion: object): unknown {
  const { native_api: native } = completion as { native_api?: { ignored_parameters?: unknown } };
  return native?.ignored_parameters;
}

function declare(name: string): OpenAI.ChatCompletionTool {
  return { type: "function", function: { name } };
}

async function open(t: Parameters<typeof startServiceHarness>[0]) {
  const harness = await startServiceHarness(t);
  return { ...harness, model: (await harness.client.models.list()).data[0]?.id ?? "" };
}
