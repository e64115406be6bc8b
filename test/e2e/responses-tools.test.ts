import type OpenAI from "openai";
import t from "tap";
import { lacks, needs } from "../support/codex-version.js";
import { functionCall, reasoning, reply, text } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

const callOf = (city: string, callId: string) =>
  functionCall({ name: "weather", arguments: JSON.stringify({ city }), callId });

function callsOf(response: OpenAI.Responses.Response): readonly OpenAI.Responses.ResponseFunctionToolCall[] {
  return response.output.filter((item) => item.type === "function_call");
}

const outputFor = (callId: string, output: string): OpenAI.Responses.ResponseInputItem => ({
  type: "function_call_output",
  call_id: callId,
  output,
});

t.test(
  "a call of the caller's function ends the response, and its output continues the same native turn",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.queueReply(reply(callOf("Rome", "call_1")));
    backend.setDefaultReply(text("It is sunny."));
    const first = await client.responses.create({ input: "Weather in Rome?", tools: [weatherTool] });
    t.equal(first.status, "completed");
    // Without the feature the first call's usage comes with the second's.
    const inTime = lacks("usage_of_parked_turns") === null;
    t.equal(first.usage?.total_tokens, inTime ? 19 : undefined);
    t.match(callsOf(first), [{ call_id: "call_1", name: "weather", arguments: '{"city":"Rome"}' }]);
    const second = await client.responses.create({
      previous_response_id: first.id,
      input: [outputFor("call_1", "sunny")],
      tools: [weatherTool],
    });
    t.equal(second.output_text, "It is sunny.");
    t.equal(second.previous_response_id, first.id);
    t.equal(second.usage?.total_tokens, inTime ? 19 : 38, "the usage of the second model call alone");
    t.match(second, { native_api: { continuation: { resumed: true, mode: "native" } } });
    const [one, two] = backend.requests;
    t.match(offeredTools(one), [{ type: "function", name: "weather", parameters: weatherTool.parameters }]);
    t.match(seenInput(two), [
      { role: "user" },
      { type: "function_call", call_id: "call_1" },
      { type: "function_call_output", call_id: "call_1", output: "sunny" },
    ]);
  },
);

t.test("parallel calls come in one response and are answered together", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(callOf("Rome", "call_1"), callOf("Oslo", "call_2")));
  backend.setDefaultReply(text("Sunny and cold."));
  const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  t.same(
    callsOf(first).map((call) => call.call_id),
    ["call_1", "call_2"],
  );
  const second = await client.responses.create({
    previous_response_id: first.id,
    input: [outputFor("call_2", "cold"), outputFor("call_1", "sunny")],
    tools: [weatherTool],
  });
  t.equal(second.output_text, "Sunny and cold.");
  t.match(second, { native_api: { continuation: { mode: "native" } } });
  t.equal(backend.requests.length, 2);
});

t.test("a caller that resends its whole history is served without any chain", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(
    reply(reasoning({ summary: ["Thinking"], encryptedContent: "gAAAA" }), callOf("Rome", "call_1")),
  );
  backend.setDefaultReply(text("It is sunny."));
  const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "Weather in Rome?" }];
  const first = await client.responses.create({
    input,
    tools: [weatherTool],
    store: false,
    include: ["reasoning.encrypted_content"],
  });
  const second = await client.responses.create({
    input: [
      ...input,
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      outputFor("call_1", "sunny"),
    ],
    tools: [weatherTool],
    store: false,
  });
  t.equal(second.output_text, "It is sunny.");
  t.match(seenInput(backend.requests[1]), [
    { role: "user", content: [{ text: "Weather in Rome?" }] },
    { type: "reasoning", encrypted_content: "gAAAA" },
    { type: "function_call", call_id: "call_1", name: "weather" },
    { type: "function_call_output", call_id: "call_1", output: "sunny" },
  ]);
  await pollUntil(() => backend.counters.openStreams === 0);
});

t.test("an answer sent back beside previous_response_id is in the history once", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(
    reply(reasoning({ summary: ["Thinking"], encryptedContent: "gAAAA" }), callOf("Rome", "call_1")),
    reply(callOf("Oslo", "call_2")),
  );
  backend.setDefaultReply(text("Sunny and cold."));
  const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  const echo = first.output as OpenAI.Responses.ResponseInputItem[];
  const second = await client.responses.create({
    previous_response_id: first.id,
    input: [...echo, outputFor("call_1", "sunny")],
    tools: [weatherTool],
  });
  t.match(second, { native_api: { continuation: { mode: "native" } } });
  const third = await client.responses.create({
    previous_response_id: second.id,
    input: [...(second.output as OpenAI.Responses.ResponseInputItem[]), outputFor("call_2", "cold")],
    tools: [weatherTool],
    // Other instructions need another thread: the history is replayed.
    instructions: "Be brief.",
  });
  t.match(third, { output_text: "Sunny and cold.", native_api: { continuation: { mode: "replayed" } } });
  t.match(
    seenInput(backend.requests[2])
      .filter(({ role }) => role !== "developer")
      .map(({ type }) => type),
    [
      "message",
      "reasoning",
      "function_call",
      "function_call_output",
      "function_call",
      "function_call_output",
    ],
  );
  const { data } = await client.responses.inputItems.list(third.id);
  t.match(data, [{ type: "function_call_output", call_id: "call_2" }], "the echo is no input");
});

t.test("outputs that the calls of a parked turn have no place for are refused by name", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(callOf("Rome", "call_1")));
  const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  const goOn = (...input: OpenAI.Responses.ResponseInputItem[]) =>
    client.responses.create({ previous_response_id: first.id, input, tools: [weatherTool] });
  const refused = (param: string) => ({ status: 400, code: "invalid_request", param });
  const sunny = outputFor("call_1", "sunny");
  await t.rejects(goOn(sunny, sunny), refused("input[1].call_id"));
  await t.rejects(goOn(sunny, outputFor("call_2", "cold")), refused("input[1].call_id"));
  await t.rejects(goOn({ role: "user", content: "hi" }), refused("input"));
  backend.setDefaultReply(text("It is sunny."));
  t.match(await goOn(sunny), { output_text: "It is sunny." }, "the chain is where it was");
});

t.test("a follow-up with something else than the outputs replays the history", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(callOf("Rome", "call_1")));
  backend.setDefaultReply(text("Never mind then."));
  const first = await client.responses.create({ input: "Weather in Rome?", tools: [weatherTool] });
  const second = await client.responses.create({
    previous_response_id: first.id,
    input: [outputFor("call_1", "sunny"), { role: "user", content: "Forget it." }],
    tools: [weatherTool],
  });
  t.match(second, { output_text: "Never mind then.", native_api: { continuation: { mode: "replayed" } } });
  t.match(seenInput(backend.requests[1]), [
    { role: "user" },
    { type: "function_call", call_id: "call_1" },
    { type: "function_call_output", output: "sunny" },
    { role: "user", content: [{ text: "Forget it." }] },
  ]);
});

t.test("every model sees the caller's functions as plain functions, whatever they are called", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const names = [
    "weather",
    "exec_command",
    "shell_command",
    "shell",
    "apply_patch",
    "update_plan",
    "web_search",
  ];
  const tools = names.map((name) => ({ ...weatherTool, name }));
  const { data: models } = await client.models.list();
  for (const { id } of models) {
    await client.responses.create({ model: id, input: "hello", tools });
    const seen = offeredTools(backend.requests.at(-1));
    t.equal(new Set(seen.map(({ name }) => name)).size, names.length, id);
    t.match(seen, Array(names.length).fill({ type: "function", description: weatherTool.description }));
  }
  backend.queueReply((request) => {
    const seen = JSON.stringify(offeredTools(request));
    const [name = ""] = /[a-z_]*exec_command_*/.exec(seen) ?? [];
    return reply(functionCall({ name, arguments: "{}", callId: "call_9" }));
  });
  const called = await client.responses.create({ input: "hello", tools });
  t.match(
    callsOf(called),
    [{ name: "exec_command", call_id: "call_9" }],
    "the name comes back as the caller's",
  );
});

t.test("a model that goes on calling a tool it was not offered is stopped", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  let calls = 0;
  backend.setDefaultReply(() => {
    calls += 1;
    return reply(functionCall({ name: "shell", arguments: '{"command":["ls"]}', callId: `call_${calls}` }));
  });
  await t.rejects(client.responses.create({ input: "hello", tools: [weatherTool] }, { maxRetries: 0 }), {
    status: 504,
    code: "turn_stalled",
  });
  // On a busy machine Codex makes some more before the interrupt reaches it.
  t.ok(calls >= 17 && calls <= 51, `after ${calls} calls`);
  const after = calls;
  backend.setDefaultReply(text("fine"));
  t.equal((await client.responses.create({ input: "hello" })).output_text, "fine");
  t.equal(calls, after, "nothing goes on behind it");
});

t.test("tool_choice none declares no tools", needs("tool_free_turns"), async (t) => {
  const { backend, client } = await startServiceHarness(t);
  await client.responses.create({ input: "hello", tools: [weatherTool], tool_choice: "none" });
  t.same(offeredTools(backend.requests[0]), []);
});

t.test("a stream has the function-call events", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(callOf("Rome", "call_1")));
  const stream = client.responses.stream({ input: "Weather?", tools: [weatherTool] });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  t.same(
    types.filter((type) => type.includes("function_call")),
    ["response.function_call_arguments.delta", "response.function_call_arguments.done"],
  );
  t.match(callsOf(await stream.finalResponse()), [{ call_id: "call_1" }]);
});

t.test("a loop over tools, by previous_response_id, many steps long", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  for (let step = 1; step <= 5; step += 1) backend.queueReply(reply(callOf(`city ${step}`, `call_${step}`)));
  backend.setDefaultReply(text("Done."));
  let response = await client.responses.create({ input: "Go", tools: [weatherTool] });
  for (let calls = callsOf(response); calls.length > 0; calls = callsOf(response)) {
    response = await client.responses.create({
      previous_response_id: response.id,
      tools: [weatherTool],
      input: calls.map((call) => outputFor(call.call_id, `answer to ${call.arguments}`)),
    });
  }
  t.equal(response.output_text, "Done.");
  t.equal(backend.requests.length, 6);
  t.equal(seenInput(backend.requests[5]).length, 11, "one message, five calls, five outputs");
});
