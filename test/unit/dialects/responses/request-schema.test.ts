import t from "tap";
import { requestLimits } from "../../../../src/main/dialects/requests/fields.js";
import { parseResponsesRequest } from "../../../../src/main/dialects/responses/request-schema.js";
import { CodexNativeApiError } from "../../../../src/main/errors.js";

function faultOf(body: unknown): { code: string; param: string | null; message: string } {
  try {
    parseResponsesRequest(body);
  } catch (error) {
    if (error instanceof CodexNativeApiError) {
      return { code: error.code, param: error.param, message: error.message };
    }
    throw error;
  }
  throw new Error("the body was taken");
}

const user = (content: unknown) => ({ input: [{ role: "user", content }] });

t.test("a fault names the path of the field", async (t) => {
  const cases: readonly (readonly [string, unknown, string, string | null])[] = [
    ["no object", [1], "invalid_request", null],
    ["no input", { model: "m" }, "invalid_request", "input"],
    ["input of a wrong type", { input: 3 }, "invalid_request", "input"],
    ["no items", { input: [] }, "invalid_request", "input"],
    ["an item that is no object", { input: ["x"] }, "invalid_request", "input[0]"],
    [
      "a role that does not exist",
      { input: [{ role: "robot", content: "x" }] },
      "invalid_request",
      "input[0].role",
    ],
    ["content of a wrong type", user(7), "invalid_request", "input[0].content"],
    ["a part without text", user([{ type: "input_text" }]), "invalid_request", "input[0].content[0].text"],
    ["a part type that is no string", user([{ type: 3 }]), "invalid_request", "input[0].content[0].type"],
    [
      "a part type without mapping",
      user([{ type: "input_video" }]),
      "unsupported_responses_feature",
      "input[0].content[0].type",
    ],
    [
      "audio",
      user([{ type: "input_text", text: "x" }, { type: "input_audio" }]),
      "unsupported_responses_feature",
      "input[0].content[1].type",
    ],
    [
      "a remote image",
      user([{ type: "input_image", image_url: "https://x.example/y.png" }]),
      "unsupported_responses_feature",
      "input[0].content[0].image_url",
    ],
    [
      "an image of nothing",
      user([{ type: "input_image" }]),
      "invalid_request",
      "input[0].content[0].image_url",
    ],
    [
      "an item type Codex would drop",
      { input: [{ type: "mcp_call" }] },
      "unsupported_responses_feature",
      "input[0].type",
    ],
    ["a reference to nothing", { input: [{ id: "" }] }, "invalid_request", "input[0].id"],
    ["an item of nothing", { input: [{}] }, "invalid_request", "input[0].id"],
    [
      "a call without its id",
      { input: [{ type: "function_call", name: "f", arguments: "{}" }] },
      "invalid_request",
      "input[0].call_id",
    ],
    [
      "an output of a wrong type",
      { input: [{ type: "function_call_output", call_id: "c", output: 3 }] },
      "invalid_request",
      "input[0].output",
    ],
    [
      "a part of an output",
      { input: [{ type: "function_call_output", call_id: "c", output: [{ type: "input_text", text: 3 }] }] },
      "invalid_request",
      "input[0].output[0].text",
    ],
    ["stream of a wrong type", { input: "x", stream: "yes" }, "invalid_request", "stream"],
    [
      "a summary that does not exist",
      { input: "x", reasoning: { summary: "long" } },
      "invalid_request",
      "reasoning.summary",
    ],
    [
      "a format that does not exist",
      { input: "x", text: { format: { type: "xml" } } },
      "unsupported_responses_feature",
      "text.format.type",
    ],
    [
      "a schema that is missing",
      { input: "x", text: { format: { type: "json_schema", name: "n" } } },
      "invalid_request",
      "text.format.schema",
    ],
    [
      "a tool of another kind",
      { input: "x", tools: [{ type: "file_search" }] },
      "unsupported_responses_feature",
      "tools[0].type",
    ],
    ["metadata that is no text", { input: "x", metadata: { a: 1 } }, "invalid_request", "metadata.a"],
    [
      "too much metadata",
      { input: "x", metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"])) },
      "invalid_request",
      "metadata",
    ],
    ["a long key", { input: "x", metadata: { ["k".repeat(65)]: "v" } }, "invalid_request", "metadata"],
    [
      "a task class of a wrong type",
      { input: "x", metadata: { codexbridge: { taskClass: 3 } } },
      "invalid_request",
      "metadata.codexbridge.taskClass",
    ],
    ["a temperature of a wrong type", { input: "x", temperature: "hot" }, "invalid_request", "temperature"],
  ];
  for (const [name, body, code, param] of cases) {
    t.match(faultOf(body), { code, param }, name);
  }
});

t.test("messages say what is wrong, and what to do where that helps", async (t) => {
  t.equal(faultOf({}).message, "'input' is missing.");
  t.match(faultOf(user([{ type: "input_audio" }])).message, /'input_audio' is not supported/);
  t.match(faultOf(user([{ type: "input_image", image_url: "http://x" }])).message, /data URL/);
});

t.test("a message says what is taken, in words and not in the terms of a schema", async (t) => {
  const searches =
    "'web_search', 'web_search_2025_08_26', 'web_search_preview', 'web_search_preview_2025_03_11'";
  const choices = `'none', 'auto', 'required', ${searches} or an object`;
  const cases: readonly (readonly [unknown, string])[] = [
    [{ input: 7 }, "'input': must be a string or an array."],
    [{ input: [7] }, "'input[0]': must be an object."],
    [user(7), "'input[0].content': must be a string or an array."],
    [
      { input: [{ type: "function_call_output", call_id: "a", output: 7 }] },
      "'input[0].output': must be a string or an array.",
    ],
    [{ input: "x", tool_choice: 7 }, `'tool_choice': must be ${choices}.`],
    [{ input: "x", tool_choice: "maybe" }, `'tool_choice': must be ${choices}.`],
    [{ input: "x", tool_choice: {} }, "'tool_choice.type' is missing."],
    [
      { input: "x", tool_choice: { type: "allowed_tools", tools: [] } },
      "'tool_choice.tools': must not be empty.",
    ],
    [{ input: "x", metadata: { codexbridge: 7 } }, "'metadata.codexbridge': must be an object or a string."],
    [
      { input: "x", metadata: { codexbridge: "x".repeat(513) } },
      "'metadata.codexbridge': is longer than 512 characters.",
    ],
    [
      { input: "x", metadata: { codexbridge: { taskClass: 7 } } },
      "'metadata.codexbridge.taskClass': must be a string.",
    ],
    [{ input: "x", metadata: [] }, "'metadata': must be an object."],
    [{ input: "x", service_tier: "x".repeat(65) }, "'service_tier': is longer than 64 characters."],
    [{ input: "x", model: "" }, "'model': must not be empty."],
    [{ input: "x", stream: 1 }, "'stream': must be true or false."],
    [{ input: "x", temperature: "hot" }, "'temperature': must be a number."],
    [{ input: "x", include: Array(33).fill("x") }, "'include': holds more than 32 elements."],
    [{ input: "x", truncation: "no" }, "'truncation': must be 'auto' or 'disabled'."],
    [
      { input: "x", tools: [{ type: "function", name: "a b" }] },
      "'tools[0].name': may have letters, digits, '_' and '-' only.",
    ],
  ];
  for (const [body, message] of cases) t.equal(faultOf(body).message, message);
});

t.test("a caller's text does not come back whole in a fault", async (t) => {
  const { message } = faultOf({ input: [{ type: "x".repeat(10_000) }] });
  t.ok(message.length < 200);
});

t.test("null counts as not given, and keys nobody knows pass", async (t) => {
  const body = {
    input: "x",
    instructions: null,
    model: null,
    stream: null,
    reasoning: null,
    text: null,
    tools: null,
    metadata: null,
    temperature: null,
    previous_response_id: null,
    a_new_parameter: { deep: true },
  };
  t.match(parseResponsesRequest(body), { input: "x", a_new_parameter: { deep: true } });
});

t.test("a null in metadata means that the value is not known, and a path may be long", async (t) => {
  const cwd = `/home/${"a".repeat(30_000)}`;
  const codexbridge = { taskClass: null, eventMetadata: null, threadMetadata: null, kept: { inner: null } };
  const { metadata } = parseResponsesRequest({
    input: "x",
    metadata: { cwd, locale: null, ticket: null, codexbridge },
  });
  t.strictSame(metadata, { cwd, codexbridge: { kept: { inner: null } } });
  const hostile: unknown = JSON.parse(
    '{"codexbridge":{"__proto__":{"taskClass":"smuggled"}},"__proto__":{"cwd":1}}',
  );
  const taken = parseResponsesRequest({ input: "x", metadata: hostile }).metadata ?? {};
  t.equal(Object.getPrototypeOf(taken), Object.prototype);
  t.equal(Object.getPrototypeOf(taken.codexbridge), Object.prototype);
  const unknown = { cwd: null, codexbridge: null };
  t.strictSame(parseResponsesRequest({ input: "x", metadata: unknown }).metadata, {});
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`k${index}`, index < 16 ? "v" : null]),
  );
  t.equal(Object.keys(parseResponsesRequest({ input: "x", metadata: many }).metadata ?? {}).length, 16);
  t.match(faultOf({ input: "x", metadata: { cwd: "a".repeat(32_768) } }), { param: "metadata.cwd" });
  t.match(faultOf({ input: "x", metadata: { cwd: ["/"] } }), { param: "metadata.cwd" });
  t.match(faultOf({ input: "x", metadata: { locale: "a".repeat(513) } }), { param: "metadata.locale" });
  t.match(faultOf({ input: "x", metadata: { codexbridge: { eventMetadata: "e" } } }), {
    param: "metadata.codexbridge.eventMetadata",
  });
});

t.test("items that Codex takes and then drops are refused by name", async (t) => {
  const types = [
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "code_interpreter_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "compaction_trigger",
    "program",
    "program_output",
  ];
  for (const type of types) {
    t.match(
      faultOf({ input: [{ type, id: "x" }] }),
      { code: "unsupported_responses_feature", param: "input[0].type" },
      type,
    );
  }
});

t.test("a text may be as long as OpenAI takes it, and no longer", async (t) => {
  const longest = "x".repeat(requestLimits.maxTextChars);
  t.match(parseResponsesRequest({ input: longest }), { input: longest });
  const tooLong = `${longest}x`;
  const call = { type: "function_call", call_id: "c", name: "f", arguments: "{}" };
  const cases: readonly (readonly [object, string])[] = [
    [{ input: tooLong }, "input"],
    [{ input: "x", instructions: tooLong }, "instructions"],
    [user([{ type: "input_text", text: tooLong }]), "input[0].content[0].text"],
    [{ input: [{ ...call, arguments: tooLong }] }, "input[0].arguments"],
    [{ input: [call, { type: "function_call_output", call_id: "c", output: tooLong }] }, "input[1].output"],
  ];
  for (const [body, param] of cases) t.match(faultOf(body), { code: "invalid_request", param });
});

t.test("a body nested deeper than Codex reads is refused", async (t) => {
  const nest = (levels: number) => {
    let value: object = {};
    for (let level = 1; level < levels; level += 1) value = { a: value };
    return value;
  };
  t.ok(parseResponsesRequest({ input: "x", extra: nest(127) }));
  t.match(faultOf({ input: "x", extra: nest(128) }), { code: "invalid_request", param: /^extra(\.a){127}$/ });
  t.match(faultOf({ input: "x", extra: nest(100_000) }).message, /nested deeper than 128 levels/);
});

t.test("no input and no response to continue is a fault", async (t) => {
  t.match(faultOf({ input: null }), { code: "invalid_request", param: "input" });
  t.match(faultOf({ input: "x", previous_response_id: "" }), { param: "previous_response_id" });
});

t.test("more values to include than there are is a fault", async (t) => {
  t.match(faultOf({ input: "x", include: Array(33).fill("x") }), { param: "include" });
});
