import t from "tap";
import { chatTurnOf } from "../../../support/chat-driver.js";
import { tinyPng } from "../request-fixtures.js";

const unsupported = "unsupported_chat_completions_feature";

const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { type: "function", function: { name: "weather", description: "Weather", parameters } };
const time = { type: "function", function: { name: "time" } };

t.test("settings have their native places", async (t) => {
  const { request } = chatTurnOf({
    model: "gpt-fake",
    reasoning_effort: "low",
    verbosity: "high",
    service_tier: "flex",
  });
  const { items: _items, ...settings } = request;
  t.strictSame(settings, {
    model: "gpt-fake",
    effort: "low",
    summary: "auto",
    verbosity: "high",
    serviceTier: "flex",
  });
  for (const tier of ["auto", "default", null]) {
    t.notOk(chatTurnOf({ service_tier: tier }).request.serviceTier);
  }
});

t.test("the effort is read where responses have it too", async (t) => {
  const turn = chatTurnOf({ reasoning: { effort: "low", summary: "auto" } });
  t.equal(turn.request.effort, "low");
  t.strictSame(turn.ignoredParameters, ["reasoning.summary"]);
  const both = chatTurnOf({ reasoning: { effort: "low" }, reasoning_effort: "high" });
  t.equal(both.request.effort, "high");
  t.strictSame(both.ignoredParameters, ["reasoning.effort"]);
  t.notOk("effort" in chatTurnOf({ reasoning: null }).request);
});

t.test("functions are offered as the caller declares them", async (t) => {
  const { request } = chatTurnOf({ tools: [weather] });
  t.strictSame(request.tools, [{ name: "weather", description: "Weather", parameters }]);
  t.notOk("tools" in chatTurnOf({ tools: [weather], tool_choice: "none" }).request);
});

t.test("a smaller choice offers less, and a demand is said in words", async (t) => {
  const tools = [weather, time];
  const named = chatTurnOf({ tools, tool_choice: { type: "function", function: { name: "time" } } });
  t.strictSame(
    named.request.tools?.map(({ name }) => name),
    ["time"],
  );
  t.match(named.request.directives, [{ role: "developer", content: [{ text: /`time`/ }] }]);
  t.match(named.obligations, [{ kind: "tool_call", param: "tool_choice", functions: ["time"] }]);
  const allowed = { mode: "auto", tools: [{ type: "function", function: { name: "weather" } }] };
  const some = chatTurnOf({ tools, tool_choice: { type: "allowed_tools", allowed_tools: allowed } });
  t.strictSame(
    some.request.tools?.map(({ name }) => name),
    ["weather"],
  );
  t.strictSame(some.obligations, []);
  const free = { type: "allowed_tools", allowed_tools: { tools: allowed.tools } };
  t.strictSame(chatTurnOf({ tools, tool_choice: free }).obligations, []);
  const search = chatTurnOf({ tools, tool_choice: "web_search" });
  t.ok(search.request.webSearch);
  t.notOk("tools" in search.request);
  t.match(search.obligations, [{ kind: "tool_call", webSearch: true }]);
  t.match(chatTurnOf({ tools, parallel_tool_calls: false }).obligations, [
    { kind: "single_call", param: "parallel_tool_calls" },
  ]);
});

t.test("web search is on by its options, whatever the choice of tools", async (t) => {
  const { request } = chatTurnOf({
    tools: [time],
    tool_choice: "none",
    web_search_options: {
      search_context_size: "low",
      user_location: { type: "approximate", approximate: { city: "Rome", country: "IT" } },
    },
  });
  t.strictSame(request.webSearch, {
    contextSize: "low",
    allowedDomains: null,
    location: { city: "Rome", country: "IT", region: null, timezone: null },
  });
  t.notOk("tools" in request);
  t.ok(chatTurnOf({ web_search_options: {} }).request.webSearch);
  t.notOk("webSearch" in chatTurnOf({}).request);
});

t.test("a strict schema is enforced; another, and json_object, is asked for in words", async (t) => {
  const format = (schema: object, strict: boolean) =>
    chatTurnOf({ response_format: { type: "json_schema", json_schema: { name: "n", schema, strict } } });
  t.strictSame(format(parameters, true).request.outputSchema, parameters);
  t.strictSame(format(parameters, false).request.outputSchema, parameters);
  const open = format({ type: "object" }, false);
  t.notOk("outputSchema" in open.request);
  t.match(open.obligations, [{ kind: "json_answer", param: "response_format" }]);
  t.equal(open.request.directives?.length, 1);
  const json = chatTurnOf({ response_format: { type: "json_object" } });
  t.match(json.obligations, [{ param: "response_format", objectOnly: true }]);
  t.strictSame(chatTurnOf({ response_format: { type: "text" } }).obligations, []);
  t.throws(() => format({ type: "object", properties: { a: { type: "string", default: "" } } }, true), {
    code: "invalid_request",
    param: "response_format.json_schema.schema.additionalProperties",
  });
});

t.test("the task class comes from the bridge's metadata", async (t) => {
  const metadata = { a: "b", codexbridge: { taskClass: "intent", eventMetadata: { x: 1 } } };
  const turn = chatTurnOf({ metadata });
  t.equal(turn.request.taskClass, "intent");
  t.strictSame(turn.metadata, metadata);
});

t.test("what has no place is listed", async (t) => {
  const { ignoredParameters } = chatTurnOf({
    messages: [
      { role: "user", name: "bob", content: [{ type: "text", text: "a" }] },
      {
        role: "user",
        name: "eve",
        content: [{ type: "image_url", image_url: { url: tinyPng, detail: "low" } }],
      },
    ],
    temperature: 0.5,
    seed: 1,
    logprobs: true,
    prediction: { type: "content", content: "x" },
    max_completion_tokens: 5,
    thinking: { type: "enabled" },
    service_tier: "scale",
    tools: [{ type: "function", function: { name: "f", strict: true } }],
    stream_options: { include_usage: true, include_obfuscation: true },
  });
  t.strictSame([...ignoredParameters].sort(), [
    "logprobs",
    "max_completion_tokens",
    "messages[].content[].image_url.detail",
    "messages[].name",
    "prediction",
    "seed",
    "service_tier",
    "stream_options.include_obfuscation",
    "temperature",
    "thinking",
    "tools[0].function.strict",
  ]);
});

t.test("what asks for what happens anyway is not listed", async (t) => {
  const { ignoredParameters } = chatTurnOf({
    temperature: 1,
    top_p: 1,
    n: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    logprobs: false,
    top_logprobs: 0,
    logit_bias: {},
    stop: null,
    modalities: ["text"],
    store: true,
    stream: false,
    parallel_tool_calls: true,
  });
  t.strictSame(ignoredParameters, []);
});

t.test("an answer sent back as it came loses nothing, whatever the policy", async (t) => {
  const answer = {
    role: "assistant",
    content: "Hello",
    refusal: null,
    annotations: [],
    reasoning_content: "Hm.",
    parsed: { a: 1 },
  };
  t.strictSame(chatTurnOf({ messages: [answer] }, "reject").ignoredParameters, []);
});

t.test("under the policy reject a parameter without a place is refused", async (t) => {
  t.throws(() => chatTurnOf({ seed: 1 }, "reject"), { code: unsupported, param: "seed" });
  t.throws(() => chatTurnOf({ messages: [{ role: "user", name: "bob", content: "x" }] }, "reject"), {
    code: unsupported,
    param: "messages[].name",
  });
});

const refused: readonly (readonly [object, string, string])[] = [
  [{ n: 0 }, "invalid_request", "n"],
  [{ n: 9 }, "invalid_request", "n"],
  [{ n: 1.5 }, "invalid_request", "n"],
  [{ n: "2" }, "invalid_request", "n"],
  [{ functions: [] }, unsupported, "functions"],
  [{ function_call: "auto" }, unsupported, "function_call"],
  [{ audio: { voice: "alloy", format: "wav" } }, unsupported, "audio"],
  [{ modalities: ["text", "audio"] }, unsupported, "modalities"],
  [{ input: "hi" }, unsupported, "input"],
  [{ previous_response_id: "resp_1" }, unsupported, "previous_response_id"],
  [{ tools: [{ type: "custom", custom: { name: "" } }] }, "invalid_request", "tools[0].custom.name"],
  [{ tools: [{ type: "function", name: "x" }] }, "invalid_request", "tools[0].function"],
  [{ tools: [time, time] }, "invalid_request", "tools[1].function.name"],
  [
    { tools: [time], tool_choice: { type: "custom", custom: { name: "x" } } },
    "invalid_request",
    "tool_choice.custom.name",
  ],
  [
    { tools: [time], tool_choice: { type: "function", function: { name: "x" } } },
    "invalid_request",
    "tool_choice.function.name",
  ],
  [
    {
      tools: [time],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "x" } }] },
      },
    },
    "invalid_request",
    "tool_choice.allowed_tools.tools[0].function.name",
  ],
  [{ tool_choice: "required" }, "invalid_request", "tool_choice"],
  [{ response_format: { type: "grammar" } }, unsupported, "response_format.type"],
  [{ response_format: { type: "json_schema" } }, "invalid_request", "response_format.json_schema"],
  [{ metadata: { a: 1 } }, "invalid_request", "metadata.a"],
  [{ verbosity: "loud" }, "invalid_request", "verbosity"],
];

for (const [body, code, param] of refused) {
  t.test(`${JSON.stringify(body)} is refused by its path`, async (t) => {
    t.throws(() => chatTurnOf(body), { code, param });
  });
}

t.test("stop is one sequence or up to four", async (t) => {
  const { stops: none } = chatTurnOf({});
  t.strictSame(none, []);
  t.strictSame(chatTurnOf({ stop: "END" }).stops, ["END"]);
  t.strictSame(chatTurnOf({ stop: ["a", "b", "c", "d"] }).stops, ["a", "b", "c", "d"]);
  t.strictSame(chatTurnOf({ stop: [] }).stops, []);
  t.strictSame(chatTurnOf({ stop: ["\n"] }).ignoredParameters, []);
  for (const stop of [7, true, {}, "", [""], [7], ["a", "b", "c", "d", "e"], "x".repeat(1025)]) {
    t.throws(() => chatTurnOf({ stop }), { code: "invalid_request", param: /^stop/ }, JSON.stringify(stop));
  }
});
