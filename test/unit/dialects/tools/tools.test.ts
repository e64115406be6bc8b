import t from "tap";
import { turnOf } from "../request-fixtures.js";

const fn = (more: object = {}) => ({ type: "function", name: "look", ...more });

t.test("a function is offered as it is declared", async (t) => {
  const parameters = {
    type: "object",
    description: "what to look at",
    properties: { at: { type: "string", description: "where" }, how: { type: "string", enum: ["a", "b"] } },
    required: ["at"],
    additionalProperties: false,
  };
  const { request } = turnOf({ tools: [fn({ description: "Looks.", parameters })] });
  t.strictSame(request.tools, [{ name: "look", description: "Looks.", parameters }]);
});

t.test("a function without parameters takes none", async (t) => {
  const empty = { type: "object", properties: {} };
  for (const parameters of [undefined, null, {}]) {
    t.match(turnOf({ tools: [fn({ parameters })] }).request.tools, [{ description: "", parameters: empty }]);
  }
});

t.test("a function that asks for the strict form does not get it, and that is said", async (t) => {
  t.strictSame(turnOf({ tools: [fn(), fn({ name: "b", strict: true })] }).ignoredParameters, [
    "tools[1].strict",
  ]);
  t.strictSame(
    turnOf({ tools: [fn({ strict: false }), fn({ name: "b", strict: null })] }).ignoredParameters,
    [],
  );
});

t.test("options of a function that Codex has no place for are named", async (t) => {
  const tool = fn({ defer_loading: true, allowed_callers: ["programmatic"], output_schema: {} });
  t.strictSame(turnOf({ tools: [tool] }).ignoredParameters, [
    "tools[0].defer_loading",
    "tools[0].allowed_callers",
    "tools[0].output_schema",
  ]);
  t.strictSame(turnOf({ tools: [fn({ defer_loading: false, output_schema: null })] }).ignoredParameters, []);
});

t.test("a tool at fault is named by its path", async (t) => {
  const cases: readonly (readonly [readonly unknown[], string])[] = [
    [[{ type: "function" }], "tools[0].name"],
    [[fn({ name: "" })], "tools[0].name"],
    [[fn({ name: "a.b" })], "tools[0].name"],
    [[fn({ name: "n".repeat(129) })], "tools[0].name"],
    [[fn(), fn()], "tools[1].name"],
    [[fn({ parameters: [] })], "tools[0].parameters"],
    [[fn({ strict: "yes" })], "tools[0].strict"],
    [[{ type: "web_search", search_context_size: "huge" }], "tools[0].search_context_size"],
    [[{ type: "web_search", filters: { allowed_domains: "a.com" } }], "tools[0].filters.allowed_domains"],
    [Array.from({ length: 129 }, (_, index) => fn({ name: `f${index}` })), "tools"],
  ];
  for (const [tools, param] of cases) {
    t.throws(() => turnOf({ tools }), { code: "invalid_request", param }, param);
  }
});

t.test("128 tools with names of 128 characters are taken", async (t) => {
  const tools = Array.from({ length: 128 }, (_, index) => fn({ name: `${index}`.padEnd(128, "x") }));
  t.equal(turnOf({ tools }).request.tools?.length, 128);
});

t.test("OpenAI's other tools are refused by name", async (t) => {
  const types = [
    "file_search",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "mcp",
    "image_generation",
    "local_shell",
    "shell",
    "apply_patch",
    "custom",
    "namespace",
    "tool_search",
    "programmatic_tool_calling",
  ];
  for (const type of types) {
    t.throws(
      () => turnOf({ tools: [fn(), { type, name: "x" }] }),
      { code: "unsupported_responses_feature", param: "tools[1].type", message: new RegExp(`'${type}'`) },
      type,
    );
  }
});

t.test("web search is Codex's own, under each of its names", async (t) => {
  for (const type of [
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
  ]) {
    const turn = turnOf({ tools: [{ type }] });
    t.strictSame(turn.request.webSearch, { contextSize: null, allowedDomains: null, location: null });
    t.match(turn.echo.tools, [{ type, search_context_size: "medium", user_location: null }]);
  }
});

t.test("the options of web search are read", async (t) => {
  const tool = {
    type: "web_search",
    filters: { allowed_domains: ["openai.com"] },
    search_context_size: "high",
    user_location: { type: "approximate", country: "DE", city: "Berlin" },
  };
  const turn = turnOf({ tools: [tool] });
  t.strictSame(turn.request.webSearch, {
    contextSize: "high",
    allowedDomains: ["openai.com"],
    location: { country: "DE", region: null, city: "Berlin", timezone: null },
  });
  t.match(turn.echo.tools, [tool]);
});

t.test("what Codex's web search cannot give is named", async (t) => {
  const include = ["web_search_call.action.sources"];
  t.strictSame(turnOf({ include }).ignoredParameters, []);
  t.strictSame(turnOf({ include, tools: [{ type: "web_search" }] }).ignoredParameters, [
    "include.web_search_call.action.sources",
  ]);
  const tools = [{ type: "web_search", filters: { blocked_domains: ["x"] } }];
  t.strictSame(turnOf({ tools }).ignoredParameters, ["tools[0].filters.blocked_domains"]);
});
