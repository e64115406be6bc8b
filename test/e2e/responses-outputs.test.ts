/** Whatever a model can put out, through the official client. */

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import t from "tap";
import { z } from "zod";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { faultOf } from "../support/api-faults.js";
import { lacks } from "../support/codex-version.js";
import {
  delayed,
  incomplete,
  reasoning,
  refusal,
  reply,
  text,
  textInDeltas,
  webSearchCall,
  withUsage,
} from "../support/offline-backend/index.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";

type Events = readonly OpenAI.Responses.ResponseStreamEvent[];

const person = z.object({ name: z.string(), age: z.number() });
const ada = '{"name":"Ada","age":36}';

async function readAll(stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<Events> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

t.test("parse sends a strict schema and gives the object back", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(text(ada));
  const response = await client.responses.parse({
    input: "Who?",
    text: { format: zodTextFormat(person, "person") },
  });
  t.same(response.output_parsed, { name: "Ada", age: 36 });
  t.match(backend.requests[0]?.body.text, {
    format: {
      type: "json_schema",
      strict: true,
      schema: {
        type: "object",
        properties: { name: { type: "string" }, age: { type: "number" } },
        required: ["name", "age"],
        additionalProperties: false,
      },
    },
  });
  t.match(response.text?.format, { type: "json_schema", name: "person", strict: true });
});

t.test("the stream helper parses too, and its final response is the whole one", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(textInDeltas(ada, 5, 1));
  const stream = client.responses.stream({
    input: "Who?",
    text: { format: zodTextFormat(person, "person") },
  });
  let snapshot = "";
  stream.on("response.output_text.delta", (event) => {
    snapshot = event.snapshot;
  });
  const response = await stream.finalResponse();
  t.equal(snapshot, ada);
  t.same(response.output_parsed, { name: "Ada", age: 36 });
  t.equal(response.status, "completed");
  t.equal(response.usage?.total_tokens, 19);
});

t.test("a schema that strict mode does not take is refused with its path, before any turn", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const schema = {
    type: "object",
    properties: { inner: { type: "object", properties: { a: { type: "string" } }, required: [] } },
    required: ["inner"],
    additionalProperties: false,
  };
  const fault = await faultOf(
    client.responses.create({
      input: "Who?",
      text: { format: { type: "json_schema", name: "bad", strict: true, schema } },
    }),
  );
  t.match(fault, {
    status: 400,
    code: "invalid_request",
    param: /^text\.format\.schema\.properties\.inner/,
  });
  t.equal(backend.requests.length, 0);
});

t.test("reasoning has the effort asked for and its summary, streamed and whole", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(
    reply(reasoning({ summary: ["First thought", "Then more"], encryptedContent: "gAAAA" }), text("Done.")),
  );
  const request = { input: "Think.", reasoning: { effort: "low", summary: "detailed" } } as const;
  const response = await client.responses.create(request);
  t.match(response.reasoning, request.reasoning);
  const summary = [
    { type: "summary_text", text: "First thought" },
    { type: "summary_text", text: "Then more" },
  ];
  t.match(response.output, [{ type: "reasoning", summary }, { type: "message" }]);
  const events = await readAll(await client.responses.create({ ...request, stream: true }));
  const said = ["", ""];
  for (const event of events) {
    if (event.type === "response.reasoning_summary_text.delta") said[event.summary_index] += event.delta;
  }
  t.same(said, ["First thought", "Then more"]);
  for (const { body } of backend.requests) t.match(body.reasoning, { effort: "low", summary: "detailed" });
});

t.test("encrypted reasoning comes to those who ask for it", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(reply(reasoning({ summary: ["Why"], encryptedContent: "gAAAA" }), text("Done.")));
  const plain = await client.responses.create({ input: "Think." });
  t.notOk("encrypted_content" in (plain.output[0] ?? {}));
  const asked = await client.responses.create({
    input: "Think.",
    include: ["reasoning.encrypted_content"],
  });
  t.match(asked.output[0], { type: "reasoning", encrypted_content: "gAAAA" });
  const events = await readAll(
    await client.responses.create({
      input: "Think.",
      include: ["reasoning.encrypted_content"],
      stream: true,
    }),
  );
  t.match(
    events.find((event) => event.type === "response.output_item.done"),
    { item: { type: "reasoning", encrypted_content: "gAAAA" } },
  );
});

t.test("reasoning sent back as it came is whole again at the backend", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(reasoning({ summary: ["Why"], encryptedContent: "gAAAA" }), text("One.")));
  const first = await client.responses.create({ input: "Think." });
  const history = first.output.filter((item) => item.type === "reasoning" || item.type === "message");
  await client.responses.create({
    input: [{ role: "user", content: "Think." }, ...history, { role: "user", content: "Go on." }],
  });
  t.match(seenInput(backend.requests[1]), [
    { role: "user" },
    { type: "reasoning", summary: [{ text: "Why" }], encrypted_content: "gAAAA" },
    { role: "assistant", content: [{ text: "One." }] },
    { role: "user" },
  ]);
});

t.test("web search is Codex's own, with calls and citations as the model gave them", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const cited = { url: "https://news.example/1", title: "News", startIndex: 0, endIndex: 4 };
  backend.setDefaultReply(
    reply(webSearchCall({ query: "news" }), text({ deltas: ["Much ", "happened."], annotations: [cited] })),
  );
  const cites = lacks("citations") === null;
  const citation = {
    type: "url_citation",
    url: cited.url,
    title: cited.title,
    start_index: 0,
    end_index: 4,
  };
  const output = [
    { type: "web_search_call", status: "completed", action: { type: "search", query: "news" } },
    { type: "message", content: [{ text: "Much happened.", annotations: cites ? [citation] : [] }] },
  ];
  for (const type of ["web_search", "web_search_preview"] as const) {
    const request = { input: "What is new?", tools: [{ type }] };
    t.match((await client.responses.create(request)).output, output, type);
    const events = await readAll(await client.responses.create({ ...request, stream: true }));
    t.match(
      events.find((event) => event.type === "response.output_text.annotation.added"),
      cites ? { annotation_index: 0, annotation: citation } : undefined,
    );
    t.match(events.at(-1), { type: "response.completed", response: { output } });
  }
  for (const request of backend.requests) t.match(offeredTools(request), [{ type: "web_search" }]);
  await client.responses.create({ input: "What is new?" });
  t.same(offeredTools(backend.requests.at(-1)), [], "off unless declared");
});

t.test("a refusal is a refusal", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(refusal("I cannot help with that."));
  // Codex keeps the model's words to itself.
  const content = [{ type: "refusal", refusal: /\S/ }];
  const response = await client.responses.create({ input: "hello" });
  t.match(response.output, [{ type: "message", status: "completed", content }]);
  t.equal(response.status, "completed");
  t.equal(response.output_text, "");
  const parsed = await client.responses.parse({
    input: "Who?",
    text: { format: zodTextFormat(person, "person") },
  });
  t.equal(parsed.output_parsed, null);
});

t.test("an answer that stopped early says why, streamed or not", async (t) => {
  // Codex repeats a call that a filter ended, with a login as often as it does by default.
  const { backend, client } = await startServiceHarness(t, { login: "provider" });
  for (const reason of ["max_output_tokens", "content_filter"] as const) {
    backend.setDefaultReply(incomplete({ reason, text: "half an answer" }));
    const incompleteResponse = {
      status: "incomplete",
      incomplete_details: { reason },
      error: null,
      completed_at: null,
    };
    const response = await client.responses.create({ input: "hello" });
    t.match(response, { ...incompleteResponse, output_text: "half an answer" }, reason);
    const events = await readAll(await client.responses.create({ input: "hello", stream: true }));
    t.match(events.at(-1), { type: "response.incomplete", response: incompleteResponse }, reason);
  }
});

t.test("usage is the model's own, to the token", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const tokens = {
    inputTokens: 1_000,
    cachedInputTokens: 640,
    cacheWriteInputTokens: 320,
    outputTokens: 300,
    reasoningOutputTokens: 256,
  };
  backend.setDefaultReply(withUsage(tokens, text("Done.")));
  const usage = {
    input_tokens: 1_000,
    input_tokens_details: {
      cached_tokens: 640,
      cache_write_tokens: lacks("cache_write_usage") === null ? 320 : 0,
    },
    output_tokens: 300,
    output_tokens_details: { reasoning_tokens: 256 },
    total_tokens: 1_300,
  };
  const first = await client.responses.create({ input: "hello" });
  t.match(first.usage, usage);
  const events = await readAll(
    await client.responses.create({ input: "more", previous_response_id: first.id, stream: true }),
  );
  t.match(events.at(-1), { response: { usage } }, "of the second response alone");
});

t.test("a stream that is silent for long has comments that keep it open", async (t) => {
  const { backend, runtime } = await createRuntimeHarness(t);
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  const server = new CodexNativeApiServer({
    runtime,
    registry,
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024 * 1024,
    unsupportedParameters: "ignore",
    version: "0.0.0-test",
    keepAliveCommentMs: 50,
    // Else the head itself waits for the model.
    streamHeadHoldMs: 0,
  });
  t.teardown(() => server.destroy());
  const { url } = await server.start();
  await runtime.start();
  backend.setDefaultReply(delayed(400, text("late")));
  const answer = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello", stream: true }),
  });
  const stream = await answer.text();
  t.ok(stream.split(": keep-alive\n\n").length > 2, "more than one");
  const client = new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 0 });
  const { output_text: said } = await client.responses.stream({ input: "hello" }).finalResponse();
  t.equal(said, "late", "which the official client reads over");
});
