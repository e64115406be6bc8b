import t from "tap";
import { offerTools } from "../../../../src/main/dialects/tools/tool-choice.js";
import { turnOf } from "../request-fixtures.js";

const fn = (name: string) => ({ type: "function", name, parameters: { type: "object", properties: {} } });
const declared = [fn("look"), fn("find"), { type: "web_search" }];

const choose = (tool_choice: unknown, more: object = {}) => turnOf({ tools: declared, tool_choice, ...more });

function namesOf(turn: ReturnType<typeof turnOf>): readonly string[] {
  return (turn.request.tools ?? []).map(({ name }) => name);
}

const textOf = (turn: ReturnType<typeof turnOf>): string => JSON.stringify(turn.request.directives ?? []);

t.test("with auto every tool is offered and nothing is said", async (t) => {
  const turn = choose("auto");
  t.strictSame(namesOf(turn), ["look", "find"]);
  t.ok(turn.request.webSearch);
  t.strictSame([turn.request.directives, turn.obligations], [undefined, []]);
});

t.test("with none no tool is offered, and the answer still names them", async (t) => {
  const turn = choose("none");
  t.notOk("tools" in turn.request);
  t.notOk("webSearch" in turn.request);
  t.equal(turn.echo.tools.length, 3);
  t.equal(turn.echo.tool_choice, "none");
});

t.test("with required the model is told to call one, and its answer is checked", async (t) => {
  const turn = choose("required");
  t.strictSame(namesOf(turn), ["look", "find"]);
  t.match(textOf(turn), /must be a tool call: call the function `look`, the function `find` or web search/);
  t.strictSame(turn.obligations, [
    { kind: "tool_call", param: "tool_choice", functions: ["look", "find"], webSearch: true },
  ]);
});

t.test("a function that is named is the only one offered", async (t) => {
  const turn = choose({ type: "function", name: "find" });
  t.strictSame(namesOf(turn), ["find"]);
  t.notOk("webSearch" in turn.request);
  t.match(textOf(turn), /call the function `find` before/);
  t.match(turn.obligations, [{ functions: ["find"], webSearch: false }]);
});

t.test("web search that is named is the only tool offered, under any of its names", async (t) => {
  const turn = choose({ type: "web_search_preview" });
  t.strictSame(namesOf(turn), []);
  t.ok(turn.request.webSearch);
  t.match(turn.obligations, [{ functions: [], webSearch: true }]);
});

t.test("web search that is named by a text alone is declared by it", async (t) => {
  const turn = choose("web_search", { tools: [fn("look")] });
  t.strictSame(namesOf(turn), []);
  t.ok(turn.request.webSearch);
  t.match(turn.obligations, [{ functions: [], webSearch: true }]);
  t.strictSame(turn.echo.tool_choice, { type: "web_search" });
  t.match(turn.echo.tools, [{ name: "look" }, { type: "web_search" }]);
  const declared = choose("web_search_preview", {
    tools: [{ type: "web_search", search_context_size: "high" }],
  });
  t.match(declared.request.webSearch, { contextSize: "high" });
  t.equal(declared.echo.tools.length, 1);
});

t.test("allowed tools without a mode may be called or not", async (t) => {
  const tools = [{ type: "function", name: "look" }];
  for (const more of [{}, { mode: null }]) {
    const turn = choose({ type: "allowed_tools", tools, ...more });
    t.strictSame(namesOf(turn), ["look"]);
    t.strictSame(turn.obligations, []);
    t.match(turn.echo.tool_choice, { type: "allowed_tools", mode: "auto" });
  }
  t.throws(() => choose({ type: "allowed_tools", mode: "some", tools }), {
    code: "invalid_request",
    param: "tool_choice.mode",
  });
});

t.test("allowed tools are the only ones offered, and need no words unless one is required", async (t) => {
  const tools = [{ type: "function", name: "look" }, { type: "web_search" }];
  const free = choose({ type: "allowed_tools", mode: "auto", tools });
  t.strictSame(namesOf(free), ["look"]);
  t.ok(free.request.webSearch);
  t.strictSame([free.request.directives, free.obligations], [undefined, []]);
  const bound = choose({ type: "allowed_tools", mode: "required", tools });
  t.match(bound.obligations, [{ kind: "tool_call", functions: ["look"], webSearch: true }]);
});

t.test("a tool that is not declared cannot be chosen", async (t) => {
  const cases: readonly (readonly [unknown, object, string])[] = [
    [{ type: "function", name: "fly" }, {}, "tool_choice.name"],
    [{ type: "web_search" }, { tools: [fn("look")] }, "tool_choice.type"],
    [{ type: "custom", name: "look" }, {}, "tool_choice.name"],
    [{ type: "shell" }, {}, "tool_choice.type"],
    ["required", { tools: [] }, "tool_choice"],
    [
      { type: "allowed_tools", mode: "auto", tools: [fn("look"), { type: "function", name: "fly" }] },
      {},
      "tool_choice.tools[1].name",
    ],
  ];
  for (const [choice, more, param] of cases) {
    t.throws(() => choose(choice, more), { code: "invalid_request", param }, param);
  }
});

t.test("a choice of a tool of another kind is refused by name", async (t) => {
  for (const type of ["file_search", "code_interpreter", "mcp", "image_generation"]) {
    t.throws(() => choose({ type, name: "x" }), {
      code: "unsupported_responses_feature",
      param: "tool_choice.type",
    });
  }
  t.throws(() => choose("sometimes"), { code: "invalid_request", param: "tool_choice" });
});

t.test("calls one at a time are asked for in words, where there are functions to call", async (t) => {
  const turn = choose("auto", { parallel_tool_calls: false });
  t.match(textOf(turn), /at most one function at a time/);
  t.strictSame(turn.obligations, [{ kind: "single_call", param: "parallel_tool_calls" }]);
  t.equal(turnOf({ parallel_tool_calls: false }).request.directives, undefined);
  t.strictSame(choose("none", { parallel_tool_calls: false }).obligations, []);
  t.strictSame(choose("auto", { parallel_tool_calls: false }).ignoredParameters, []);
});

t.test("max_tool_calls limits web searches, in words, and nothing else", async (t) => {
  const search = { type: "web_search" } as const;
  const ask = { choice: "auto", parallelToolCalls: true } as const;
  const none = offerTools({ ...ask, tools: [], maxToolCalls: 1 });
  t.strictSame([none.directives, none.obligations], [[], []]);
  t.strictSame(offerTools({ ...ask, tools: [search] }).directives, []);
  for (const [most, words] of [
    [0, /not use web search/],
    [1, /at most once/],
    [3, /at most 3 times/],
  ] as const) {
    const { directives, obligations } = offerTools({ ...ask, tools: [search], maxToolCalls: most });
    t.match(directives, [words]);
    t.strictSame(obligations, [{ kind: "search_limit", param: "max_tool_calls", most }]);
  }
});
