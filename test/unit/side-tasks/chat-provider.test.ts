import t from "tap";
import { toChatMessages } from "../../../src/main/side-tasks/chat-provider.js";

const say = (role: string, ...content: readonly object[]) => ({ type: "message", role, content });
const text = (value: string) => ({ type: "input_text", text: value });

t.test("roles and texts are kept; a developer is a system", async (t) => {
  t.strictSame(
    toChatMessages([
      say("developer", text("rules")),
      say("user", text("one"), text("two")),
      say("assistant", { type: "output_text", text: "answer" }),
    ]),
    [
      { role: "system", content: "rules" },
      { role: "user", content: "one\ntwo" },
      { role: "assistant", content: "answer" },
    ],
  );
});

t.test("images of the user's stay images", async (t) => {
  const image = { type: "input_image", image_url: "data:image/png;base64,AA==", detail: "low" };
  t.strictSame(toChatMessages([say("user", text("what is it?"), image)]), [
    {
      role: "user",
      content: [
        { type: "text", text: "what is it?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "low" } },
      ],
    },
  ]);
  t.equal(toChatMessages([say("system", image)]), null);
});

t.test("calls made at once are one message, with what was said before them", async (t) => {
  const call = (id: string) => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" });
  const toolCall = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  t.strictSame(
    toChatMessages([
      say("assistant", { type: "output_text", text: "let me look" }),
      { type: "reasoning", summary: [] },
      call("a"),
      call("b"),
      { type: "function_call_output", call_id: "a", output: "1" },
      { type: "function_call_output", call_id: "b", output: "2" },
    ]),
    [
      { role: "assistant", content: "let me look", tool_calls: [toolCall("a"), toolCall("b")] },
      { role: "tool", tool_call_id: "a", content: "1" },
      { role: "tool", tool_call_id: "b", content: "2" },
    ],
  );
});

t.test("what Chat Completions has no word for is refused whole", async (t) => {
  t.equal(toChatMessages([say("user", text("a")), { type: "web_search_call" }]), null);
  t.equal(toChatMessages([{ type: "function_call_output", call_id: "a", output: [text("a")] }]), null);
});

t.test("many parallel calls cost no more than each of them", async (t) => {
  const item = { type: "function_call", call_id: "c", name: "f", arguments: "{}" };
  const messages = toChatMessages(Array.from({ length: 200_000 }, () => item)) ?? [];
  t.equal(messages.length, 1);
  const calls = messages[0]?.tool_calls;
  t.equal(Array.isArray(calls) ? calls.length : 0, 200_000);
});
