import t from "tap";
import {
  kindOfCall,
  kindOfOutput,
  nameOfCall,
  toClientCall,
  toFunctionCall,
  toFunctionOutput,
} from "../../../../src/workers/contract/client-tools.js";

const call = (given: unknown, name = "tool") => ({
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name,
  arguments: typeof given === "string" ? given : JSON.stringify(given),
  status: "completed",
});

t.test("a call keeps its meaning on the way to the caller and back to the model", async (t) => {
  const cases = [
    ["custom", { input: 'a\n"b"' }, { type: "custom_tool_call", name: "tool", input: 'a\n"b"' }],
    [
      "local_shell",
      { command: ["ls", "-l"], env: { A: "1" }, timeout_ms: 5 },
      {
        type: "local_shell_call",
        action: { type: "exec", command: ["ls", "-l"], env: { A: "1" }, timeout_ms: 5 },
      },
    ],
    [
      "shell",
      { commands: ["ls"], timeout_ms: 5 },
      { type: "shell_call", action: { commands: ["ls"], timeout_ms: 5, max_output_length: null } },
    ],
    [
      "apply_patch",
      { type: "delete_file", path: "a" },
      { type: "apply_patch_call", operation: { type: "delete_file", path: "a" } },
    ],
  ] as const;
  for (const [kind, given, expected] of cases) {
    const name = kind === "custom" ? "tool" : kind;
    const own = toClientCall(call(given, name), kind);
    const id = { custom: "ctc_1", local_shell: "lsh_1", shell: "sh_1", apply_patch: "apc_1" }[kind];
    t.match(own, { ...expected, id, call_id: "call_1" }, kind);
    t.equal(kindOfCall(own), kind);
    t.equal(nameOfCall(own), name);
    const back = toFunctionCall(own);
    t.match(back, { type: "function_call", id: "fc_1", call_id: "call_1", name }, kind);
    t.notOk("id" in toFunctionCall({ ...own, id: "mine" }), "OpenAI would refuse it of a function call");
    t.strictSame(JSON.parse(String(back.arguments)), given, kind);
  }
});

t.test("arguments that do not fit are passed on as far as they do", async (t) => {
  t.match(toClientCall(call('{"input":7}'), "custom"), { input: '{"input":7}' });
  t.match(toClientCall(call('{"inp'), "custom"), { input: '{"inp' });
  t.match(toClientCall(call(""), "custom"), { input: "" });
  t.match(toClientCall(call({ command: "ls -l" }), "local_shell"), {
    action: { command: ["ls -l"], env: {} },
  });
  t.match(toClientCall(call({ commands: [1, ["a"]] }), "shell"), { action: { commands: ["1", '["a"]'] } });
  t.match(toClientCall(call("null"), "shell"), { action: { commands: [], timeout_ms: null } });
  t.match(toClientCall(call({ type: "rename", path: 3 }), "apply_patch"), {
    operation: { type: "update_file", path: "", diff: "" },
  });
  t.match(toClientCall({ ...call({}), status: "incomplete" }, "shell"), { status: "incomplete" });
});

t.test("an output is what the model can read of it", async (t) => {
  const output = (type: string, fields: object) => toFunctionOutput({ type, call_id: "call_1", ...fields });
  t.strictSame(output("custom_tool_call_output", { output: "ok" }), {
    type: "function_call_output",
    call_id: "call_1",
    output: "ok",
  });
  const parts = [{ type: "input_text", text: "ok" }];
  t.strictSame(output("custom_tool_call_output", { output: parts }).output, parts);
  t.equal(output("local_shell_call_output", { id: "x", output: "ok" }).output, "ok");
  const shown = [{ stdout: "a", stderr: "", outcome: { type: "exit", exit_code: 0 } }];
  t.equal(output("shell_call_output", { output: shown, max_output_length: 5 }).output, JSON.stringify(shown));
  t.equal(output("apply_patch_call_output", { status: "failed", output: "no" }).output, "failed: no");
  t.equal(output("apply_patch_call_output", { status: "completed" }).output, "completed");
  t.equal(kindOfOutput({ type: "apply_patch_call_output" }), "apply_patch");
  t.equal(kindOfOutput({ type: "message" }), null);
  const plain = { type: "function_call_output", call_id: "c", output: "o" };
  t.equal(toFunctionOutput(plain), plain);
});
