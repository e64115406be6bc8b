import t from "tap";
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
      user([{ type: "input_file" }]),
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
    ["an image of nothing", user([{ type: "input_image" }]), "invalid_request", "input[0].content[0]"],
    [
      "an item type Codex would drop",
      { input: [{ type: "mcp_call" }] },
      "unsupported_responses_feature",
      "input[0].type",
    ],
    [
      "a reference to an item",
      { input: [{ id: "msg_1" }] },
      "unsupported_responses_feature",
      "input[0].type",
    ],
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
  t.match(faultOf(user([{ type: "input_file" }])).message, /'input_file' is not supported/);
  t.match(faultOf(user([{ type: "input_image", image_url: "http://x" }])).message, /data URL/);
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
