/** `n` of chat completions, with the official client against a real app-server. */
import type OpenAI from "openai";
import t, { type Test } from "tap";
import {
  contextLengthExceeded,
  functionCall,
  lastUserText,
  reply,
  type StreamReply,
  text,
  withUsage,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarnessOptions, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Name a colour." }];

/** The rest of it comes so late that only an interrupted turn ends in time. */
const endless = reply(text({ deltas: ["begun "] }), text({ deltas: ["late"], firstDelayMs: 120_000 }));

const colour = (name: string, inputTokens: number): StreamReply =>
  withUsage({ inputTokens, outputTokens: 1 }, text(name));

async function open(t: Test, options: ServiceHarnessOptions = {}) {
  const harness = await startServiceHarness(t, options);
  return { ...harness, model: (await harness.client.models.list()).data[0]?.id ?? "" };
}

async function isIdle(url: string): Promise<boolean> {
  const { native_runtime: native } = Object(await (await fetch(`${url}/v1/health`)).json());
  return native.queue.running === 0 && native.queue.depth === 0;
}

const indexesOf = ({ choices }: OpenAI.ChatCompletion) => choices.map(({ index }) => index);
const textsOf = ({ choices }: OpenAI.ChatCompletion) => choices.map(({ message }) => message.content);

for (const n of [1, 2, 8]) {
  t.test(
    `${n} choices are so many turns of the same prompt, in order, and their usage is the sum`,
    async (t) => {
      const { backend, client, model } = await open(t);
      const names = Array.from({ length: n }, (_, index) => `colour ${index}`);
      backend.queueReply(...names.map((name) => colour(name, 100)));
      const completion = await client.chat.completions.create({ model, messages, n });
      t.strictSame(
        indexesOf(completion),
        names.map((_, index) => index),
      );
      t.strictSame(textsOf(completion).toSorted(), names);
      t.match(completion.usage, { prompt_tokens: 100 * n, completion_tokens: n, total_tokens: 101 * n });
      t.equal(backend.requests.length, n);
      t.ok(backend.requests.every((request) => lastUserText(request) === "Name a colour."));
    },
  );
}

t.test("the client's stream helper puts the choices of a stream together", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(...["red", "green", "blue"].map((name) => colour(name, 10)));
  const stream = client.chat.completions.stream({
    model,
    messages,
    n: 3,
    stream_options: { include_usage: true },
  });
  const ids = new Set<string>();
  const usages: unknown[] = [];
  stream.on("chunk", ({ id, usage }) => {
    ids.add(id);
    if (usage !== null) usages.push(usage);
  });
  const completion = await stream.finalChatCompletion();
  t.strictSame(indexesOf(completion), [0, 1, 2]);
  t.strictSame(textsOf(completion).toSorted(), ["blue", "green", "red"]);
  t.equal(ids.size, 1);
  t.match(usages, [{ prompt_tokens: 30, completion_tokens: 3 }]);
  t.equal(usages.length, 1);
});

t.test("choices run in turn where less may run at once", async (t) => {
  const argv = ["--max-concurrent-turns", "2", "--max-queue", "8"];
  const { backend, client, model } = await open(t, { argv });
  backend.setDefaultReply(text("red"));
  const completion = await client.chat.completions.create({ model, messages, n: 8 });
  t.strictSame(
    textsOf(completion),
    Array.from({ length: 8 }, () => "red"),
  );
});

t.test(
  "where they can never run and wait they are refused by name, where the queue is full all are",
  async (t) => {
    const argv = ["--max-concurrent-turns", "1", "--max-queue", "2"];
    const { backend, client, model } = await open(t, { argv });
    const refused = client.chat.completions.create({ model, messages, n: 4 });
    await t.rejects(refused, { status: 400, code: "invalid_request", param: "n" });
    t.equal(backend.requests.length, 0);
    backend.setDefaultReply(endless);
    const leaves = new AbortController();
    const running = client.chat.completions.create({ model, messages }, { signal: leaves.signal });
    const left = t.rejects(running, { name: "Error" });
    await backend.waitForRequest();
    const full = client.chat.completions.create({ model, messages, n: 3 });
    await t.rejects(full, { status: 429, code: "queue_full" });
    leaves.abort();
    await left;
    backend.setDefaultReply(text("red"));
    t.equal(textsOf(await client.chat.completions.create({ model, messages, n: 2 })).length, 2);
  },
);

t.test("a choice that fails ends the others, and the request with its error", async (t) => {
  const { backend, client, model } = await open(t, { login: "provider" });
  backend.queueReply(endless, endless, contextLengthExceeded());
  const failed = client.chat.completions.create({ model, messages, n: 3 });
  await t.rejects(failed, { status: 400, code: "context_length_exceeded" });
  for (const request of backend.requests.slice(0, 2)) await checkInterrupted(t, request);
});

t.test("in a stream that has begun the error is its end", async (t) => {
  const { backend, client, model } = await open(t, { login: "provider" });
  backend.queueReply(endless, reply(text("half"), contextLengthExceeded()));
  const stream = await client.chat.completions.create({ model, messages, n: 2, stream: true });
  const seen: OpenAI.ChatCompletionChunk[] = [];
  const readAll = async () => {
    for await (const chunk of stream) seen.push(chunk);
  };
  await t.rejects(readAll(), { code: "context_length_exceeded" });
  t.ok(seen.length > 0);
  t.ok(seen.every(({ choices }) => choices.every(({ finish_reason: reason }) => reason === null)));
});

t.test("a client that leaves ends all turns", async (t) => {
  const { backend, client, model, url } = await open(t);
  backend.setDefaultReply(endless);
  const leaves = new AbortController();
  const asked = client.chat.completions.create({ model, messages, n: 4 }, { signal: leaves.signal });
  const left = t.rejects(asked, { name: "Error" });
  await pollUntil(() => backend.requests.length === 4);
  leaves.abort();
  await left;
  for (const request of backend.requests) await checkInterrupted(t, request);
  await pollUntil(() => isIdle(url));
});

t.test("each choice stops at its own stop sequence", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(
    reply(text({ deltas: ["one E", "ND"] }), text({ deltas: ["x"], firstDelayMs: 120_000 })),
    reply(text({ deltas: ["two END"] }), text({ deltas: ["x"], firstDelayMs: 120_000 })),
  );
  const completion = await client.chat.completions.create({ model, messages, n: 2, stop: "END" });
  t.strictSame(textsOf(completion).toSorted(), ["one ", "two "]);
  t.strictSame(
    completion.choices.map(({ finish_reason: reason }) => reason),
    ["stop", "stop"],
  );
});

t.test("calls of the choices keep no turn waiting, and a follow-up replays the history of one", async (t) => {
  const { backend, client, model } = await open(t);
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "weather" } }];
  const callOf = (callId: string) => functionCall({ name: "weather", arguments: "{}", callId });
  backend.queueReply(callOf("call_1"), callOf("call_2"));
  const first = await client.chat.completions.create({ model, messages, tools, n: 2 });
  const calls = first.choices.map(({ message }) => message.tool_calls?.map(({ id }) => id));
  t.strictSame(calls.flat().toSorted(), ["call_1", "call_2"]);
  const chosen = first.choices[1]?.message;
  if (chosen === undefined) throw new Error("no second choice");
  backend.setDefaultReply(text("Sunny."));
  const answer: OpenAI.ChatCompletionMessageParam = {
    role: "tool",
    tool_call_id: String(calls[1]?.[0]),
    content: "sun",
  };
  const followUp = { model, messages: [...messages, chosen, answer], tools };
  const next = await client.chat.completions.create(followUp);
  t.match(next, {
    choices: [{ message: { content: "Sunny." } }],
    native_api: { continuation: { resumed: false } },
  });
  const both = await client.chat.completions.create({ ...followUp, n: 2 });
  t.strictSame(textsOf(both), ["Sunny.", "Sunny."]);
});

t.test("several choices answer the calls of a turn that waits", async (t) => {
  const { backend, client, model } = await open(t);
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "weather" } }];
  backend.queueReply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" }));
  const first = await client.chat.completions.create({ model, messages, tools });
  const asked = first.choices[0]?.message;
  if (asked === undefined) throw new Error("no message");
  backend.setDefaultReply(text("Sunny."));
  const answer = { role: "tool", tool_call_id: "call_1", content: "sun" } as const;
  const next = await client.chat.completions.create({
    model,
    messages: [...messages, asked, answer],
    tools,
    n: 2,
  });
  t.strictSame(textsOf(next), ["Sunny.", "Sunny."]);
});

t.test("a schema holds for every choice", async (t) => {
  const { backend, client, model } = await open(t);
  backend.setDefaultReply(text('{"colour":"red"}'));
  const schema = {
    type: "object",
    properties: { colour: { type: "string" } },
    required: ["colour"],
    additionalProperties: false,
  };
  const completion = await client.chat.completions.parse({
    model,
    messages,
    n: 2,
    response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
  });
  t.strictSame(
    completion.choices.map(({ message }) => message.parsed),
    [{ colour: "red" }, { colour: "red" }],
  );
  t.match(completion, { native_api: { ignored_parameters: [] } });
});
