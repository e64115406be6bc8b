import t from "tap";
import { parseResponsesRequest } from "../../../../src/main/dialects/responses/request-schema.js";
import {
  type ResponsesTurn,
  toResponsesTurn,
} from "../../../../src/main/dialects/responses/request-to-turn.js";

function turnOf(body: object, policy: "ignore" | "reject" = "ignore"): ResponsesTurn {
  return toResponsesTurn(parseResponsesRequest({ input: "hi", ...body }), policy);
}

t.test("text becomes one user message", async (t) => {
  t.strictSame(turnOf({ input: "hi there" }).request, {
    items: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi there" }] }],
  });
});

t.test("items go on as they are: roles, parts, calls, outputs, reasoning and unknown keys", async (t) => {
  const input = [
    { type: "message", role: "system", content: [{ type: "input_text", text: "be brief" }] },
    { type: "message", role: "developer", content: [{ type: "input_text", text: "be kind" }] },
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "what is this?" },
        { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "low" },
      ],
    },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "s" }],
      encrypted_content: "enc",
    },
    { type: "function_call", id: "fc_1", call_id: "c1", name: "look", arguments: "{}", status: "completed" },
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "a cat" }] },
    { type: "function_call_output", call_id: "c2", output: "a dog" },
    { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "cats" } },
    { type: "custom_tool_call", call_id: "c3", name: "run", input: "x" },
    { type: "custom_tool_call_output", call_id: "c3", output: "y" },
    {
      type: "message",
      id: "msg_1",
      role: "assistant",
      status: "completed",
      phase: "final_answer",
      content: [{ type: "output_text", text: "A cat.", annotations: [], logprobs: [] }],
    },
  ];
  t.strictSame(turnOf({ input }).request.items, input);
});

t.test("the short forms of a message are completed", async (t) => {
  const input = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
    { type: "message", role: "developer", content: "be brief" },
    { role: "user", content: [{ type: "input_text", text: "parts" }] },
  ];
  t.strictSame(turnOf({ input }).request.items, [
    { role: "user", content: [{ type: "input_text", text: "hi" }], type: "message" },
    { role: "assistant", content: [{ type: "output_text", text: "hello" }], type: "message" },
    { type: "message", role: "developer", content: [{ type: "input_text", text: "be brief" }] },
    { role: "user", content: [{ type: "input_text", text: "parts" }], type: "message" },
  ]);
});

t.test("a refusal in the history stays the assistant's words", async (t) => {
  const input = [
    { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "I will not." }] },
  ];
  t.match(turnOf({ input }).request.items, [{ content: [{ type: "output_text", text: "I will not." }] }]);
});

t.test("every setting with a native place reaches it", async (t) => {
  const schema = { type: "object", properties: {}, additionalProperties: false };
  const { request } = turnOf({
    model: "gpt-x",
    instructions: "Be brief.",
    reasoning: { effort: "high", summary: "concise" },
    text: { format: { type: "json_schema", name: "n", schema, strict: true }, verbosity: "low" },
    service_tier: "priority",
    metadata: { codexbridge: { taskClass: "intent", eventMetadata: { a: 1 } } },
  });
  t.match(request, {
    model: "gpt-x",
    instructions: "Be brief.",
    effort: "high",
    summary: "concise",
    verbosity: "low",
    outputSchema: schema,
    serviceTier: "priority",
    taskClass: "intent",
  });
});

t.test("a service tier that means the ordinary one sends none", async (t) => {
  for (const service_tier of ["auto", "default", null]) {
    t.notOk("serviceTier" in turnOf({ service_tier }).request);
  }
});

t.test("the old name of the reasoning summary is read", async (t) => {
  t.equal(turnOf({ reasoning: { generate_summary: "auto" } }).request.summary, "auto");
});

t.test("encrypted reasoning is for those who ask", async (t) => {
  t.equal(turnOf({}).includeEncryptedReasoning, false);
  t.equal(turnOf({ include: ["reasoning.encrypted_content"] }).includeEncryptedReasoning, true);
});

const placeless = {
  temperature: 0.2,
  top_p: 0.5,
  max_output_tokens: 10,
  max_tool_calls: 2,
  top_logprobs: 3,
  truncation: "auto",
  user: "u",
  safety_identifier: "s",
  prompt_cache_key: "k",
  prompt_cache_retention: "24h",
  seed: 7,
  include: ["message.output_text.logprobs"],
  reasoning: { mode: "pro" },
  text: { format: { type: "json_schema", name: "n", schema: {}, strict: false, description: "d" } },
  stream_options: { include_obfuscation: true },
};

t.test("parameters without a native place are named, unknown ones among them", async (t) => {
  t.strictSame([...turnOf(placeless).ignoredParameters].sort(), [
    "include.message.output_text.logprobs",
    "max_output_tokens",
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning.mode",
    "safety_identifier",
    "seed",
    "stream_options.include_obfuscation",
    "temperature",
    "text.format.description",
    "text.format.strict",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
  ]);
});

t.test("or refused, each by its name, if the server is set so", async (t) => {
  for (const [name, value] of Object.entries(placeless)) {
    const param = new RegExp(`^${name}`);
    t.throws(
      () => turnOf({ [name]: value }, "reject"),
      { code: "unsupported_responses_feature", param },
      name,
    );
  }
});

t.test("parameters whose meaning is kept are neither named nor refused", async (t) => {
  const body = {
    store: false,
    truncation: "disabled",
    parallel_tool_calls: true,
    tool_choice: "auto",
    tools: [],
    background: false,
    stream_options: { include_obfuscation: false },
    include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
    metadata: { a: "b" },
    text: { format: { type: "text" } },
  };
  t.strictSame(turnOf(body, "reject").ignoredParameters, []);
});

t.test("what would change the meaning is refused whatever the setting", async (t) => {
  const cases: readonly (readonly [object, string])[] = [
    [{ background: true }, "background"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ conversation: { id: "conv_1" } }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ text: { format: { type: "json_object" } } }, "text.format.type"],
    [{ tools: [{ type: "function", name: "f", parameters: {} }] }, "tools"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", name: "f" } }, "tool_choice"],
  ];
  for (const [body, param] of cases) {
    t.throws(() => turnOf(body), { code: "unsupported_responses_feature", param, status: 400 }, param);
  }
});

t.test("a previous response is not found, for none is kept", async (t) => {
  t.throws(() => turnOf({ previous_response_id: "resp_1" }), {
    code: "continuation_not_found",
    status: 404,
    param: "previous_response_id",
  });
});
