import t from "tap";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import { ToolNames } from "../../../../src/workers/turn/tool-names.js";

const namesOf = (names: readonly string[], codexVersion: string | null = newestTestedCodex) =>
  new ToolNames(
    { tools: names.map((name) => ({ name, description: "", parameters: {} })), isLite: false },
    codexVersion,
  );
/** Codex's name for a function of the caller's. */
const nativeName = (names: ToolNames, name: string) => String(names.toNativeItem(call(name)).name);
const call = (name: string) => ({ type: "function_call", call_id: "a", name, arguments: "{}" });

t.test("names that Codex refuses or drops are sent under another and come back as they were", async (t) => {
  const own = ["exec_command", "shell_command", "mcp", "mcp__", "mcp__github__search_issues"];
  const names = namesOf([...own, "weather"]);
  for (const name of own) {
    const native = nativeName(names, name);
    t.equal(native, `caller_${name}`);
    t.same(names.toNativeItem(call(name)), call(native));
    t.same(names.toOriginalItem(call(native)), call(name));
  }
  t.equal(nativeName(names, "weather"), "weather");
  const message = { type: "message", name: "exec_command" };
  t.equal(names.toNativeItem(message), message);
});

t.test("a name that the caller has for another function is not taken", async (t) => {
  const own = ["exec_command", "caller_exec_command", "caller_exec_command_2"];
  const names = namesOf(own);
  const native = own.map((name) => nativeName(names, name));
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
  const native = own.map((name) => nativeName(names, name));
  t.equal(new Set(native).size, own.length);
  for (const name of native) t.match(name, /^[\w-]{1,128}$/);
  t.same(
    native.map((name) => names.toOriginalItem(call(name)).name),
    own,
  );
});

t.test("a version that was tried keeps the names that it was seen to take", async (t) => {
  for (const name of ["shell", "apply_patch", "web_search", "mcp_tool", "mcpx", "MCP", "__proto__"]) {
    t.equal(nativeName(namesOf([name]), name), name);
  }
  t.equal(nativeName(namesOf(["update_plan"], "0.150.0"), "update_plan"), "update_plan");
  t.not(nativeName(namesOf(["update_plan"], "0.140.0"), "update_plan"), "update_plan", "0.140 has its own");
});

t.test("a version that was not tried is given no name that could be one of Codex's", async (t) => {
  for (const version of ["9.0.0", "0.1.0", "nonsense", null]) {
    for (const name of ["shell", "apply_patch", "mcp_tool", "MCP", "mcp-x"]) {
      t.equal(nativeName(namesOf([name], version), name), `caller_${name}`, `${name} on ${version}`);
    }
    t.equal(nativeName(namesOf(["weather", "mcpx"], version), "mcpx"), "mcpx");
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

t.test("namespaces of MCP servers, and functions of such names in any, go under other names", async (t) => {
  const tool = (namespace: string, name: string) => ({
    name,
    description: "",
    parameters: {},
    namespace: { name: namespace, description: "" },
  });
  const own = [
    tool("mcp__github", "search"),
    tool("mcp__github", "mcp__x"),
    tool("caller_mcp__github", "search"),
    tool("crm", "mcp"),
    tool("crm", "exec_command"),
    tool(`mcp__${"x".repeat(59)}`, "search"),
  ];
  const names = new ToolNames({ tools: own, isLite: false }, newestTestedCodex);
  const natives = own.map(({ name, namespace }) => {
    const made = { ...call(name), namespace: namespace.name };
    const native = names.toNativeItem(made);
    t.same(names.toOriginalItem(native), made);
    t.ok(names.canBeAskedFor(native));
    t.match(native.namespace, /^(?!mcp).{1,64}$/);
    t.match(native.name, /^(?!mcp)/);
    return `${native.namespace} ${native.name}`;
  });
  t.equal(new Set(natives).size, own.length);
  t.ok(natives.includes("crm exec_command"), "what Codex takes stays");
  t.ok(names.changesCalls);
  const declared = names.dynamicTools.map(({ name }) => name);
  t.equal(new Set(declared).size, 4);
  t.notMatch(declared.join(), /(?:^|,)mcp/);
});

t.test(
  "a version without lists of functions gets each with its namespace, which the first describes",
  async (t) => {
    const namespace = { name: "crm", description: "Customers." };
    const tools = ["find", "add"].map((name) => ({
      name,
      description: `To ${name}.`,
      parameters: {},
      namespace,
    }));
    const names = new ToolNames({ tools, isLite: false }, "0.140.0");
    t.match(names.dynamicTools, [
      { type: "function", namespace: "crm", name: "find", description: "Customers.\n\nTo find." },
      { type: "function", namespace: "crm", name: "add", description: "To add." },
    ]);
    t.match(new ToolNames({ tools, isLite: false }, "0.150.0").dynamicTools, [
      { type: "namespace", ...namespace, tools: [{ name: "find" }, { name: "add" }] },
    ]);
  },
);

t.test(
  "tools with a grammar are declared once for each namespace, under the names that they have",
  async (t) => {
    const exact = (name: string, namespace: string) => ({
      name,
      description: "",
      parameters: {},
      kind: "custom" as const,
      exact: { type: "custom", name },
      namespace: { name: namespace, description: "" },
    });
    const tools = [exact("a", "mcp__x"), exact("b", "mcp__x"), exact("a", "crm")];
    const names = new ToolNames({ tools, isLite: false }, newestTestedCodex);
    t.match(names.additionalTools, {
      tools: [
        { type: "namespace", name: "mcp__x", tools: [{ name: "a" }, { name: "b" }] },
        { type: "namespace", name: "crm", tools: [{ name: "a" }] },
      ],
    });
    t.same(names.dynamicTools, []);
    const made = { type: "custom_tool_call", call_id: "1", name: "b", namespace: "mcp__x", input: "x" };
    t.same(names.toOriginalItem(made), made);
    t.ok(names.declares(made));
  },
);

t.test("as many long names as a request may hold stay apart in each namespace", async (t) => {
  const tools = Array.from({ length: 128 * 128 }, (_, at) => ({
    name: `mcp__${"x".repeat(116)}${String(at).padStart(7, "0")}`,
    description: "",
    parameters: {},
    namespace: { name: `n${at % 128}`, description: "" },
  }));
  const names = new ToolNames({ tools, isLite: false }, newestTestedCodex);
  const natives = tools.map(({ name, namespace }) => {
    const native = names.toNativeItem({ ...call(name), namespace: namespace.name });
    return `${native.namespace} ${native.name}`;
  });
  t.equal(new Set(natives).size, tools.length);
});
