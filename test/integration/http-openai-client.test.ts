import OpenAI from "openai";
import type { Test } from "tap";
import t from "tap";
import { answerUntilAborted, type FakeTurn, failure } from "../support/fake-runtime.js";
import { type HttpFixture, serveFake } from "../support/http-fixture.js";

async function serveOpenAI(t: Test, maxRetries = 0): Promise<{ client: OpenAI; fixture: HttpFixture }> {
  const fixture = await serveFake(t, { authToken: "s3cret" });
  return { fixture, client: new OpenAI({ apiKey: "s3cret", baseURL: `${fixture.url}/v1`, maxRetries }) };
}

t.test("the official client gets a response", async (t) => {
  const { client } = await serveOpenAI(t);
  const response = await client.responses.create({ model: "gpt-fake", input: "hi" });
  t.equal(response.output_text, "Hello, wörld 🌍");
  t.equal(response.status, "completed");
  t.equal(response.usage?.total_tokens, 18);
});

t.test("the official client reads a stream", async (t) => {
  const { client } = await serveOpenAI(t);
  let text = "";
  const types: string[] = [];
  for await (const event of await client.responses.create({ model: "gpt-fake", input: "hi", stream: true })) {
    types.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  t.equal(text, "Hello, wörld 🌍");
  t.equal(types[0], "response.created");
  t.equal(types.at(-1), "response.completed");
});

async function answerEverything(turn: FakeTurn) {
  turn.start();
  await turn.emit(
    { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
    { type: "reasoning_summary.part", itemId: "rs_1", summaryIndex: 0 },
    { type: "reasoning_summary.delta", itemId: "rs_1", summaryIndex: 0, delta: "Thinking" },
    {
      type: "item.completed",
      item: {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "Thinking hard" }],
        content: [{ type: "reasoning_text", text: "deep thought" }],
        encrypted_content: "enc",
      },
    },
    { type: "item.started", itemId: "ws_1", itemType: "web_search_call" },
    {
      type: "item.completed",
      item: { type: "web_search_call", id: "ws_1", action: { type: "search", query: "cats" } },
    },
    { type: "text.delta", itemId: "msg_1", delta: "A " },
    {
      type: "item.completed",
      item: {
        type: "message",
        id: "msg_1",
        role: "assistant",
        content: [
          {
            type: "output_text",
            text: "A cat.",
            annotations: [
              { type: "url_citation", url: "https://c.example", title: "C", start_index: 2, end_index: 5 },
            ],
          },
        ],
      },
    },
    {
      type: "item.completed",
      item: { type: "message", id: "msg_2", content: [{ type: "refusal", refusal: "No." }] },
    },
    { type: "item.completed", item: { type: "function_call", call_id: "c1", name: "look", arguments: "{}" } },
  );
  return turn.result();
}

t.test("its own accumulator agrees with our last event, step by step", async (t) => {
  const { client, fixture } = await serveOpenAI(t);
  fixture.runtime.script = answerEverything;
  const stream = client.responses.stream({
    model: "gpt-fake",
    input: "hi",
    include: ["reasoning.encrypted_content"],
  });
  const summary: string[] = [];
  stream.on("response.reasoning_summary_text.delta", ({ delta }) => summary.push(delta));
  const final = await stream.finalResponse();
  t.equal(final.output_text, "A cat.");
  t.strictSame(summary, ["Thinking", " hard"]);
  t.match(final.output, [
    { type: "reasoning", summary: [{ text: "Thinking hard" }], encrypted_content: "enc" },
    { type: "web_search_call", status: "completed", action: { query: "cats" } },
    { type: "message", content: [{ annotations: [{ url: "https://c.example" }] }] },
    { type: "message", content: [{ type: "refusal", refusal: "No." }] },
    { type: "function_call", call_id: "c1", status: "completed" },
  ]);
});

t.test("structured output is parsed by the client's helper", async (t) => {
  const { client, fixture } = await serveOpenAI(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emitText("msg_1", ['{"intent":', '"greet"}']);
    return turn.result();
  };
  const schema = {
    type: "object",
    properties: { intent: { type: "string" } },
    required: ["intent"],
    additionalProperties: false,
  };
  const format = { type: "json_schema", name: "intent", schema, strict: true } as const;
  const response = await client.responses.parse({ model: "gpt-fake", input: "hi", text: { format } });
  t.strictSame(response.output_parsed, { intent: "greet" });
  t.strictSame(fixture.runtime.turns[0]?.request.outputSchema, schema);
});

t.test("leaving the client's loop cancels the turn", async (t) => {
  const { client, fixture } = await serveOpenAI(t);
  fixture.runtime.script = answerUntilAborted;
  for await (const event of await client.responses.create({ model: "gpt-fake", input: "hi", stream: true })) {
    if (event.type === "response.output_text.delta") break;
  }
  await fixture.runtime.turns[0]?.aborted();
  t.match(await fixture.logged("http.request"), { outcome: "client_left" });
});

t.test("the client sees our errors as its own kinds", async (t) => {
  const { client, fixture } = await serveOpenAI(t);
  fixture.runtime.script = async () => {
    throw failure("context_length_exceeded");
  };
  const asked = client.responses.create({ model: "gpt-fake", input: "hi" });
  const fault = await asked.catch((error: unknown) => error);
  t.match(fault, { status: 400, code: "context_length_exceeded", requestID: /^req_/ });
  t.ok(fault instanceof OpenAI.BadRequestError);
  const stranger = new OpenAI({ apiKey: "guess", baseURL: `${fixture.url}/v1`, maxRetries: 0 });
  t.ok((await stranger.models.list().catch((error: unknown) => error)) instanceof OpenAI.AuthenticationError);
});

t.test("the client does not retry what a retry cannot mend", async (t) => {
  const { client, fixture } = await serveOpenAI(t, 2);
  fixture.runtime.script = async () => {
    throw failure("native_login_required");
  };
  const fault = await client.responses
    .create({ model: "gpt-fake", input: "hi" })
    .catch((error: unknown) => error);
  t.match(fault, { status: 503, code: "native_login_required" });
  t.equal(fixture.runtime.turns.length, 1);
});

t.test("the client lists models and finds one", async (t) => {
  const { client } = await serveOpenAI(t);
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  t.strictSame(ids, ["gpt-fake", "gpt-fake-mini"]);
  t.equal((await client.models.retrieve("gpt-fake")).object, "model");
});
