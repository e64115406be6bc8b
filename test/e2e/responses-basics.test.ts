import OpenAI from "openai";
import t from "tap";
import { needs } from "../support/codex-version.js";
import { lastUserText, reply, stall, text, textInDeltas } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

t.test("the official client gets an answer", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(text({ deltas: ["Hel", "lo"] }));
  const response = await client.responses.create({ input: "hello" });
  t.equal(response.output_text, "Hello");
  t.equal(response.status, "completed");
  t.equal(response.usage?.total_tokens, 19);
  t.match(backend.requests[0], { accountId: String });
});

t.test("items go upstream one by one with their roles, and instructions as instructions", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const model = (await client.models.list()).data[0]?.id ?? "";
  await client.responses.create({
    model,
    instructions: "Answer in one word.",
    input: [
      { role: "system", content: "You classify." },
      { role: "user", content: [{ type: "input_text", text: "one" }] },
      { type: "message", role: "assistant", content: "two", phase: null },
      { role: "user", content: "three" },
    ],
  });
  const [request] = backend.requests;
  t.equal(request?.body.model, model);
  // Up to 0.160 Codex sends base instructions as such, since then as a message of their own.
  const { instructions } = request?.body ?? {};
  const leading = instructions ? [{ role: "developer", content: [{ text: instructions }] }] : [];
  t.match(
    [...leading, ...(request?.fullInput ?? [])],
    [
      { role: "developer", content: [{ text: "Answer in one word." }] },
      { role: "developer", content: [{ text: "You classify." }] },
      { role: "user", content: [{ text: "one" }] },
      { role: "assistant", content: [{ text: "two" }] },
      { role: "user", content: [{ text: "three" }] },
    ],
  );
});

t.test("a stream has OpenAI's events in OpenAI's order", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(textInDeltas("one two three", 3, 1));
  const stream = await client.responses.create({ input: "hello", stream: true });
  const types: string[] = [];
  const numbers: number[] = [];
  let streamed = "";
  for await (const event of stream) {
    numbers.push(event.sequence_number);
    if (types.at(-1) !== event.type) types.push(event.type);
    if (event.type === "response.output_text.delta") streamed += event.delta;
  }
  t.same(types, [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  t.same(
    numbers,
    numbers.map((_, index) => index),
  );
  t.equal(streamed, "one two three");
});

t.test(
  "a client that leaves interrupts its turn: the backend sees its request closed at once",
  needs("upstream_interrupt"),
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.setDefaultReply(reply(text({ deltas: ["never", " ends"] }), stall({ afterDeltas: 1 })));
    const abort = new AbortController();
    const stream = await client.responses.create({ input: "hello", stream: true }, { signal: abort.signal });
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") break;
    }
    const request = backend.requests[0];
    t.equal(backend.counters.openStreams, 1);
    const leftAtMs = performance.now();
    abort.abort();
    t.equal(await request?.closed, "client-closed");
    t.ok(performance.now() - leftAtMs < 20_000, "closed at once, and not at a limit of the turn's");
  },
);

t.test(
  "a client that leaves before the answer interrupts its turn too",
  needs("upstream_interrupt"),
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.setDefaultReply(stall());
    const abort = new AbortController();
    const answer = client.responses.create({ input: "hello" }, { signal: abort.signal });
    const request = await backend.waitForRequest();
    abort.abort();
    t.ok((await answer.catch((error: unknown) => error)) instanceof OpenAI.APIUserAbortError);
    t.equal(await request.closed, "client-closed");
  },
);

t.test("models are the app-server's catalog", async (t) => {
  const { client } = await startServiceHarness(t);
  const models = (await client.models.list()).data;
  t.ok(models.length > 3);
  for (const model of models) {
    t.match(
      model,
      { native_api: { default_reasoning_effort: /^(low|medium|high)$/ } },
      "and not the derived one",
    );
  }
  const first = models[0];
  t.match(first, { object: "model", owned_by: String, created: Number });
  t.match(await client.models.retrieve(first?.id ?? ""), { id: first?.id });
  await t.rejects(client.models.retrieve("no-such-model"), { status: 404, code: "model_not_found" });
  await t.rejects(client.responses.create({ model: "no-such-model", input: "x" }), {
    status: 404,
    code: "model_not_found",
    param: "model",
  });
});

t.test("a wrong token is refused and starts no turn", async (t) => {
  const { backend, client, url } = await startServiceHarness(t, {
    env: { CODEX_NATIVE_API_AUTH_TOKEN: "correct-horse-battery" },
  });
  t.equal((await client.responses.create({ input: "hello" })).status, "completed");
  const stranger = new OpenAI({ apiKey: "wrong", baseURL: `${url}/v1`, maxRetries: 0 });
  const refusal = await stranger.responses.create({ input: "hello" }).catch((error: unknown) => error);
  t.ok(refusal instanceof OpenAI.AuthenticationError);
  t.equal(backend.requests.length, 1);
});

/** On a busy machine the last of many turns waits longer for its place than the default allows. */
const patient = { argv: ["--queue-timeout-ms", "240000"] };

t.test("64 streams at once all complete, each with its own text", async (t) => {
  const { backend, client } = await startServiceHarness(t, patient);
  backend.setDefaultReply((request) => textInDeltas(`echo ${lastUserText(request)}`, 10, 5));
  const texts = await Promise.all(
    Array.from({ length: 64 }, async (_, index) => {
      const stream = await client.responses.create({ input: `caller number ${index}`, stream: true });
      let streamed = "";
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") streamed += event.delta;
        if (event.type === "response.completed") t.equal(event.response.output[0]?.type, "message");
        if (event.type === "response.failed") streamed += event.response.error?.code;
      }
      return streamed;
    }),
  );
  for (const [index, streamed] of texts.entries()) t.equal(streamed, `echo caller number ${index}`);
  await pollUntil(() => backend.counters.openStreams === 0);
});
