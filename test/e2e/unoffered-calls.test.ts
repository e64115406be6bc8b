/**
 * Calls of tools that nobody offered, in every form that a model can give them. On the real app-server, over a WebSocket as real logins
 * have it, and over server-sent events.
 */
import t from "tap";
import {
  functionCall,
  type JsonObject,
  lastUserText,
  rawItem,
  type StreamReply,
  shellCall,
  text,
} from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

const item = (type: string, fields: JsonObject) =>
  rawItem({ type, call_id: "call_raw", status: "completed", ...fields });

/** Codex says nothing to the model of these, so that its answer is the end of the turn. */
const passedOver: Readonly<Record<string, StreamReply>> = {
  local_shell_call: shellCall({ command: ["ls"], as: "local_shell_call" }),
  "local_shell_call without an id": rawItem({
    type: "local_shell_call",
    status: "completed",
    action: { type: "exec", command: ["ls"] },
  }),
  "tool_search_call of the backend's": item("tool_search_call", {
    execution: "server",
    arguments: { query: "shell" },
  }),
  shell_call: item("shell_call", { action: { commands: ["ls"] } }),
  apply_patch_call: item("apply_patch_call", {
    operation: { type: "create_file", path: "loot", diff: "+x" },
  }),
  mcp_call: item("mcp_call", { server_label: "fs", name: "read_file", arguments: "{}" }),
  mcp_approval_request: item("mcp_approval_request", { server_label: "fs", name: "x", arguments: "{}" }),
  computer_call: item("computer_call", { action: { type: "click", x: 1, y: 1 } }),
  code_interpreter_call: item("code_interpreter_call", { code: "1", container_id: "c", outputs: [] }),
  file_search_call: item("file_search_call", { queries: ["x"] }),
  "a call of a kind to come": item("teleport_call", {}),
};

/** Codex tells the model that it has no such tool, and asks it again. */
const refused: Readonly<Record<string, StreamReply>> = {
  function_call: functionCall({ name: "nobodys", arguments: "{}" }),
  custom_tool_call: item("custom_tool_call", { name: "nobodys", input: "x" }),
  "tool_search_call for the client": item("tool_search_call", {
    execution: "client",
    arguments: { query: "shell" },
  }),
};

/** The backend has sent their results along. */
const doneByBackend: Readonly<Record<string, StreamReply>> = {
  web_search_call: item("web_search_call", { action: { type: "search", query: "x" } }),
  image_generation_call: item("image_generation_call", { result: "aGk=" }),
};

type Answers = (call: StreamReply, request: number) => StreamReply;

const patterns: Readonly<Record<string, Answers>> = {
  "as its first answer": (call) => call,
  "after an undeclared call": (call, request) =>
    request === 1 ? functionCall({ name: "nobodys", arguments: "{}" }) : call,
  "in turn with an undeclared call": (call, request) =>
    request % 2 === 1 ? functionCall({ name: "nobodys", arguments: "{}" }) : call,
};

/** Answers one turn. */
function answerWith(call: StreamReply, pattern: Answers): () => StreamReply {
  let request = 0;
  return () => pattern(call, ++request);
}

for (const [transport, login] of [
  ["a WebSocket", "chatgpt"],
  ["server-sent events", "provider"],
] as const) {
  t.test(`over ${transport} no turn completes with nothing since a call was swallowed`, async (t) => {
    const { backend, client, untilReady } = await startServiceHarness(t, { login });
    await untilReady();
    for (const [name, call] of Object.entries({ ...passedOver, ...refused })) {
      for (const [when, pattern] of Object.entries(patterns)) {
        backend.setDefaultReply(answerWith(call, pattern));
        const asked = backend.requests.length;
        await t.rejects(
          client.responses.create({ input: name, tools: [weatherTool] }),
          { status: 504, code: "turn_stalled", message: /not offered/ },
          `${name} ${when}`,
        );
        // On a busy machine Codex asks some more times before the interrupt reaches it.
        const times = backend.requests.length - asked;
        t.ok(times <= 51, `${name} ${when}: the model was asked a bounded number of times, not ${times}`);
      }
    }
  });

  t.test(`over ${transport} a call that nobody offered costs nothing of an answer beside it`, async (t) => {
    const { backend, client, untilReady } = await startServiceHarness(t, { login });
    await untilReady();
    backend.setDefaultReply((request) => {
      const name = lastUserText(request);
      const call = passedOver[name] ?? refused[name] ?? doneByBackend[name];
      const isAnswered = request.fullInput.some(({ type }) => String(type).endsWith("_output"));
      if (call === undefined || isAnswered) return text("Done.");
      const { parts } = text("One moment. ");
      return { ...call, parts: [...parts, ...call.parts] };
    });
    for (const name of Object.keys({ ...passedOver, ...refused, ...doneByBackend })) {
      const response = await client.responses.create({ input: name, tools: [weatherTool] });
      t.equal(response.status, "completed", name);
      t.equal(response.output_text, name in refused ? "One moment. Done." : "One moment. ", name);
    }
  });

  t.test(`over ${transport} what the backend did by itself ends a turn well`, async (t) => {
    const { backend, client } = await startServiceHarness(t, { login });
    for (const [type, call] of Object.entries(doneByBackend)) {
      backend.setDefaultReply(call);
      const response = await client.responses.create({ input: "Go", tools: [weatherTool] });
      t.match(response, { status: "completed", output: [{ type }] });
    }
  });
}

t.test("a stream and a chat completion end so, too", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(shellCall({ command: ["ls"], as: "local_shell_call" }));
  const model = (await client.models.list()).data[0]?.id ?? "";
  const messages = [{ role: "user" as const, content: "Go" }];
  const failure = { status: 504, code: "turn_stalled" };
  await t.rejects(client.responses.create({ input: "Go", stream: true }), failure);
  await t.rejects(client.chat.completions.create({ model, messages }), failure);
});
