import t from "tap";
import { tinyPng, turnOf } from "../request-fixtures.js";

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
        { type: "input_image", image_url: tinyPng, detail: "auto" },
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
    { type: "function_call", call_id: "c2", name: "smell", arguments: "" },
    {
      type: "function_call_output",
      call_id: "c2",
      output: [{ type: "input_image", image_url: tinyPng }],
    },
    { type: "item_reference", id: "msg_0" },
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
    t.notOk(turnOf({ service_tier }).request.serviceTier);
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
  top_logprobs: 3,
  presence_penalty: 1,
  frequency_penalty: 1,
  truncation: "auto",
  user: "u",
  safety_identifier: "s",
  prompt_cache_key: "k",
  prompt_cache_retention: "24h",
  seed: 7,
  service_tier: "scale",
  include: ["message.output_text.logprobs"],
  reasoning: { mode: "pro", context: "all_turns" },
  text: { tone: "kind" },
  context_management: [{ type: "compaction" }],
  prompt_cache_options: { mode: "explicit" },
  tools: [{ type: "function", name: "f", strict: true }],
  stream_options: { include_obfuscation: true },
};

t.test("parameters without a native place are named, unknown ones among them", async (t) => {
  t.strictSame([...turnOf(placeless).ignoredParameters].sort(), [
    "context_management",
    "frequency_penalty",
    "include.message.output_text.logprobs",
    "max_output_tokens",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning.context",
    "reasoning.mode",
    "safety_identifier",
    "seed",
    "service_tier",
    "stream_options.include_obfuscation",
    "temperature",
    "text.tone",
    "tools[0].strict",
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
    include: [
      "reasoning.encrypted_content",
      "message.input_image.image_url",
      "web_search_call.action.sources",
    ],
    metadata: { a: "b" },
    text: { format: { type: "text" } },
    reasoning: { mode: "standard", context: "auto" },
    temperature: 1,
    top_p: 1,
    top_logprobs: 0,
    presence_penalty: 0,
    frequency_penalty: 0,
    n: 1,
    modalities: ["text"],
    context_management: [],
  };
  t.strictSame(turnOf(body, "reject").ignoredParameters, []);
});

t.test("what would change the meaning is refused whatever the setting", async (t) => {
  const cases: readonly (readonly [object, string])[] = [
    [{ conversation: "conv_1" }, "conversation"],
    [{ conversation: { id: "conv_1" } }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ moderation: { model: "omni-moderation-latest" } }, "moderation"],
    [{ n: 2 }, "n"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ audio: { voice: "alloy" } }, "audio"],
    [{ messages: [] }, "messages"],
    [{ response_format: { type: "json_object" } }, "response_format"],
    [{ functions: [] }, "functions"],
    [{ function_call: "auto" }, "function_call"],
  ];
  for (const [body, param] of cases) {
    t.throws(() => turnOf(body), { code: "unsupported_responses_feature", param, status: 400 }, param);
  }
});

t.test("what is to be done with a response is told apart from the turn", async (t) => {
  t.match(turnOf({}), { previousResponseId: null, store: true, background: false, stream: false });
  const body = { previous_response_id: "resp_1", store: true, background: true, stream: true };
  t.match(turnOf(body), { previousResponseId: "resp_1", store: true, background: true, stream: true });
  t.match(turnOf(body).echo, { previous_response_id: "resp_1", background: true });
  t.equal(turnOf({ store: false }).store, false);
});

t.test("a background response must be stored", async (t) => {
  t.throws(() => turnOf({ background: true, store: false }), {
    code: "invalid_request",
    param: "background",
  });
});

t.test("a response that continues another may add nothing", async (t) => {
  for (const input of [undefined, null, []]) {
    t.strictSame(turnOf({ previous_response_id: "resp_1", input }).request.items, []);
  }
});

t.test("an effort or tier of any name goes on, for models have their own", async (t) => {
  for (const effort of ["none", "minimal", "xhigh", "max", "of tomorrow"]) {
    t.equal(turnOf({ reasoning: { effort } }).request.effort, effort);
  }
  t.equal(turnOf({ service_tier: "flex" }).request.serviceTier, "flex");
});

t.test("breakpoints of the prompt cache and callers of calls are named", async (t) => {
  const part = { type: "input_text", text: "x", prompt_cache_breakpoint: { mode: "explicit" } };
  const input = [
    { role: "user", content: [part, part] },
    { type: "function_call", call_id: "c", name: "f", arguments: "{}", caller: { type: "direct" } },
    { type: "function_call_output", call_id: "c", output: [part] },
  ];
  t.strictSame(turnOf({ input }).ignoredParameters, [
    "input[].content[].prompt_cache_breakpoint",
    "input[].caller",
    "input[].output[].prompt_cache_breakpoint",
  ]);
});
