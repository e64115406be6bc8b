import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import t from "tap";
import { z } from "zod";
import { lacks, needs } from "../support/codex-version.js";
import {
  cutConnection,
  httpError,
  incomplete,
  lastUserText,
  refusal,
  reply,
  stall,
  text,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

type Message = OpenAI.ChatCompletionMessageParam;

const hello: Message[] = [{ role: "user", content: "hello" }];

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
      prompt_tokens_details: {
        cached_tokens: 4,
        cache_write_tokens: lacks("cache_write_usage") === null ? 2 : 0,
      },
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
  t.match(backend.requests[0]?.fullInput.at(-2), { role: "developer", content: [{ text: /JSON object/ }] });
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

t.test("a refusal is told as such", async (t) => {
  const { backend, client, model } = await openHarness(t);
  backend.queueReply(refusal("I will not."));
  const refused = await client.chat.completions.create({ model, messages: hello });
  t.match(refused.choices[0], { message: { content: null, refusal: String }, finish_reason: "stop" });
});

t.test("an early end is told as such", needs("cut_short_answers"), async (t) => {
  const { backend, client, model } = await openHarness(t);
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
    const breakOff = () => {
      // Codex is silent about the first of them.
      for (const _ of [1, 2]) {
        backend.queueReply(reply(text({ deltas: ["Hal", "lo"] }), cutConnection({ afterDeltas: 1 })));
      }
      backend.setDefaultReply(text("Hello."));
    };
    breakOff();
    const whole = await client.chat.completions.create({ model, messages: hello });
    t.equal(whole.choices[0]?.message.content, "Hello.");
    breakOff();
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
  await checkInterrupted(t, backend.requests[0]);
  backend.setDefaultReply(stall());
  const waiting = new AbortController();
  const answer = client.chat.completions.create({ model, messages: hello }, { signal: waiting.signal });
  await pollUntil(() => backend.requests.length === 2);
  waiting.abort();
  t.ok((await answer.catch((error: unknown) => error)) instanceof OpenAI.APIUserAbortError);
  await checkInterrupted(t, backend.requests[1]);
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

/** On a busy machine the last of many turns waits longer for its place than the default allows. */
const patient = { argv: ["--queue-timeout-ms", "240000"] };

t.test("64 streams at once all complete, each with its own text", async (t) => {
  const { backend, client, model } = await openHarness(t, patient);
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
