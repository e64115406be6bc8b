import t from "tap";
import { type Obligation, unmetObligations } from "../../../../src/main/dialects/answers/obligations.js";

const message = (...texts: readonly string[]) => ({
  type: "message",
  content: texts.map((text) => ({ type: "output_text", text })),
});
const call = (name: string) => ({ type: "function_call", name, arguments: "{}" });

t.test("a call that was demanded is one of the tools that were offered", async (t) => {
  const demanded: Obligation = {
    kind: "tool_call",
    param: "tool_choice",
    functions: ["look"],
    webSearch: false,
  };
  t.strictSame(unmetObligations([demanded], [call("look")]), []);
  t.strictSame(unmetObligations([demanded], [message("no")]), ["tool_choice"]);
  t.strictSame(unmetObligations([demanded], [call("find")]), ["tool_choice"]);
  t.strictSame(unmetObligations([demanded], [{ type: "web_search_call" }]), ["tool_choice"]);
  t.strictSame(unmetObligations([{ ...demanded, webSearch: true }], [{ type: "web_search_call" }]), []);
});

t.test("no more than one function is called where that was asked", async (t) => {
  const single: Obligation = { kind: "single_call", param: "parallel_tool_calls" };
  t.strictSame(unmetObligations([single], []), []);
  t.strictSame(unmetObligations([single], [call("a"), message("x")]), []);
  t.strictSame(unmetObligations([single], [call("a"), call("b")]), ["parallel_tool_calls"]);
});

t.test("an answer in JSON is JSON as a whole", async (t) => {
  const json: Obligation = { kind: "json_answer", param: "text.format", objectOnly: false };
  const object: Obligation = { ...json, objectOnly: true };
  t.strictSame(unmetObligations([json, object], [message('{"a":', "1}")]), []);
  t.strictSame(unmetObligations([json], [message("[1]")]), []);
  t.strictSame(unmetObligations([object], [message("[1]")]), ["text.format"]);
  t.strictSame(unmetObligations([json], [message('```json\n{"a":1}\n```')]), ["text.format"]);
  t.strictSame(unmetObligations([json], [message("thinking"), message("{}")]), []);
});

t.test("where there is no answer in words, JSON was not disobeyed", async (t) => {
  const json: Obligation = { kind: "json_answer", param: "text.format", objectOnly: true };
  t.strictSame(unmetObligations([json], [call("a")]), []);
  t.strictSame(
    unmetObligations([json], [{ type: "message", content: [{ type: "refusal", refusal: "no" }] }]),
    [],
  );
});

t.test("a parameter is named once, in the order of what was asked", async (t) => {
  const single: Obligation = { kind: "single_call", param: "b" };
  const json: Obligation = { kind: "json_answer", param: "a", objectOnly: false };
  t.strictSame(unmetObligations([single, json, single], [call("x"), call("y"), message("-")]), ["b", "a"]);
});

t.test("commentary is no answer that JSON is asked of", async (t) => {
  const answer = (text: string, phase?: string) => ({
    type: "message",
    content: [{ type: "output_text", text }],
    ...(phase !== undefined && { phase }),
  });
  const json = [{ kind: "json_answer", param: "text.format", objectOnly: true }] as const;
  t.strictSame(unmetObligations(json, [answer('{"a":1}'), answer("Done.", "commentary")]), []);
  t.strictSame(unmetObligations(json, [answer('{"a":1}', "commentary"), answer("Done.", "final_answer")]), [
    "text.format",
  ]);
  t.strictSame(unmetObligations(json, [answer("I call it.", "commentary")]), []);
});

t.test("more web searches than were allowed are told, calls of functions are not counted", async (t) => {
  const limit = [{ kind: "search_limit", param: "max_tool_calls", most: 1 }] as const;
  const search = { type: "web_search_call" };
  t.strictSame(unmetObligations(limit, [search, call("f"), call("f")]), []);
  t.strictSame(unmetObligations(limit, [search, search]), ["max_tool_calls"]);
});
