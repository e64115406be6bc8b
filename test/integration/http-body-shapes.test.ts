/** What a body may hold: nothing of it stops the service, and what Codex could not read is mended or refused at the edge. */
import t from "tap";
import { request } from "undici";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";

const mebibyte = 1024 * 1024;
const half = "\ud83d";
const mended = "\ufffd";

/** JSON as a client writes it that slices strings: halves of pairs as escapes. */
function bodyOf(value: unknown): string {
  return JSON.stringify(value);
}

/** `call` holds each request against the OpenAPI document, which takes its time for a large one. */
async function post({ url, agent }: HttpFixture, path: string, body: string) {
  const headers = { "content-type": "application/json" };
  const answer = await request(url + path, { dispatcher: agent, method: "POST", headers, body });
  const text = await answer.body.text();
  return { status: answer.statusCode, text, json: (): unknown => JSON.parse(text) };
}

t.test("an emoji cut in half is U+FFFD by the time it leaves the listener, in every field", async (t) => {
  const fixture = await serveFake(t);
  const schema = { type: "object", properties: { [`p${half}`]: { type: "string", enum: [half] } } };
  const bodies: readonly (readonly [string, object])[] = [
    ["/v1/responses", { input: `hi ${half}`, instructions: half }],
    [
      "/v1/responses",
      {
        input: [
          { role: "user", content: [{ type: "input_text", text: half, [`k${half}`]: half }] },
          { type: "function_call", call_id: `c${half}`, name: `f${half}`, arguments: half },
          { type: "function_call_output", call_id: `c${half}`, output: half },
        ],
        tools: [{ type: "function", name: "f", description: half, parameters: schema }],
        text: { format: { type: "json_schema", name: "n", schema, description: half } },
        metadata: { [half]: half },
      },
    ],
    [
      "/v1/chat/completions",
      {
        messages: [
          { role: "system", content: half },
          { role: "user", content: [{ type: "text", text: half }] },
          {
            role: "assistant",
            tool_calls: [{ id: half, type: "function", function: { name: half, arguments: half } }],
          },
          { role: "tool", tool_call_id: half, content: half },
        ],
        tools: [{ type: "function", function: { name: "f", description: half, parameters: schema } }],
        response_format: { type: "json_schema", json_schema: { name: "n", schema } },
      },
    ],
  ];
  for (const [path, body] of bodies) {
    const answer = await call(fixture, path, { body: bodyOf(body) });
    t.equal(answer.status, 200, answer.text);
    const sent = JSON.stringify(fixture.runtime.turns.at(-1)?.request);
    t.notMatch(sent, /\\ud[89a-f]/, "nothing is left of it");
    t.match(sent, mended);
  }
});

t.test("names that half emojis would make the same are refused by their path", async (t) => {
  const fixture = await serveFake(t);
  const properties = { "a\ud83d": { type: "string" }, "a\ud83e": { type: "string" } };
  const tools = [{ type: "function", name: "f", parameters: { type: "object", properties } }];
  const answer = await call(fixture, "/v1/responses", { body: bodyOf({ input: "x", tools }) });
  t.equal(answer.status, 400);
  t.match(answer.json(), {
    error: { code: "invalid_request", param: `tools[0].parameters.properties.a${mended}` },
  });
});

t.test("a property named __proto__ reaches Codex as the property it is", async (t) => {
  const fixture = await serveFake(t);
  const parameters =
    '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}';
  const body = `{"input":"x","__proto__":{"model":"other"},"tools":[{"type":"function","name":"f","parameters":${parameters}}]}`;
  t.equal((await call(fixture, "/v1/responses", { body })).status, 200);
  const request = fixture.runtime.turns[0]?.request;
  t.equal(JSON.stringify(request?.tools?.[0]?.parameters), parameters);
  t.equal(request?.model, undefined, "nothing is taken from a prototype");
});

t.test("33 MB of anything are answered", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 34 * mebibyte });
  const fill = (element: string) =>
    `[${`${element},`.repeat(Math.floor((32 * mebibyte) / (element.length + 1)))}0]`;
  const cases: readonly (readonly [path: string, body: string, param: RegExp])[] = [
    ["/v1/responses", `{"input":${fill("0")}}`, /^input(\[0\])?$/],
    ["/v1/responses", `{"input":${fill('{"role":"user","content":""}')}}`, /^input$/],
    ["/v1/responses", `{"input":"x","unknown":${fill("{}")}}`, /^unknown$/],
    ["/v1/responses", `{"input":"x","metadata":${fill("[]")}}`, /^metadata$/],
    ["/v1/responses", `{"input":"x","tools":${fill("null")}}`, /^tools$/],
    ["/v1/chat/completions", `{"messages":${fill("0")}}`, /^messages(\[0\])?$/],
    ["/v1/chat/completions", `{"messages":[{"role":"user","content":${fill("{}")}}]}`, /^messages\[0\]$/],
    ["/v1/responses", `{"input":"x","unknown":"${"a".repeat(32 * mebibyte)}"}`, /^unknown$/],
  ];
  for (const [path, body, param] of cases) {
    const answer = await post(fixture, path, body);
    t.equal(answer.status, 400, body.slice(0, 40));
    t.match(answer.json(), { error: { code: "invalid_request", param } });
  }
});

t.test("a history of 32 MB in ordinary messages is taken, in either dialect", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 33 * mebibyte });
  const words = "The quick brown fox jumps over the lazy dog. ".repeat(20);
  const rounds = Math.floor((32 * mebibyte) / 3300);
  const input = Array.from({ length: rounds }, (_, index) => [
    {
      role: "user",
      content: [
        { type: "input_text", text: words },
        { type: "input_text", text: `${index}` },
      ],
    },
    { type: "function_call", call_id: `c${index}`, name: "look_up", arguments: '{"key":"value","n":1}' },
    { type: "function_call_output", call_id: `c${index}`, output: words },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: words, annotations: [] }] },
  ]).flat();
  const messages = Array.from({ length: rounds }, (_, index) => [
    {
      role: "user",
      content: [
        { type: "text", text: words },
        { type: "text", text: `${index}` },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: `c${index}`, type: "function", function: { name: "look_up", arguments: '{"key":1}' } },
      ],
    },
    { role: "tool", tool_call_id: `c${index}`, content: words },
    { role: "assistant", content: words },
  ]).flat();
  for (const [path, body] of [
    ["/v1/responses", { input, store: false }],
    ["/v1/chat/completions", { messages }],
  ] as const) {
    const answer = await post(fixture, path, JSON.stringify(body));
    t.equal(answer.status, 200, answer.text.slice(0, 300));
  }
});

t.test("a field beside the conversation is 4 MiB long at most, by its name", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 34 * mebibyte });
  const long = "a".repeat(4 * mebibyte);
  const parameters = { type: "object", properties: { a: { type: "string", description: long } } };
  const format = { type: "json_schema", name: "n", schema: parameters };
  const tools = [{ type: "function", name: "f", parameters }];
  const chatTools = [{ type: "function", function: { name: "f", parameters } }];
  const messages = [{ role: "user", content: "x" }];
  const bodies: readonly (readonly [path: string, param: string, body: object])[] = [
    ["/v1/responses", "tools", { input: "x", tools }],
    ["/v1/responses", "text", { input: "x", text: { format } }],
    ["/v1/responses", "metadata", { input: "x", metadata: { codexbridge: { eventMetadata: { long } } } }],
    ["/v1/responses", "unknown", { input: "x", unknown: long }],
    ["/v1/responses", "k".repeat(64), { input: "x", ["k".repeat(100)]: { [long]: 0 } }],
    ["/v1/chat/completions", "tools", { messages, tools: chatTools }],
    [
      "/v1/chat/completions",
      "response_format",
      { messages, response_format: { ...format, json_schema: format } },
    ],
    ["/v1/chat/completions", "user", { messages, user: long }],
  ];
  for (const [path, param, body] of bodies) {
    const { status, json } = await post(fixture, path, JSON.stringify(body));
    t.equal(status, 400, `${param} at ${path}`);
    t.match(json(), { error: { code: "invalid_request", param, message: /longer than 4194304 bytes/ } });
  }
  const fits = {
    input: long,
    instructions: long,
    tools: [{ type: "function", name: "f", description: "a".repeat(mebibyte) }],
  };
  t.equal((await post(fixture, "/v1/responses", JSON.stringify(fits))).status, 200);
});
