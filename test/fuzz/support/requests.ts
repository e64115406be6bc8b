/** HTTP requests that are nearly right. */
import fc from "fast-check";
import { almost, anyJson, anyText, asText } from "./json-values.js";

export interface FuzzRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export const fuzzToken = "fuzzers-own-token-1";

const schema = almost(
  { type: ["object"], properties: fc.constant({}), additionalProperties: [false] },
  {
    type: ["string", "array", ["string", "null"]],
    properties: fc.dictionary(anyText, anyJson, { maxKeys: 2, noNullPrototype: true }),
    required: fc.array(anyText, { maxLength: 2 }),
    additionalProperties: [true],
    $ref: ["#", "#/$defs/a", "https://example.com/s.json"],
  },
);

const part = fc.oneof(
  almost({ type: ["input_text"], text: anyText }),
  almost({ type: ["text"], text: anyText }),
  almost({ type: ["output_text", "refusal", "odd"], text: anyText }),
  almost({
    type: ["input_image"],
    image_url: ["data:image/png;base64,iVBORw0KGgo=", "https://example.com/x.png"],
  }),
  almost({
    type: ["image_url"],
    image_url: [{ url: "data:image/png;base64,iVBORw0KGgo=" }, { url: "data:,x" }],
  }),
  almost({ type: ["input_file"], filename: anyText, file_data: ["data:text/plain;base64,aGk=", "data:,"] }),
);
const content = fc.oneof(anyText, fc.array(part, { maxLength: 2 }));
const call = almost({
  type: ["function_call"],
  call_id: ["call_1"],
  name: ["lookup", "a b"],
  arguments: ["{}", "{"],
});
const item = fc.oneof(
  { weight: 4, arbitrary: almost({ role: ["user", "assistant", "system", "developer"], content }) },
  { weight: 1, arbitrary: almost({ type: ["message"], role: ["user", "tool"], content, id: ["msg_1"] }) },
  { weight: 1, arbitrary: call },
  { weight: 1, arbitrary: almost({ type: ["function_call_output"], call_id: ["call_1"], output: content }) },
  { weight: 1, arbitrary: almost({ type: ["reasoning"], id: ["rs_1"], summary: fc.constant([]) }) },
  { weight: 1, arbitrary: almost({ type: ["item_reference", "web_search_call", "odd"], id: ["msg_1"] }) },
);
const callAndOutput = fc.tuple(
  call,
  almost({ type: ["function_call_output"], call_id: ["call_1"], output: content }),
);

const tool = fc.oneof(
  almost({
    type: ["function"],
    name: ["lookup", "x".repeat(65)],
    parameters: schema,
    strict: [true, false, null],
  }),
  almost({
    type: ["function"],
    function: almost({ name: ["lookup"], parameters: schema }, { strict: [true] }),
  }),
  almost({ type: ["web_search", "web_search_preview", "code_interpreter", "mcp"] }),
);

const shared = {
  model: ["gpt-fake", "gpt-fake-mini", "gpt-none"],
  stream: [true, false],
  store: [true, false],
  tools: fc.array(tool, { maxLength: 2 }),
  tool_choice: ["auto", "none", "required", { type: "function", name: "lookup" }, { type: "allowed_tools" }],
  parallel_tool_calls: [true, false],
  metadata: fc.dictionary(anyText, anyText, { maxKeys: 2, noNullPrototype: true }),
  temperature: [0, 1, 3, -1],
  user: anyText,
  service_tier: ["auto", "flex", "odd"],
};

const responseBody = almost(
  { input: fc.oneof(anyText, fc.array(item, { maxLength: 3 }), callAndOutput) },
  {
    ...shared,
    instructions: anyText,
    background: [true, false],
    previous_response_id: ["resp_none", null],
    text: almost({
      format: almost({ type: ["json_schema"], name: ["n"], schema }, { type: ["text", "json_object"] }),
    }),
    reasoning: almost({ effort: ["low", "high", "odd"] }, { summary: ["auto", "detailed"] }),
    include: fc.array(fc.constantFrom("reasoning.encrypted_content", "odd"), { maxLength: 2 }),
    max_output_tokens: [1, 0, 1e9],
    truncation: ["auto", "disabled"],
  },
);

const toolCall = almost({
  id: ["call_1"],
  type: ["function"],
  function: almost({ name: ["lookup"], arguments: ["{}"] }),
});
const message = fc.oneof(
  { weight: 5, arbitrary: almost({ role: ["user", "system", "developer", "assistant"], content }) },
  { weight: 1, arbitrary: almost({ role: ["tool"], tool_call_id: ["call_1"], content }) },
  { weight: 1, arbitrary: almost({ role: ["assistant"], tool_calls: fc.array(toolCall, { maxLength: 2 }) }) },
  { weight: 1, arbitrary: almost({ role: ["function", "odd"], content, name: ["ada"] }) },
);

const chatBody = almost(
  { messages: fc.array(message, { minLength: 1, maxLength: 3 }) },
  {
    ...shared,
    n: [1, 2, 8, 9],
    stop: ["x", ["a", "b"]],
    response_format: almost(
      { type: ["json_schema"], json_schema: almost({ name: ["n"], schema }) },
      { type: ["text"] },
    ),
    reasoning_effort: ["low", "none"],
    stream_options: almost({ include_usage: [true, false] }),
    logprobs: [true],
    modalities: [["text"], ["audio"]],
  },
);

const segment = fc.oneof(
  fc.constantFrom(
    "v1",
    "responses",
    "models",
    "chat",
    "completions",
    "health",
    "resp_none",
    "gpt-fake",
    "cancel",
  ),
  fc.constantFrom(
    "input_items",
    "compact",
    "",
    ".",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%",
    "x".repeat(600),
    "a b",
  ),
  anyText.map(encodeURIComponentSafely),
);
const strayPath = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`);
const query = fc.oneof(
  fc.constant(""),
  fc
    .array(
      fc.tuple(
        fc.constantFrom("stream", "limit", "order", "after", "starting_after", "include[]", "__proto__"),
        fc.oneof(
          fc.constantFrom("true", "1", "-1", "asc", "1e9", "%", ""),
          anyText.map(encodeURIComponentSafely),
        ),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => `?${pairs.map(([key, value]) => `${key}=${value}`).join("&")}`),
);

const headers = fc.record(
  {
    authorization: fc.constantFrom(
      "Bearer wrong",
      "Basic eDp5",
      "bearer",
      `Bearer  ${fuzzToken} `,
      "Bearer a b",
    ),
    "content-type": fc.constantFrom(
      "text/plain",
      "application/json; charset=utf-16",
      "multipart/form-data",
      "x",
      "",
    ),
    "content-encoding": fc.constantFrom("gzip", "identity", "br, gzip"),
    host: fc.constantFrom("evil.example", "[::1]:99", "127.0.0.1:1", "localhost.", "a b", ""),
    origin: fc.constantFrom("https://evil.example", "null", "http://localhost"),
    "sec-fetch-site": fc.constantFrom("cross-site", "same-origin", "none"),
    "x-request-id": fc.oneof(fc.constantFrom("a\tb", "x".repeat(500), "ok-1"), fc.string({ maxLength: 6 })),
    accept: fc.constantFrom("text/event-stream", "*/*", "image/png;q=0"),
    "access-control-request-method": fc.constantFrom("POST", "BREW"),
    "last-event-id": fc.constantFrom("-1", "x"),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const stray = fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: headers });
const common = { query, stray };
const ask = { ...common, method: fc.constant("POST" as const) };

/** Most reach a handler: what is refused at the door says little about the rooms behind it. */
export const anyRequest: fc.Arbitrary<FuzzRequest> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.record({ ...ask, path: fc.constant("/v1/responses"), body: asText(responseBody) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ ...ask, path: fc.constant("/v1/chat/completions"), body: asText(chatBody) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        ...common,
        method: fc.constantFrom("GET", "GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "PATCH" as const),
        path: fc.oneof(
          fc.constantFrom("/v1/models", "/v1/responses/resp_none", "/v1/responses/resp_none/input_items"),
          fc.constantFrom("/v1/responses/compact", "/v1/health", "/livez", "/readyz", "/"),
          strayPath,
        ),
        body: asText(anyJson),
      }),
    },
  )
  .map(({ method, path, query: search, stray: odd, body }) => ({
    method,
    path: path + search,
    headers: {
      host: "localhost",
      authorization: `Bearer ${fuzzToken}`,
      "content-type": "application/json",
      ...odd,
    },
    body: method === "GET" || method === "HEAD" ? null : body,
  }));

/** A lone surrogate has no encoding. */
function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}
