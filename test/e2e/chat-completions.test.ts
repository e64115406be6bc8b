import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import t from "tap";
import { z } from "zod";
import {
  cutConnection,
  functionCall,
  httpError,
  incomplete,
  lastUserText,
  reasoning,
  refusal,
  reply,
  stall,
  text,
  textInDeltas,
  webSearchCall,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

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

t.test("the official client gets an answer with its usage", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.setDefaultReply(text({ deltas: ["Hel", "lo"] }));
  const completion = await client.chat.completions.create({ model, messages: hello });
  t.match(completion, {
    id: /^chatcmpl-/,
    model,
    choices: [{ message: { role: "assistant", content: "Hello", refusal: null }, finish_reason: "stop" }],
    usage: {
      prompt_tokens: 12,
      completion_tokens: 7,
      total_tokens: 19,
      prompt_tokens_details: { cached_tokens: 4 },
    },
  });
});

t.test("a long history goes upstream message by message, with its roles", async (t) => {
  const { backend, client, model } = await openHarness(t);
  const rounds = Array.from({ length: 40 }, (_, index): Message[] => [
    { role: "user", content: `question ${index}` },
    { role: "assistant", content: `answer ${index}` },
  ]);
  await client.chat.completions.create({
    model,
    messages: [
      { role: "system", content: "You classify." },
      { role: "developer", content: [{ type: "text", text: "In one word." }] },
      ...rounds.flat(),
      { role: "assistant", content: null, refusal: "No." },
      { role: "user", content: "Why?", name: "bob" },
    ],
  });
  const input = backend.requests[0]?.fullInput ?? [];
  t.strictSame(
    input.map(({ role }) => role),
    ["developer", "developer", ...rounds.flatMap(() => ["user", "assistant"]), "assistant", "user"],
  );
  t.match(input[0], { content: [{ type: "input_text", text: "You classify." }] });
  t.match(input[3], { content: [{ type: "output_text", text: "answer 0" }] });
  t.match(input.at(-2), { content: [{ text: "No." }] });
  t.match(input.at(-1), { content: [{ text: "Why?" }] });
});

t.test("settings go upstream", async (t) => {
  const { backend, client, model } = await openHarness(t);
  await client.chat.completions.create({
    model,
    messages: hello,
    reasoning_effort: "low",
    verbosity: "low",
    temperature: 0.3,
  });
  t.match(backend.requests[0]?.body, {
    model,
    reasoning: { effort: "low", summary: "auto" },
    text: { verbosity: "low" },
  });
});

t.test("a stream has its text, its reason, and its usage where that is asked for", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.setDefaultReply(textInDeltas("one two three", 3, 1));
  const stream = await client.chat.completions.create({
    model,
    messages: hello,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  t.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
  t.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "one two three");
  t.equal(chunks.at(-2)?.choices[0]?.finish_reason, "stop");
  t.match(chunks.at(-1), { choices: [], usage: { total_tokens: 19 } });
  t.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
});

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

t.test("parse gives an object of the schema, which goes upstream as one", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.setDefaultReply(text('{"name":"Ada","age":36}'));
  const person = z.object({ name: z.string(), age: z.number() });
  const completion = await client.chat.completions.parse({
    model,
    messages: hello,
    response_format: zodResponseFormat(person, "person"),
  });
  t.strictSame(completion.choices[0]?.message.parsed, { name: "Ada", age: 36 });
  t.match(backend.requests[0]?.body.text, {
    format: { type: "json_schema", strict: true, schema: { required: ["name", "age"] } },
  });
});

t.test("json_object asks for an object in words, and tells where there came none", async (t) => {
  const { backend, client, model } = await openHarness(t);
  const ask = () =>
    client.chat.completions.create({ model, messages: hello, response_format: { type: "json_object" } });
  backend.queueReply(text('{"a":1}'));
  t.match(await ask(), { native_api: { ignored_parameters: [] } });
  t.match(backend.requests[0]?.fullInput.at(-1), { role: "developer", content: [{ text: /JSON object/ }] });
  backend.queueReply(text("Sorry."));
  t.match(await ask(), { native_api: { ignored_parameters: ["response_format"] } });
});

t.test("an image goes upstream as one", async (t) => {
  const { backend, client, model } = await openHarness(t);
  await client.chat.completions.create({
    model,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: pixel } },
        ],
      },
    ],
  });
  t.match(backend.requests[0]?.fullInput, [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: /^data:image\/png;base64,/ },
      ],
    },
  ]);
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
  t.equal(second.usage?.total_tokens, 19, "the usage of the second model call alone");
  const turnOf = (completion: object) =>
    (completion as { native_api: { response_mapping: { native_turn_id: string } } }).native_api
      .response_mapping.native_turn_id;
  t.match(second, { native_api: { continuation: { resumed: true, mode: "native" } } });
  t.equal(turnOf(second), turnOf(first));
  t.match(backend.requests[1]?.fullInput, [
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
    backend.requests[2]?.fullInput.length,
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
  t.match(backend.requests[1]?.fullInput, [
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
      native_api: continuation: { mode: "native" },
    });
  }
});

t.test("tool_choice decides what the model is offered and told", async (t) => {
  const { backend, client, model } = await openHarness(t);
  const tools: OpenAI.ChatCompletionTool[] = [weather, { type: "function", function: { name: "time" } }];
  const ask = (choice: OpenAI.ChatCompletionToolChoiceOption) =>
    client.chat.completions.create({ model, messages: hello, tools, tool_choice: choice });
  await ask("none");
  t.strictSame(backend.requests[0]?.body.tools ?? [], []);
  const named = await ask({ type: "function", function: { name: "time" } });
  t.match(backend.requests[1]?.body.tools, [{ name: "time" }]);
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
  t.match(backend.requests[0]?.body.tools, [{ type: "web_search" }]);
  t.match(completion.choices[0], { message: { content: "See it." }, finish_reason: "stop" });
});

t.test("a refusal and an early end are told as such", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.queueReply(refusal("I will not."));
  const refused = await client.chat.completions.create({ model, messages: hello });
  t.match(refused.choices[0], { message: { content: null, refusal: String }, finish_reason: "stop" });
  backend.queueReply(incomplete({ reason: "max_output_tokens", text: "Once upon" }));
  const cut = await client.chat.completions.create({ model, messages: hello });
  t.match(cut.choices[0], { message: { content: "Once upon" }, finish_reason: "length" });
  backend.queueReply(incomplete({ reason: "content_filter" }));
  const filtered = await client.chat.completions.create({ model, messages: hello });
  t.equal(filtered.choices[0]?.finish_reason, "content_filter");
});

t.test("a fault before the model begins is an HTTP error, streamed or not", async (t) => {
  const { backend, client, model } = await openHarness(t);
  for (const stream of [false, true]) {
    backend.setDefaultReply(httpError(400));
    const error = await client.chat.completions
      .create({ model, messages: hello, stream })
      .catch((fault: unknown) => fault);
    t.ok(error instanceof OpenAI.BadRequestError, `stream: ${stream}`);
  }
  await t.rejects(client.chat.completions.create({ model: "no-such-model", messages: hello }), {
    status: 404,
    code: "model_not_found",
  });
  await t.rejects(client.chat.completions.create({ model, messages: hello, functions: [{ name: "f" }] }), {
    status: 400,
    code: "unsupported_chat_completions_feature",
    param: "functions",
  });
});

t.test(
  "an answer that broke off and was begun anew ends a stream with an error, and is whole without",
  async (t) => {
    const { backend, client, model } = await openHarness(t);
    const brokenOnce = () => {
      backend.queueReply(reply(text({ deltas: ["Hal", "lo"] }), cutConnection({ afterDeltas: 1 })));
      backend.setDefaultReply(text("Hello."));
    };
    brokenOnce();
    const whole = await client.chat.completions.create({ model, messages: hello });
    t.equal(whole.choices[0]?.message.content, "Hello.");
    brokenOnce();
    const stream = await client.chat.completions.create({ model, messages: hello, stream: true });
    const read = async () => {
      let shown = "";
      for await (const chunk of stream) shown += chunk.choices[0]?.delta.content ?? "";
      return shown;
    };
    await t.rejects(read(), { code: "upstream_connection_failed" });
  },
);

t.test("a client that leaves interrupts its turn", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.setDefaultReply(reply(text({ deltas: ["never", " ends"] }), stall({ afterDeltas: 1 })));
  const abort = new AbortController();
  const stream = await client.chat.completions.create(
    { model, messages: hello, stream: true },
    { signal: abort.signal },
  );
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  abort.abort();
  t.equal(await backend.requests[0]?.closed, "client-closed");
  backend.setDefaultReply(stall());
  const waiting = new AbortController();
  const answer = client.chat.completions.create({ model, messages: hello }, { signal: waiting.signal });
  await pollUntil(() => backend.requests.length === 2);
  waiting.abort();
  t.ok((await answer.catch((error: unknown) => error)) instanceof OpenAI.APIUserAbortError);
  t.equal(await backend.requests[1]?.closed, "client-closed");
});

t.test("a wrong token is refused and starts no turn", async (t) => {
  const { backend, client, url, model } = await openHarness(t, {
    env: { CODEX_NATIVE_API_AUTH_TOKEN: "correct-horse-battery" },
  });
  await client.chat.completions.create({ model, messages: hello });
  const stranger = new OpenAI({ apiKey: "wrong", baseURL: `${url}/v1`, maxRetries: 0 });
  const refused = await stranger.chat.completions
    .create({ model, messages: hello })
    .catch((error: unknown) => error);
  t.ok(refused instanceof OpenAI.AuthenticationError);
  t.equal(backend.requests.length, 1);
});

t.test("64 streams at once all complete, each with its own text", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.setDefaultReply((request) => textInDeltas(`echo ${lastUserText(request)}`, 10, 5));
  const texts = await Promise.all(
    Array.from({ length: 64 }, async (_, index) => {
      const messages: Message[] = [{ role: "user", content: `caller number ${index}` }];
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      let streamed = "";
      for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? "";
      return streamed;
    }),
  );
  for (const [index, streamed] of texts.entries()) t.equal(streamed, `echo caller number ${index}`);
  await pollUntil(() => backend.counters.openStreams === 0);
});
