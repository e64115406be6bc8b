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

t.test(
  "a custom tool is a function with one text, and one with a grammar goes as declared too",
  async (t) => {
    const grammar = { type: "grammar", syntax: "lark", definition: "start: /a+/" };
    const turn = turnOf({
      tools: [
        { type: "custom", name: "note", description: "Notes." },
        { type: "custom", name: "as", format: grammar },
      ],
    });
    const parameters = { type: "object", properties: { input: { type: "string" } }, required: ["input"] };
    t.match(turn.request.tools, [
      { name: "note", description: "Notes.", kind: "custom", parameters },
      {
        name: "as",
        kind: "custom",
        description: /lark grammar:\nstart/,
        exact: { type: "custom", name: "as", format: grammar },
      },
    ]);
    t.notOk(turn.request.tools?.[0]?.exact);
    t.match(turn.echo.tools, [{ type: "custom", format: { type: "text" } }, { format: grammar }]);
    for (const [format, param] of [
      [{ type: "grammar", syntax: "bnf", definition: "x" }, "tools[0].format.syntax"],
      [{ type: "grammar", syntax: "regex" }, "tools[0].format.definition"],
    ] as const) {
      t.throws(
        () => turnOf({ tools: [{ type: "custom", name: "a", format }] }),
        { code: "invalid_request", param },
        param,
      );
    }
  },
);

t.test("tools of a namespace have it, and names are unique within it", async (t) => {
  const crm = {
    type: "namespace",
    name: "crm",
    description: "Customers.",
    tools: [fn(), { type: "custom", name: "c" }],
  };
  const turn = turnOf({ tools: [fn(), crm] });
  const namespace = { name: "crm", description: "Customers." };
  t.match(turn.request.tools, [
    { name: "look" },
    { name: "look", namespace },
    { name: "c", kind: "custom", namespace },
  ]);
  t.match(turn.echo.tools, [
    { type: "function" },
    { type: "namespace", name: "crm", tools: [{ name: "look" }, { name: "c" }] },
  ]);
  t.throws(() => turnOf({ tools: [{ ...crm, tools: [fn(), fn()] }] }), {
    code: "invalid_request",
    param: "tools[0].tools[1].name",
  });
  t.throws(() => turnOf({ tools: [crm, crm] }), { code: "invalid_request", param: "tools[1].name" });
  t.throws(() => turnOf({ tools: [{ ...crm, tools: [{ type: "shell" }] }] }), {
    code: "unsupported_responses_feature",
    param: "tools[0].tools[0].type",
  });
});

t.test("the caller's shells and its apply_patch are functions of those names, each once", async (t) => {
  const turn = turnOf({
    tools: [
      { type: "shell", environment: { type: "local" } },
      { type: "local_shell" },
      { type: "apply_patch" },
    ],
  });
  t.match(turn.request.tools, [
    { name: "shell", kind: "shell", parameters: { required: ["commands"] } },
    { name: "local_shell", kind: "local_shell", parameters: { required: ["command"] } },
    { name: "apply_patch", kind: "apply_patch", parameters: { required: ["type", "path"] } },
  ]);
  t.throws(() => turnOf({ tools: [{ type: "shell", environment: { type: "container_auto" } }] }), {
    code: "unsupported_responses_feature",
    param: "tools[0].environment.type",
  });
  t.throws(() => turnOf({ tools: [fn({ name: "shell" }), { type: "shell" }] }), {
    code: "invalid_request",
    param: "tools[1].name",
  });
});

t.test(
  "a search among tools is left out and named, and the tools that an item brings are offered",
  async (t) => {
    const turn = turnOf({ tools: [fn({ defer_loading: true }), { type: "tool_search" }] });
    t.strictSame(turn.ignoredParameters, ["tools[0].defer_loading", "tools[1]"]);
    const item = {
      type: "additional_tools",
      role: "developer",
      tools: [fn({ name: "more" }), { type: "tool_search" }],
    };
    const brought = turnOf({ input: [item, { role: "user", content: "Hi." }], tools: [fn()] });
    t.match(brought.request.tools, [{ name: "look" }, { name: "more" }]);
    t.strictSame(brought.ignoredParameters, ["input[0].tools[1]"]);
    t.throws(() => turnOf({ input: [{ ...item, tools: [{ type: "mcp" }] }] }), {
      code: "unsupported_responses_feature",
      param: "input[0].tools[0].type",
    });
  },
);

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

t.test("the namespace functions is the one that functions have anyway", async (t) => {
  const { request } = turnOf({ tools: [{ type: "namespace", name: "functions", tools: [fn()] }] });
  t.equal(request.tools?.[0]?.name, "look");
  t.notOk(request.tools?.[0]?.namespace);
});

t.test("a name in the namespace functions is that of a tool without any", async (t) => {
  const functions = { type: "namespace", name: "functions", tools: [fn(), fn({ name: "shell" })] };
  for (const other of [fn(), { type: "custom", name: "look" }, { type: "shell" }]) {
    t.throws(() => turnOf({ tools: [other, functions] }), {
      code: "invalid_request",
      param: /^tools\[1\]\.tools\[[01]\]\.name$/,
    });
  }
});

t.test("a namespace that neither Codex nor the Responses API takes is refused by its field", async (t) => {
  const crm = { type: "namespace", name: "crm", tools: [fn()] };
  for (const name of ["web", "python", "multi_tool_use", "x".repeat(65)]) {
    t.throws(() => turnOf({ tools: [{ ...crm, name }] }), {
      code: "invalid_request",
      param: "tools[0].name",
    });
  }
  t.throws(() => turnOf({ tools: [{ ...crm, description: "d".repeat(1025) }] }), {
    code: "invalid_request",
    param: "tools[0].description",
  });
  t.ok(turnOf({ tools: [{ ...crm, name: "x".repeat(64), description: "d".repeat(1024) }] }));
});

t.test("of tools of one name that items bring the last is offered, whatever its kind", async (t) => {
  const item = (...tools: object[]) => ({ type: "additional_tools", tools });
  const custom = { type: "custom", name: "look" };
  const words = { role: "user", content: "Hi." };
  const functions = { type: "namespace", name: "functions", tools: [custom] };
  const bare = { kind: "custom", name: "look" };
  t.match(turnOf({ input: [item(custom), words], tools: [fn()] }).request.tools, [bare]);
  t.match(turnOf({ input: [item(fn()), item(functions), words] }).request.tools, [bare]);
  t.equal(turnOf({ input: [item(functions), words], tools: [fn()] }).request.tools?.length, 1);
  const search = fn({ name: "web_search" });
  const both = turnOf({ input: [item({ type: "web_search" }), words], tools: [search] });
  t.match(both.request.tools, [{ name: "web_search" }], "a function may have the name of a type");
  t.ok(both.request.webSearch);

  const again = Array.from({ length: 1_000 }, () => item(fn(), fn({ name: "b" })));
  t.equal(
    turnOf({ input: [...again, words] }).request.tools?.length,
    2,
    "the same may come any number of times",
  );
  const many = Array.from({ length: 129 }, (_, at) => item(fn({ name: `f${at}` })));
  t.throws(() => turnOf({ input: [...many, words] }), { code: "invalid_request", param: "input[128].tools" });
});

t.test("tools of one namespace that several items bring are offered together", async (t) => {
  const crm = (...tools: object[]) => ({ type: "namespace", name: "crm", description: "Customers.", tools });
  const brings = (tool: object) => ({ type: "additional_tools", tools: [tool] });
  const found = (...tools: unknown[]) => ({ type: "tool_search_output", call_id: "c", tools });
  const call = { type: "tool_search_call", call_id: "c", arguments: {} };
  const words = { role: "user", content: "Hi." };
  const input = [
    brings(crm(fn({ name: "b" }))),
    call,
    found(crm(fn({ description: "Found." }), fn({ name: "c" })), { type: "mcp" }),
    words,
  ];
  const { request } = turnOf({ input, tools: [crm(fn({ description: "Declared." }))] });
  t.match(request.tools, [
    { name: "look", description: "Declared.", namespace: { name: "crm" } },
    { name: "b", namespace: { name: "crm" } },
    { name: "c", namespace: { name: "crm" } },
  ]);
  t.match(request.items, [{}, { status: "completed", execution: "client" }, { status: "completed" }, {}]);

  const many = Array.from({ length: 129 }, (_, at) => brings(crm(fn({ name: `f${at}` }))));
  t.throws(() => turnOf({ input: [...many, words] }), { code: "invalid_request", param: "input[128].tools" });
});
