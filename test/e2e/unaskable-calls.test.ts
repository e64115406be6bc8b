/**
 * Calls of the caller's functions that Codex answers by itself, since it cannot read them: they are the caller's all the same. On the
 * real app-server, over a WebSocket as real logins have it, and over server-sent events.
 */
import type OpenAI from "openai";
import t from "tap";
import { needs } from "../support/codex-version.js";
import { readMetric } from "../support/metrics-text.js";
import {
  functionCall,
  incomplete,
  type RecordedModelRequest,
  rawItem,
  reply,
  type StreamReply,
  text,
} from "../support/offline-backend/index.js";
import {
  pollUntil,
  type ServiceHarness,
  startServiceHarness,
  transports,
} from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

const unreadable: Readonly<Record<string, string>> = {
  "no arguments": "",
  blanks: "  ",
  "half an object": '{"city":',
  "two objects": "{}{}",
  "too deep": `${'{"a":'.repeat(200)}1${"}".repeat(200)}`,
  "half an emoji": '{"city":"\\ud83d"}',
};

const broken = '{"city": "Ro';
const callOf = (callId: string, args: string, delayMs = 0) =>
  functionCall({ name: "weather", arguments: args, callId, delayMs });
const outputFor = (callId: string, output: string): OpenAI.Responses.ResponseInputItem => ({
  type: "function_call_output",
  call_id: callId,
  output,
});

const falseAnswer = "This answers what nobody asked.";

/** A model that answers outputs of the caller's, and says something else to outputs of Codex's own. */
function answerOutputs({ fullInput }: RecordedModelRequest) {
  const outputs = fullInput.filter(({ type }) => type === "function_call_output");
  const isCallers = outputs.length > 0 && outputs.every(({ output }) => /^for /.test(String(output)));
  return text(isCallers ? "It is sunny." : falseAnswer);
}

/** The same, which first makes these calls. By what it is asked and not by turns: Codex may ask more often than the caller. */
function callThenAnswer(...calls: readonly StreamReply[]) {
  return (request: RecordedModelRequest) =>
    request.fullInput.some(({ type }) => type === "function_call") ? answerOutputs(request) : reply(...calls);
}

function callsOf({ output }: OpenAI.Responses.Response) {
  return output.filter((item) => item.type === "function_call");
}

/** No request goes on behind the caller's back. */
async function untilQuiet({ backend }: ServiceHarness): Promise<void> {
  await pollUntil(() => backend.counters.openStreams === 0);
}

/** The history that the model was last asked with. */
function lastHistory({ backend }: ServiceHarness) {
  return seenInput(backend.requests.at(-1));
}

for (const [transport, options] of Object.entries(transports)) {
  t.test(`over ${transport} a call that Codex cannot read reaches the caller as it is`, async (t) => {
    const harness = await startServiceHarness(t, options);
    const { backend, client } = harness;
    for (const [what, args] of Object.entries(unreadable)) {
      backend.setDefaultReply(callThenAnswer(callOf("call_1", args)));
      const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
      t.equal(first.status, "completed", what);
      t.match(first.output, [{ type: "function_call", call_id: "call_1", name: "weather", arguments: args }]);
      t.equal(first.output.length, 1, "and nothing else");
      const second = await client.responses.create({
        previous_response_id: first.id,
        input: [outputFor("call_1", "for call 1")],
        tools: [weatherTool],
      });
      t.match(second, { output_text: "It is sunny.", native_api: { continuation: { mode: "replayed" } } });
      t.match(
        lastHistory(harness).filter(({ role }) => role !== "developer"),
        [
          { role: "user" },
          { type: "function_call", call_id: "call_1", arguments: args },
          { type: "function_call_output", call_id: "call_1", output: "for call 1" },
        ],
        "the history holds what was said and nothing else",
      );
      t.equal(lastHistory(harness).length, 3);
    }
    const used = new Set(backend.requests.map((request) => request.transport));
    t.same([...used], [transport], "the transport that is meant was used");
    await untilQuiet(harness);
  });

  t.test(`over ${transport} such a call is streamed, and ends a chat completion`, async (t) => {
    const harness = await startServiceHarness(t, options);
    const { backend, client } = harness;
    for (const args of ["", broken]) {
      backend.setDefaultReply(callThenAnswer(callOf("call_1", args)));
      // Not the client's helper, which parses arguments of strict functions itself.
      const stream = await client.responses.create({ input: "Weather?", tools: [weatherTool], stream: true });
      let told = "";
      for await (const event of stream) {
        if (event.type === "response.function_call_arguments.delta") told += event.delta;
        if (event.type === "response.output_text.delta") t.fail(`told: ${event.delta}`);
        if (event.type !== "response.completed") continue;
        t.match(callsOf(event.response), [{ call_id: "call_1", arguments: args }]);
      }
      t.equal(told, args);
      await untilQuiet(harness);
      const model = (await client.models.list()).data[0]?.id ?? "";
      const chat = { model, tools: [chatTool], messages: [{ role: "user" as const, content: "Weather?" }] };
      const whole = await client.chat.completions.create(chat);
      const streamed = await client.chat.completions.stream(chat).finalChatCompletion();
      for (const { choices, usage } of [whole, streamed]) {
        t.match(choices[0], {
          finish_reason: "tool_calls",
          message: { content: null, tool_calls: [{ id: "call_1", function: { arguments: args } }] },
        });
        if (usage !== undefined) t.equal(usage.total_tokens, 19, "of the one answer");
      }
      const { message } = whole.choices[0] ?? {};
      const answer = await client.chat.completions.create({
        ...chat,
        messages: [
          ...chat.messages,
          message as OpenAI.ChatCompletionMessage,
          { role: "tool", tool_call_id: "call_1", content: "for call 1" },
        ],
      });
      t.equal(answer.choices[0]?.message.content, "It is sunny.");
    }
  });

  t.test(`over ${transport} no other call of the same answer is lost`, async (t) => {
    const harness = await startServiceHarness(t, options);
    const { backend, client } = harness;
    const good = '{"city":"Rome"}';
    const answers = [
      [good, broken],
      [broken, good],
      [good, broken, good],
      [broken, good, broken],
      [good, ""],
      ["", broken],
    ];
    for (const answer of answers) {
      // At once, and with pauses in which the model writes.
      for (const delayMs of [0, 25]) {
        backend.setDefaultReply(
          callThenAnswer(...answer.map((args, at) => callOf(`call_${at}`, args, delayMs))),
        );
        const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
        t.same(
          callsOf(first).map((call) => [call.call_id, call.arguments]),
          answer.map((args, at) => [`call_${at}`, args]),
        );
        const second = await client.responses.create({
          previous_response_id: first.id,
          input: answer.map((_, at) => outputFor(`call_${at}`, `for ${at}`)),
          tools: [weatherTool],
        });
        t.equal(second.output_text, "It is sunny.");
      }
    }
    await untilQuiet(harness);
  });

  t.test(
    `over ${transport} the usage told is that of the calls`,
    needs("usage_of_parked_turns"),
    async (t) => {
      const { backend, client } = await startServiceHarness(t, options);
      for (let turn = 0; turn < 5; turn += 1) {
        backend.setDefaultReply(callThenAnswer(callOf("call_1", broken)));
        const { usage } = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
        t.equal(usage?.total_tokens, 19);
      }
    },
  );

  t.test(
    `over ${transport} what Codex asks the model behind such a call is dropped and counted`,
    async (t) => {
      const harness = await startServiceHarness(t, options);
      const { backend, client, url } = harness;
      const turns = 12;
      for (let turn = 0; turn < turns; turn += 1) {
        backend.setDefaultReply(callThenAnswer(callOf("call_1", broken)));
        const response = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
        t.equal(callsOf(response).length, 1);
        t.notMatch(JSON.stringify(response), falseAnswer);
        await untilQuiet(harness);
      }
      const asked = backend.requests.length - turns;
      t.comment(`${asked} of ${turns} were asked again`);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const counted = Number(readMetric(metrics, "codex_native_api_model_requests_dropped_total"));
      t.ok(counted >= asked && counted <= turns, `counted ${counted}, asked ${asked}`);
      t.equal(
        readMetric(metrics, "codex_native_api_turns_total", { outcome: "handed_over", code: "" }) !== null,
        true,
      );
    },
  );
}

const chatTool: OpenAI.ChatCompletionTool = {
  type: "function",
  function: { name: "weather", description: "The weather", parameters: { ...weatherTool.parameters } },
};

t.test(
  "arguments that are JSON and no object are asked for like others, and stay as the model wrote them",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    for (const args of [
      '"x"',
      "[1]",
      "null",
      "3",
      '{"a":1,"a":2}',
      '{ "a" : 1e999 }',
      `"${"x".repeat(2_000_000)}"`,
    ]) {
      backend.setDefaultReply(callThenAnswer(callOf("call_1", args)));
      const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
      t.equal(callsOf(first)[0]?.arguments, args, args.slice(0, 20));
      const second = await client.responses.create({
        previous_response_id: first.id,
        input: [outputFor("call_1", "for call 1")],
        tools: [weatherTool],
      });
      t.match(second, { output_text: "It is sunny.", native_api: { continuation: { mode: "native" } } });
    }
  },
);

t.test("a call in a namespace that the caller did not declare is the caller's, by its name", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  for (const namespace of ["other", "mcp__server", "functions", ""]) {
    const call = functionCall({ name: "weather", arguments: "{}", callId: "call_1", namespace });
    backend.setDefaultReply(callThenAnswer(call));
    const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
    t.match(first.output, [{ type: "function_call", name: "weather", call_id: "call_1" }], namespace);
    t.equal(first.output.length, 1);
    const second = await client.responses.create({
      previous_response_id: first.id,
      input: [outputFor("call_1", "for call 1")],
      tools: [weatherTool],
    });
    t.equal(second.output_text, "It is sunny.");
  }
});

t.test("two calls of one id in one answer get an id each, so that both can be answered", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(
    callThenAnswer(callOf("call_1", "{}"), callOf("call_1", '{"city":"Oslo"}'), callOf("", "{}")),
  );
  const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  const calls = callsOf(first);
  t.equal(new Set(calls.map(({ call_id }) => call_id)).size, 3);
  t.equal(calls[0]?.call_id, "call_1");
  const second = await client.responses.create({
    previous_response_id: first.id,
    input: calls.map(({ call_id }) => outputFor(call_id, "for it")),
    tools: [weatherTool],
  });
  t.equal(second.output_text, "It is sunny.");
});

t.test("an answer cut short in a call is incomplete", needs("cut_short_answers"), async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  backend.setDefaultReply(answerOutputs);
  backend.queueReply(reply(callOf("call_1", broken), incomplete({ reason: "max_output_tokens" })));
  const response = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  t.match(response, { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
  await untilQuiet(harness);
  t.equal(backend.requests.length, 1, "the model is not asked again");
});

t.test("a background response and one that is not stored end with such a call, too", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(callThenAnswer(callOf("call_1", broken)));
  let response = await client.responses.create({ input: "Weather?", tools: [weatherTool], background: true });
  await pollUntil(async () => {
    response = await client.responses.retrieve(response.id);
    return response.status === "completed";
  });
  t.match(callsOf(response), [{ call_id: "call_1", arguments: broken }]);
  backend.setDefaultReply(callThenAnswer(callOf("call_1", broken)));
  const loose = await client.responses.create({ input: "Weather?", tools: [weatherTool], store: false });
  const answer = await client.responses.create({
    input: [
      { role: "user", content: "Weather?" },
      ...(loose.output as OpenAI.Responses.ResponseInputItem[]),
      outputFor("call_1", "for call 1"),
    ],
    tools: [weatherTool],
    store: false,
  });
  t.equal(answer.output_text, "It is sunny.");
});

t.test(
  "a call that Codex cannot read in a later leg of a turn is handed over, and the leg before it stays",
  async (t) => {
    const harness = await startServiceHarness(t);
    const { backend, client } = harness;
    backend.queueReply(reply(callOf("call_1", "{}")), reply(callOf("call_2", broken)));
    backend.setDefaultReply(answerOutputs);
    const ask = (previous: string | null, input: OpenAI.Responses.ResponseInput) =>
      client.responses.create({ previous_response_id: previous, input, tools: [weatherTool] });
    const first = await ask(null, [{ role: "user", content: "Weather?" }]);
    const second = await ask(first.id, [outputFor("call_1", "for call 1")]);
    t.match(second, { native_api: { continuation: { mode: "native" } } });
    t.match(callsOf(second), [{ call_id: "call_2", arguments: broken }]);
    const third = await ask(second.id, [outputFor("call_2", "for call 2")]);
    t.match(third, { output_text: "It is sunny.", native_api: { continuation: { mode: "replayed" } } });
    t.same(
      lastHistory(harness).map(({ type, call_id: callId }) => callId ?? type),
      ["message", "call_1", "call_1", "call_2", "call_2"],
    );
  },
);

t.test("the calls of a model that was not offered them count over all legs of a turn", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  let requests = 0;
  // A refused call, then one that parks, and so on.
  backend.setDefaultReply(() => {
    requests += 1;
    const refused = requests % 3;
    if (refused === 0) return reply(callOf(`call_${requests}`, "{}"));
    if (refused === 1)
      return reply(functionCall({ name: "shell", arguments: "{}", callId: `call_${requests}` }));
    return rawItem({
      type: "tool_search_call",
      call_id: `call_${requests}`,
      status: "completed",
      execution: "client",
      arguments: { query: "shell" },
    });
  });
  let response = await client.responses.create({ input: "Go", tools: [weatherTool] });
  const goOn = async () => {
    for (;;) {
      response = await client.responses.create({
        previous_response_id: response.id,
        input: callsOf(response).map(({ call_id }) => outputFor(call_id, "for it")),
        tools: [weatherTool],
      });
    }
  };
  await t.rejects(goOn(), { status: 504, code: "turn_stalled" });
  t.ok(requests >= 25 && requests <= 28, `after ${requests} requests`);
});
