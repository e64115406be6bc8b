/** Functions of the caller's that are called like tools of Codex's, on the real app-server. */
import { join } from "node:path";
import type OpenAI from "openai";
import t, { type Test } from "tap";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { CodexDriver } from "../support/offline-backend/codex-driver.js";
import {
  createChatGptLogin,
  functionCall,
  type JsonObject,
  OfflineBackend,
  offeredTools,
  type RecordedModelRequest,
  reply,
  text,
} from "../support/offline-backend/index.js";
import { isJsonObject } from "../support/offline-backend/json.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

/** Names of servers' tools, of shells and of other tools that Codex has or had, and names that break maps. */
const oddNames = [
  ...["mcp", "mcp_", "mcp__", "mcp__a", "mcp__github__search_issues", "mcp_x", "MCP", "mcpx", "mcp-x"],
  ...["shell", "exec", "exec_command", "shell_command", "local_shell", "write_stdin", "unified_exec"],
  ...["container_exec", "apply_patch", "update_plan", "web_search", "web_search_preview", "view_image"],
  ...["image_generation", "tool_search", "tool_suggest", "spawn_agent", "wait", "functions", "function"],
  ...["multi_tool_use", "parallel", "namespace", "custom", "clock", "request_user_input", "skills"],
  ...["list_mcp_resources", "js_repl", "read_file", "computer", "python", "__proto__", "constructor", "-"],
  ...["caller_mcp", "caller_exec_command", `mcp__${"x".repeat(122)}a`, `mcp__${"x".repeat(122)}b`],
];

const toolOf = (name: string): OpenAI.Responses.FunctionTool => ({ ...weatherTool, name, description: name });
const chatToolOf = (name: string): OpenAI.ChatCompletionTool => ({
  type: "function",
  function: { name, description: name },
});

/** The names under which the model is offered the functions, in the order of those that the caller has for them. */
function nativeNames(request: RecordedModelRequest, names: readonly string[]): readonly string[] {
  const offered = offeredTools(request);
  return names.map((name) => String(offered.find(({ description }) => description === name)?.name));
}

/** A model that calls all that it is offered, in one answer, and says what it was told once it has the outputs. */
function callEverything(names: readonly string[]) {
  return (request: RecordedModelRequest) => {
    if (request.fullInput.some(({ type }) => type === "function_call_output")) return text("done");
    const calls = nativeNames(request, names).map((name, at) =>
      functionCall({ name, arguments: "{}", callId: `call_${at}` }),
    );
    return reply(...calls);
  };
}

const byName = (calls: readonly { readonly name: string }[]) => calls.map(({ name }) => name);

t.test(
  "every model is offered functions of all names, and calls of them come back by the caller's",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    backend.setDefaultReply(callEverything(oddNames));
    const { data: models } = await client.models.list();
    for (const { id: model } of models) {
      const first = await client.responses.create({ model, input: "hello", tools: oddNames.map(toolOf) });
      const calls = first.output.filter((item) => item.type === "function_call");
      t.same(byName(calls), oddNames, model);
      const native = nativeNames(backend.requests.at(-1) as RecordedModelRequest, oddNames);
      t.equal(new Set(native).size, oddNames.length, "each under a name of its own");
      for (const name of native) t.match(name, /^[\w-]{1,128}$/);
      const second = await client.responses.create({
        model,
        previous_response_id: first.id,
        tools: oddNames.map(toolOf),
        input: calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "fine" })),
      });
      t.match(second, { output_text: "done", native_api: { continuation: { mode: "native" } } });
    }
  },
);

t.test(
  "in streams and chats the names are the caller's, and a history's calls are the model's",
  async (t) => {
    const { backend, client } = await startServiceHarness(t);
    const names = ["mcp", "mcp__github__search_issues", "exec_command", "shell_command", "shell"];
    backend.setDefaultReply(callEverything(names));
    const stream = client.responses.stream({ input: "hello", tools: names.map(toolOf) });
    const told: string[] = [];
    for await (const event of stream) {
      if (event.type === "response.output_item.added" && event.item.type === "function_call") {
        told.push(event.item.name);
      }
      if (event.type === "response.function_call_arguments.done")
        t.ok(names.includes(event.name ?? names[0] ?? ""));
    }
    t.same(told, names);
    const model = (await client.models.list()).data[0]?.id ?? "";
    const asked: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hello" }];
    const chat = client.chat.completions.stream({ model, messages: asked, tools: names.map(chatToolOf) });
    const { message } = (await chat.finalChatCompletion()).choices[0] ?? {};
    const calls = (message?.tool_calls ?? []).filter((call) => call.type === "function");
    t.same(byName(calls.map((call) => call.function)), names);
    const history: OpenAI.ChatCompletionMessageParam[] = [
      ...asked,
      { role: "assistant", tool_calls: calls },
      ...calls.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: "fine" })),
      // Another question needs a replay.
      { role: "user", content: "and?" },
    ];
    const answer = await client.chat.completions.create({
      model,
      messages: history,
      tools: names.map(chatToolOf),
    });
    t.equal(answer.choices[0]?.message.content, "done");
    const last = backend.requests.at(-1) as RecordedModelRequest;
    const replayed = last.fullInput.filter(({ type }) => type === "function_call").map(({ name }) => name);
    t.same(replayed, nativeNames(last, names), "the model sees its calls under the names it is offered");
  },
);

t.test("a choice among such functions is put to the model in the names that it knows", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  const names = ["exec_command", "mcp__a", "weather"];
  for (const name of names) {
    backend.setDefaultReply((request) => {
      const offered = offeredTools(request).filter(({ description }) => description === name);
      t.equal(offered.length, 1, "it alone is offered");
      t.match(JSON.stringify(request.fullInput), `\`${String(offered[0]?.name)}\``);
      return functionCall({ name: String(offered[0]?.name), arguments: "{}" });
    });
    const tools = names.map(toolOf);
    const chosen = await client.responses.create({
      input: "hello",
      tools,
      tool_choice: { type: "function", name },
    });
    t.match(chosen.output, [{ type: "function_call", name }]);
    t.match(
      chosen,
      { native_api: { ignored_parameters: [] } },
      "the obligation is met under the caller's name",
    );
  }
});

/** The names of all tools that this Codex has, as its own prompts offer them: namespaces, and what is in them. */
async function namesOfCodexTools(t: Test): Promise<readonly string[]> {
  const home = join(await makeTemporaryDirectory(t), "own");
  const backend = await OfflineBackend.start();
  await createChatGptLogin({ home, backend });
  const codex = await CodexDriver.start(home, backend.environment());
  try {
    backend.setDefaultReply(text("ok"));
    const { data } = await codex.call("model/list", {});
    const models = (Array.isArray(data) ? data : []).flatMap((model) =>
      isJsonObject(model) ? [String(model.model)] : [],
    );
    for (const model of models) {
      const { thread } = await codex.call("thread/start", { model, ephemeral: true, cwd: home });
      await codex.runTurn(isJsonObject(thread) ? String(thread.id) : "", "hello");
    }
    const names = new Set<string>();
    for (const { body, fullInput } of backend.requests) {
      const added = fullInput.filter(({ type }) => type === "additional_tools");
      for (const { tools } of [body, ...added]) collectNames(tools, names);
    }
    return [...names];
  } finally {
    await codex.stop();
    await backend.close();
    await removeTree(home);
  }
}

function collectNames(tools: unknown, names: Set<string>): void {
  if (!Array.isArray(tools)) return;
  for (const tool of tools as readonly JsonObject[]) {
    names.add(String(tool.name ?? tool.type));
    collectNames(tool.tools, names);
  }
}

t.test("a caller's function may be called like any tool of this Codex's", async (t) => {
  const names = await namesOfCodexTools(t);
  t.ok(names.includes("apply_patch") && names.length > 10, names.join(" "));
  for (const profile of ["lean", "codex"]) {
    const { backend, client } = await startServiceHarness(t, { argv: ["--turn-profile", profile] });
    backend.setDefaultReply(callEverything(names));
    const { output } = await client.responses.create({ input: "hello", tools: names.map(toolOf) });
    const calls = output.filter((item) => item.type === "function_call");
    t.same(byName(calls), names, `in the ${profile} profile`);
  }
});
