import t from "tap";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import { ToolNames } from "../../../../src/workers/turn/tool-names.js";

const namesOf = (names: readonly string[], codexVersion: string | null = newestTestedCodex) =>
  new ToolNames(
    { tools: names.map((name) => ({ name, description: "", parameters: {} })), isLite: false },
    codexVersion,
  );
const call = (name: string) => ({ type: "function_call", call_id: "a", name, arguments: "{}" });

t.test("names that Codex refuses or drops are sent under another and come back as they were", async (t) => {
  const own = ["exec_command", "shell_command", "mcp", "mcp__", "mcp__github__search_issues"];
  const names = namesOf([...own, "weather"]);
  for (const name of own) {
    const native = names.toNative(name);
    t.equal(native, `caller_${name}`);
    t.same(names.toNativeItem(call(name)), call(native));
    t.same(names.toOriginalItem(call(native)), call(name));
  }
  t.equal(names.toNative("weather"), "weather");
  const message = { type: "message", name: "exec_command" };
  t.equal(names.toNativeItem(message), message);
});

t.test("a name that the caller has for another function is not taken", async (t) => {
  const own = ["exec_command", "caller_exec_command", "caller_exec_command_2"];
  const names = namesOf(own);
  const native = own.map((name) => names.toNative(name));
  t.equal(new Set(native).size, own.length);
  t.same(native.slice(1), own.slice(1), "those that Codex takes stay");
  t.same(
    native.map((name) => names.toOriginalItem(call(name)).name),
    own,
  );
});

t.test("names as long as may be stay apart and within the bound", async (t) => {
  const own = ["a", "b", "c"].map((end) => `mcp__${"x".repeat(122)}${end}`);
  const names = namesOf(own);
  const native = own.map((name) => names.toNative(name));
  t.equal(new Set(native).size, own.length);
  for (const name of native) t.match(name, /^[\w-]{1,128}$/);
  t.same(
    native.map((name) => names.toOriginalItem(call(name)).name),
    own,
  );
});

t.test("a version that was tried keeps the names that it was seen to take", async (t) => {
  for (const name of ["shell", "apply_patch", "web_search", "mcp_tool", "mcpx", "MCP", "__proto__"]) {
    t.equal(namesOf([name]).toNative(name), name);
  }
  t.equal(namesOf(["update_plan"], "0.150.0").toNative("update_plan"), "update_plan");
  t.not(namesOf(["update_plan"], "0.140.0").toNative("update_plan"), "update_plan", "0.140 has its own");
});

t.test("a version that was not tried is given no name that could be one of Codex's", async (t) => {
  for (const version of ["9.0.0", "0.1.0", "nonsense", null]) {
    for (const name of ["shell", "apply_patch", "mcp_tool", "MCP", "mcp-x"]) {
      t.equal(namesOf([name], version).toNative(name), `caller_${name}`, `${name} on ${version}`);
    }
    t.equal(namesOf(["weather", "mcpx"], version).toNative("mcpx"), "mcpx");
  }
});

t.test(
  "this service's own words name functions as the model knows them, and errors as the caller does",
  async (t) => {
    const names = namesOf(["mcp__a", "weather"]);
    const part = (text: string) => ({ role: "developer", content: [{ type: "input_text", text }] });
    t.same(
      names.toNativeDirective(part("call the function `mcp__a` or the function `weather`, not `mcp__ab`")),
      part("call the function `caller_mcp__a` or the function `weather`, not `mcp__ab`"),
    );
    const refused = (name: string) =>
      ({
        status: "failed",
        error: { code: "upstream_bad_request", message: `Invalid schema for function '${name}'.` },
      }) as const;
    t.same(names.toOriginalOutcome(refused("caller_mcp__a")), refused("mcp__a"));
  },
);
