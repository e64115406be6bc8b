/** What Codex never answers: half emojis, and JSON nested deeper than it reads. Nothing of either is sent to it. */
import t from "tap";
import type { IsolatedTurnRequest } from "../../src/main/runtime/types.js";
import { isJsonObject, type JsonObject, maxTextChars } from "../../src/workers/contract/json.js";
import { functionCall, reply, text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

const half = "\ud83d";
const mended = "\ufffd";

function nest(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

/** Codex would leave any of it unanswered for half a minute. */
const atOnce = () => ({ signal: AbortSignal.timeout(25_000) });

t.test("half emojis of HTTP callers reach the model as U+FFFD, in either dialect", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const parameters = { type: "object", properties: { [`p${half}`]: { type: "string", description: half } } };
  const response = await client.responses.create(
    {
      instructions: `be ${half}`,
      input: [
        { role: "user", content: `one ${half}` },
        { type: "function_call", call_id: "c1", name: "weather", arguments: `{"city":"${half}"}` },
        { type: "function_call_output", call_id: "c1", output: half },
      ],
      tools: [{ ...weatherTool, strict: false, description: half, parameters }],
      text: { format: { type: "json_schema", name: "n", strict: false, schema: parameters } },
    },
    atOnce(),
  );
  t.equal(response.status, "completed");
  const completion = await client.chat.completions.create(
    { model: "gpt-5.5", messages: [{ role: "user", content: `two ${half}` }] },
    atOnce(),
  );
  t.equal(completion.choices[0]?.finish_reason, "stop");
  const [one, two] = backend.requests.slice(-2).map((request) => JSON.stringify(request.fullInput));
  t.match(one, `one ${mended}`);
  t.match(two, `two ${mended}`);
});

t.test(
  "two names of a schema that would read the same are refused by the field, however they are broken",
  async (t) => {
    const { backend, url } = await startServiceHarness(t);
    const names = [
      ["p\\ud83d", "p\\ud83e"],
      ["p\xff", "p\xfe"],
      ["p\xf0\x9f\x98", "p\xf0\x9f\x99"],
      ["p\xff", "p\\ude00"],
    ] as const;
    for (const [one, other] of names) {
      const properties = `{"${one}":{"type":"string"},"${other}":{"type":"number"}}`;
      const tool = `{"type":"function","name":"f","strict":false,"parameters":{"type":"object","properties":${properties}}}`;
      const answer = await fetch(`${url}/v1/responses`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: Buffer.from(`{"input":"hello","tools":[${tool}]}`, "latin1"),
      });
      t.equal(answer.status, 400, properties);
      t.match(await answer.json(), {
        error: { code: "invalid_request", param: `tools[0].parameters.properties.p${mended}` },
      });
    }
    t.equal(backend.requests.length, 0);
  },
);

t.test("half an emoji in the output of a parked turn's call is answered", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.queueReply(reply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" })));
  backend.setDefaultReply(text("Sunny."));
  const first = await client.responses.create({ input: "Weather?", tools: [weatherTool] });
  const second = await client.responses.create(
    {
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: "call_1", output: `sun ${half}` }],
      tools: [weatherTool],
    },
    atOnce(),
  );
  t.equal(second.output_text, "Sunny.");
  t.match(backend.requests.at(-1)?.fullInput.at(-1), { output: `sun ${mended}` });
});

t.test("half emojis of a host reach the model as U+FFFD, wherever it puts them", async (t) => {
  const { backend, runtime } = await createRuntimeHarness(t);
  t.same(await runtime.start(), { ready: true });
  const schema = {
    type: "object",
    properties: { [half]: { type: "string", enum: [half] } },
    required: [half],
    additionalProperties: false,
  };
  const cases = [
    { items: [{ ...userMessage(`a ${half}`), [`key${half}`]: half }] },
    { items: [userMessage(`a ${half}`)] },
    { items: [userMessage("x")], instructions: `a ${half}` },
    { items: [userMessage("x")], directives: [userMessage(`a ${half}`)] },
    { items: [userMessage("x")], tools: [{ name: "f", description: `a ${half}`, parameters: schema }] },
    { items: [userMessage("x")], outputSchema: schema },
  ];
  for (const request of cases) {
    const result = await runtime.runIsolatedTurn(request, atOnce());
    t.equal(result.outcome.status, "completed");
    t.match(JSON.stringify(backend.requests.at(-1)?.body), mended, JSON.stringify(request));
  }
  const named = runtime.runIsolatedTurn(
    { items: [userMessage("x")], tools: [{ name: `f${half}`, description: "", parameters: schema }] },
    atOnce(),
  );
  // Codex answers that it takes no such name.
  t.match(await named.catch((error: unknown) => error), { code: /^(upstream_bad_request|invalid_request)$/ });
});

t.test("what is nested as deep as Codex reads is taken, what is deeper is refused by its path", async (t) => {
  const { client, backend } = await startServiceHarness(t);
  const item = (levels: number) => ({ role: "user", content: "x", extra: nest(levels) });
  const tool = (levels: number) => ({
    ...weatherTool,
    strict: false,
    parameters: { type: "object", properties: {}, extra: nest(levels) },
  });
  const create = (body: object) =>
    client.post("/responses", { body, ...atOnce() }).then(
      () => null,
      (error: unknown) => (isJsonObject(error) ? error : { code: String(error) }),
    );
  t.equal(await create({ input: [item(123)] }), null);
  t.match(await create({ input: [item(124)] }), {
    code: "invalid_request",
    param: /^input\[0\]\.extra(\.a){123}$/,
  });
  t.equal(await create({ input: "x", tools: [tool(122)] }), null);
  t.match(await create({ input: "x", tools: [tool(123)] }), {
    code: "invalid_request",
    param: /^tools\[0\]\.parameters\.extra(\.a){122}$/,
  });
  t.match(await create({ input: "x", unknown: nest(200) }), { code: "invalid_request", param: /^unknown/ });
  t.equal(backend.requests.length, 2);
});

t.test("a host's request that Codex could not read fails at once", async (t) => {
  const { runtime } = await createRuntimeHarness(t);
  t.same(await runtime.start(), { ready: true });
  const deep = [
    { items: [{ ...userMessage("x"), extra: nest(200) }] },
    { items: [{ ...userMessage("x"), extra: nest(5_000) }] },
    { items: [userMessage("x")], tools: [{ name: "f", description: "", parameters: nest(200) }] },
    { items: [userMessage("x")], outputSchema: nest(200) },
    { items: [userMessage("x")], directives: [{ ...userMessage("x"), extra: nest(200) }] },
  ];
  for (const request of deep) {
    t.match(await runtime.runIsolatedTurn(request, atOnce()).catch((error: unknown) => error), {
      code: "invalid_request",
    });
  }
});

t.test(
  "a host's request with a text beyond the bound is refused by its path, before Codex hears of it",
  async (t) => {
    const { backend, runtime } = await createRuntimeHarness(t);
    t.same(await runtime.start(), { ready: true });
    const long = "x".repeat(maxTextChars + 1);
    const refused: readonly (readonly [IsolatedTurnRequest, string])[] = [
      [
        { items: [userMessage("x"), { ...userMessage("x"), extra: { deep: [long] } }] },
        "input[1].extra.deep[0]",
      ],
      [{ items: [userMessage(long)] }, "input[0].content[0].text"],
      [{ items: [{ ...userMessage("x"), extra: { [long]: 1 } }] }, "input[0].extra"],
      [{ items: [userMessage("x")], instructions: long }, "instructions"],
    ];
    for (const [request, param] of refused) {
      const failure = { code: "invalid_request", param, message: /longer than 10485760 characters/ };
      await t.rejects(runtime.runIsolatedTurn(request), failure);
    }
    t.equal(backend.requests.length, 0);
  },
);
