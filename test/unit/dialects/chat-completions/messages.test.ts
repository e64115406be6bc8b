import t from "tap";
import { parseChatRequest } from "../../../../src/main/dialects/chat-completions/request-schema.js";
import { chatTurnOf } from "../../../support/chat-driver.js";
import { dataUrl, tinyPng } from "../request-fixtures.js";

const itemsOf = (messages: readonly object[]) => chatTurnOf({ messages }).request.items;

const call = (id: string, args = "{}") => ({
  id,
  type: "function",
  function: { name: "f", arguments: args },
});

const unsupported = "unsupported_chat_completions_feature";

t.test("messages of every role stay messages of their role, in order", async (t) => {
  const items = itemsOf([
    { role: "system", content: "s" },
    { role: "developer", content: [{ type: "text", text: "d" }] },
    { role: "user", content: "u" },
    { role: "assistant", content: "a" },
    {
      role: "user",
      content: [
        { type: "text", text: "one" },
        { type: "text", text: "two" },
      ],
    },
  ]);
  t.strictSame(items, [
    { type: "message", role: "system", content: [{ type: "input_text", text: "s" }] },
    { type: "message", role: "developer", content: [{ type: "input_text", text: "d" }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "u" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "one" },
        { type: "input_text", text: "two" },
      ],
    },
  ]);
});

t.test("calls and their answers become items of their own", async (t) => {
  const items = itemsOf([
    { role: "user", content: "u" },
    { role: "assistant", content: "Let me look.", tool_calls: [call("c1", '{"a":1}'), call("c2")] },
    { role: "tool", tool_call_id: "c2", content: "two" },
    { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "one" }] },
  ]);
  t.strictSame(items.slice(1), [
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me look." }] },
    { type: "function_call", call_id: "c1", name: "f", arguments: '{"a":1}' },
    { type: "function_call", call_id: "c2", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c2", output: "two" },
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "one" }] },
  ]);
});

t.test("a message with calls and no words is no message", async (t) => {
  for (const content of [null, undefined, "", []]) {
    const items = itemsOf([
      { role: "assistant", content, tool_calls: [call("c1")] },
      { role: "tool", tool_call_id: "c1", content: "x" },
    ]);
    t.strictSame(
      items.map(({ type }) => type),
      ["function_call", "function_call_output"],
    );
  }
});

t.test("calls of custom tools in a history keep their kind", async (t) => {
  const items = itemsOf([
    {
      role: "assistant",
      tool_calls: [{ id: "c1", type: "custom", custom: { name: "sql", input: "select 1" } }],
    },
    { role: "tool", tool_call_id: "c1", content: "1" },
  ]);
  t.strictSame(items, [
    { type: "custom_tool_call", call_id: "c1", name: "sql", input: "select 1" },
    { type: "custom_tool_call_output", call_id: "c1", output: "1" },
  ]);
});

t.test("a refusal reaches the model as what the assistant said", async (t) => {
  const refusal = { type: "message", role: "assistant", content: [{ type: "output_text", text: "No." }] };
  t.strictSame(itemsOf([{ role: "assistant", refusal: "No.", content: null }]), [refusal]);
  t.strictSame(itemsOf([{ role: "assistant", content: [{ type: "refusal", refusal: "No." }] }]), [refusal]);
});

t.test("images as data URLs become images, with their detail", async (t) => {
  const [item] = itemsOf([
    {
      role: "user",
      content: [
        { type: "text", text: "what?" },
        { type: "image_url", image_url: { url: tinyPng, detail: "high" } },
        { type: "image_url", image_url: { url: tinyPng } },
      ],
    },
  ]);
  t.strictSame(item?.content, [
    { type: "input_text", text: "what?" },
    { type: "input_image", image_url: tinyPng, detail: "high" },
    { type: "input_image", image_url: tinyPng },
  ]);
});

t.test("files of text become text", async (t) => {
  const file = { file_data: dataUrl("text/plain", "hello"), filename: "a.txt" };
  const [item] = itemsOf([{ role: "user", content: [{ type: "file", file }] }]);
  t.strictSame(item?.content, [{ type: "input_text", text: '<file name="a.txt">\nhello\n</file>' }]);
});

const refusals: readonly (readonly [string, object, string, string])[] = [
  [
    "a remote image",
    userPart({ type: "image_url", image_url: { url: "https://x.test/a.png" } }),
    unsupported,
    "messages[0].content[0].image_url.url",
  ],
  [
    "an image that is none",
    userPart({ type: "image_url", image_url: { url: "data:image/png;base64,!" } }),
    "invalid_request",
    "messages[0].content[0].image_url.url",
  ],
  [
    "an image as plain text",
    userPart({ type: "image_url", image_url: tinyPng }),
    "invalid_request",
    "messages[0].content[0].image_url",
  ],
  [
    "audio",
    userPart({ type: "input_audio", input_audio: { data: "", format: "wav" } }),
    unsupported,
    "messages[0].content[0].type",
  ],
  [
    "a stored file",
    userPart({ type: "file", file: { file_id: "file_1" } }),
    unsupported,
    "messages[0].content[0].file.file_id",
  ],
  [
    "a PDF",
    userPart({ type: "file", file: { file_data: dataUrl("application/pdf", "x") } }),
    unsupported,
    "messages[0].content[0].file.file_data",
  ],
  [
    "an image in instructions",
    { role: "system", content: [{ type: "image_url", image_url: { url: tinyPng } }] },
    unsupported,
    "messages[0].content[0].type",
  ],
  ["the role function", { role: "function", name: "f", content: "x" }, unsupported, "messages[0].role"],
  ["a message without a role", { content: "x" }, "invalid_request", "messages[0].role"],
  ["a message without content", { role: "user" }, "invalid_request", "messages[0].content"],
  [
    "an assistant that says nothing",
    { role: "assistant", content: null },
    "invalid_request",
    "messages[0].content",
  ],
  [
    "a deprecated call",
    { role: "assistant", content: null, function_call: { name: "f", arguments: "" } },
    unsupported,
    "messages[0].function_call",
  ],
  ["an answer in audio", { role: "assistant", audio: { id: "audio_1" } }, unsupported, "messages[0].audio"],
  [
    "an unknown kind of call",
    { role: "assistant", tool_calls: [{ id: "c", type: "mcp" }] },
    unsupported,
    "messages[0].tool_calls[0].type",
  ],
  [
    "an answer to no call",
    { role: "tool", tool_call_id: "c1", content: "x" },
    "invalid_request",
    "messages[0].tool_call_id",
  ],
  [
    "a call without an answer",
    { role: "assistant", tool_calls: [call("c1")] },
    "invalid_request",
    "messages[0].tool_calls[0].id",
  ],
];

function userPart(part: object): object {
  return { role: "user", content: [part] };
}

for (const [what, message, code, param] of refusals) {
  t.test(`${what} is refused by its path`, async (t) => {
    t.throws(() => chatTurnOf({ messages: [message] }), { code, param });
  });
}

t.test("a call id may come again once its first call is answered", async (t) => {
  const round = [
    { role: "assistant", tool_calls: [call("call_0")] },
    { role: "tool", tool_call_id: "call_0", content: "x" },
  ];
  t.equal(itemsOf([...round, ...round]).length, 4);
  t.throws(() => itemsOf([...round, round[0] ?? {}]), {
    code: "invalid_request",
    param: "messages[2].tool_calls[0].id",
  });
});

t.test("calls and tool messages are paired by order and count", async (t) => {
  const calls = { role: "assistant", tool_calls: [call("c1"), call("c2")] };
  const answer = (id: string) => ({ role: "tool", tool_call_id: id, content: "x" });
  const refused = (param: string, message: RegExp) => ({ code: "invalid_request", param, message });
  t.equal(itemsOf([calls, answer("c2"), answer("c1")]).length, 4);
  t.throws(
    () => itemsOf([calls, answer("c1"), answer("c1"), answer("c2")]),
    refused("messages[2].tool_call_id", /has its output already/),
  );
  t.throws(
    () => itemsOf([answer("c1"), calls, answer("c2")]),
    refused("messages[0].tool_call_id", /no tool call found/),
  );
  t.throws(
    () => itemsOf([calls, calls, answer("c1"), answer("c2")]),
    refused("messages[1].tool_calls[0].id", /open already, since messages\[0\]\.tool_calls\[0\]\.id/),
  );
  t.throws(
    () => itemsOf([{ role: "assistant", tool_calls: [call("c1"), call("c1")] }, answer("c1"), answer("c1")]),
    refused("messages[0].tool_calls[1].id", /open already/),
  );
  t.throws(
    () => itemsOf([calls, answer("c1"), { role: "user", content: "and?" }]),
    refused("messages[0].tool_calls[1].id", /no tool output found for function call 'c2'/),
  );
});

t.test("an answer is of the kind that the call before it is, also where its id came before", async (t) => {
  const custom = { id: "c1", type: "custom", custom: { name: "sql", input: "select 1" } };
  const answer = { role: "tool", tool_call_id: "c1", content: "x" };
  const items = itemsOf([
    { role: "assistant", tool_calls: [custom] },
    answer,
    { role: "assistant", tool_calls: [call("c1")] },
    answer,
  ]);
  t.same(
    items.map(({ type }) => type),
    ["custom_tool_call", "custom_tool_call_output", "function_call", "function_call_output"],
  );
});

t.test("a request needs messages", async (t) => {
  t.throws(() => parseChatRequest({}), { code: "invalid_request", param: "messages", message: /missing/ });
  t.throws(() => parseChatRequest({ messages: [] }), { code: "invalid_request", param: "messages" });
  t.throws(() => parseChatRequest([]), { code: "invalid_request", param: null });
});
