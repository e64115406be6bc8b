/** Tools that the caller runs beside functions, on the real app-server: over a WebSocket as real logins have it, and over server-sent events. */
import type OpenAI from "openai";
import t, { type Test } from "tap";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { lacks, needs, needsLackOf } from "../support/codex-version.js";
import {
  functionCall,
  type RecordedModelRequest,
  rawItem,
  reply,
  text,
} from "../support/offline-backend/index.js";
import {
  pollUntil,
  type ServiceHarness,
  startServiceHarness,
  transports,
} from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

type Tool = OpenAI.Responses.Tool;
type Item = OpenAI.Responses.ResponseInputItem;

const note: Tool = { type: "custom", name: "note", description: "Notes." };
const grammar = { type: "grammar", syntax: "lark", definition: "start: /a+/" } as const;
const exact: Tool = { type: "custom", name: "as", description: "Only a.", format: grammar };

const callNote = (input: string, callId = "call_note") =>
  functionCall({ name: "note", arguments: { input }, callId });

/** What the model was last asked with of one type. */
function seen({ backend }: ServiceHarness, type: string) {
  return seenInput(backend.requests.at(-1)).filter((item) => item.type === type);
}

function lastOffered({ backend }: ServiceHarness) {
  return offeredTools(backend.requests.at(-1));
}

/** OpenAI takes no other id of such a call. Codex without the feature shows the model none, over server-sent events. */
function checkIds(t: Test, calls: readonly JsonObject[], wanted: RegExp): void {
  for (const { id } of calls) if (id !== undefined || lacks("model_item_ids") === null) t.match(id, wanted);
}

async function eventsOf(stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>) {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

for (const [transport, options] of Object.entries(transports)) {
  t.test(`over ${transport} a custom tool is called, answered and goes on, in every way`, async (t) => {
    const harness = await startServiceHarness(t, options);
    const { backend, client } = harness;
    backend.queueReply(callNote("# Plan\n1. go"), text("Noted."));
    const first = await client.responses.create({ input: "Note it.", tools: [note] });
    t.match(first.output, [
      { type: "custom_tool_call", name: "note", input: "# Plan\n1. go", call_id: "call_note" },
    ]);
    const call = first.output[0];
    t.notOk(call !== undefined && "arguments" in call);
    t.match(call?.id, /^ctc_/);
    const output: Item = { type: "custom_tool_call_output", call_id: "call_note", output: "ok" };
    const second = await client.responses.create({
      input: [output],
      tools: [note],
      previous_response_id: first.id,
    });
    t.equal(second.output_text, "Noted.");
    t.match(second, { native_api: { continuation: { mode: "native" } } });
    t.match(seen(harness, "function_call_output"), [{ call_id: "call_note", output: /ok/ }]);

    // Stateless: the caller sends its items again.
    backend.queueReply(text("Noted again."));
    const input = [{ role: "user", content: "Note it." } as const, ...first.output, output];
    const third = await client.responses.create({ input: input as Item[], tools: [note], store: false });
    t.equal(third.output_text, "Noted again.");
    t.match(seen(harness, "function_call"), [{ name: "note", arguments: '{"input":"# Plan\\n1. go"}' }]);
    t.match(seen(harness, "function_call_output"), [{ output: "ok" }]);
    checkIds(t, seen(harness, "function_call"), /^fc_/);
    backend.queueReply(text("Noted without it."));
    await client.responses.create({ input: input as Item[], store: false });
    t.match(seen(harness, "custom_tool_call"), [{ name: "note", input: "# Plan\n1. go" }]);
    checkIds(t, seen(harness, "custom_tool_call"), /^ctc_/);

    backend.queueReply(callNote("streamed"));
    const events = await eventsOf(
      await client.responses.create({ input: "Note.", tools: [note], stream: true }),
    );
    const kinds = events.map(({ type }) => type);
    t.match(events, [
      ...events.slice(0, kinds.indexOf("response.output_item.added")),
      { type: "response.output_item.added", item: { type: "custom_tool_call", input: "" } },
      { type: "response.custom_tool_call_input.delta", delta: "streamed" },
      { type: "response.custom_tool_call_input.done", input: "streamed" },
      { type: "response.output_item.done", item: { type: "custom_tool_call", input: "streamed" } },
      { type: "response.completed" },
    ]);

    // Beside a function, and with text that is no object of ours.
    backend.queueReply(
      reply(
        callNote("both"),
        functionCall({ name: "weather", arguments: { city: "Rome" }, callId: "call_w" }),
      ),
      text("Done."),
    );
    const both = await client.responses.create({ input: "Both.", tools: [note, weatherTool] });
    t.strictSame(
      both.output.map(({ type }) => type),
      ["custom_tool_call", "function_call"],
    );
    const outputs: Item[] = [{ type: "function_call_output", call_id: "call_w", output: "24" }, output];
    const done = await client.responses.create({
      input: outputs,
      tools: [note, weatherTool],
      previous_response_id: both.id,
    });
    t.equal(done.output_text, "Done.");
    await pollUntil(() => backend.counters.openStreams === 0);
  });

  t.test(
    `over ${transport} a tool with a grammar reaches the model as declared, and its calls the caller`,
    needs("custom_tool_grammars"),
    async (t) => {
      const harness = await startServiceHarness(t, options);
      const { backend, client } = harness;
      const item = {
        type: "custom_tool_call",
        id: "ctc_1",
        call_id: "call_a",
        name: "as",
        input: "aaa",
        status: "completed",
      };
      const answer = ({ fullInput }: RecordedModelRequest) => {
        const own = fullInput.find(({ type }) => type === "custom_tool_call_output");
        if (own === undefined) return rawItem(item);
        return text(own.output === "from the caller" ? "Three." : "This answers what nobody asked.");
      };
      backend.setDefaultReply(answer);
      for (const tools of [[exact], [exact, weatherTool]]) {
        const first = await client.responses.create({ input: "Say a.", tools });
        t.match(first.output, [{ type: "custom_tool_call", name: "as", input: "aaa", call_id: "call_a" }]);
        t.equal(first.output.length, 1, "and nothing of what Codex asked in between");
        t.ok(
          lastOffered(harness).some(
            ({ type, format }) =>
              type === "custom" && isJsonObject(format) && format.definition === grammar.definition,
          ),
        );
        const output: Item = {
          type: "custom_tool_call_output",
          call_id: "call_a",
          output: "from the caller",
        };
        const second = await client.responses.create({
          input: [output],
          tools,
          previous_response_id: first.id,
        });
        t.equal(second.output_text, "Three.");
        const history = [{ role: "user", content: "Say a." } as const, ...first.output, output] as Item[];
        const third = await client.responses.create({ input: history, tools, store: false });
        t.equal(third.output_text, "Three.");
        t.match(seen(harness, "custom_tool_call"), [{ name: "as", input: "aaa" }]);
      }
      await pollUntil(() => backend.counters.openStreams === 0);
    },
  );
}

t.test(
  "a tool with a grammar is a function that tells of it, where Codex does not pass it on, and health says so",
  needsLackOf("custom_tool_grammars"),
  async (t) => {
    const harness = await startServiceHarness(t);
    const { backend, client, url } = harness;
    backend.queueReply(functionCall({ name: "as", arguments: { input: "aaa" }, callId: "call_a" }));
    const { output } = await client.responses.create({ input: "Say a.", tools: [exact] });
    t.match(output, [{ type: "custom_tool_call", name: "as", input: "aaa", call_id: "call_a" }]);
    t.match(lastOffered(harness), [
      { type: "function", name: "as", description: /grammar:\nstart: \/a\+\// },
    ]);
    const health = await (await fetch(`${url}/v1/health`)).json();
    t.ok(Object(health).native_runtime.degraded.includes("custom_tool_grammars"));
  },
);

t.test("custom tools in chat completions: whole, streamed and answered", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  const tools: OpenAI.ChatCompletionTool[] = [
    { type: "custom", custom: { name: "note", description: "Notes." } },
  ];
  const user = { role: "user", content: "Note it." } as const;
  backend.queueReply(callNote("a note"), text("Noted."));
  const first = await client.chat.completions.create({ model: "gpt-5.5", messages: [user], tools });
  const [choice] = first.choices;
  t.match(choice, {
    finish_reason: "tool_calls",
    message: {
      content: null,
      tool_calls: [{ id: "call_note", type: "custom", custom: { name: "note", input: "a note" } }],
    },
  });
  if (choice === undefined) return;
  const answer = { role: "tool", tool_call_id: "call_note", content: "ok" } as const;
  const second = await client.chat.completions.create({
    model: "gpt-5.5",
    messages: [user, choice.message, answer],
    tools,
  });
  t.equal(second.choices[0]?.message.content, "Noted.");
  t.match(second, { native_api: { continuation: { mode: "native" } } });
  backend.queueReply(callNote("streamed"));
  const chunks: unknown[] = [];
  for await (const chunk of await client.chat.completions.create({
    model: "gpt-5.5",
    messages: [user],
    tools,
    stream: true,
  }))
    chunks.push(...chunk.choices.flatMap(({ delta }) => delta.tool_calls ?? []));
  t.match(chunks, [
    { index: 0, id: "call_note", type: "custom", custom: { name: "note", input: "streamed" } },
  ]);
});

t.test("functions in a namespace are called with it", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  const crm = {
    type: "namespace",
    name: "crm",
    description: "Customers.",
    tools: [{ type: "function", name: "find", parameters: { type: "object", properties: {} } }],
  } satisfies Tool;
  backend.queueReply(
    functionCall({ name: "find", namespace: "crm", arguments: {}, callId: "call_find" }),
    text("Found."),
  );
  const first = await client.responses.create({ input: "Find.", tools: [crm, weatherTool] });
  t.match(first.output, [{ type: "function_call", name: "find", namespace: "crm", call_id: "call_find" }]);
  t.match(JSON.stringify(backend.requests.at(-1)?.body), /Customers\./, "the model reads what they are for");
  const output: Item = { type: "function_call_output", call_id: "call_find", output: "Ada" };
  const second = await client.responses.create({
    input: [output],
    tools: [crm, weatherTool],
    previous_response_id: first.id,
  });
  t.equal(second.output_text, "Found.");
  t.match(second, { native_api: { continuation: { mode: "native" } } });
});

t.test(
  "a namespace of an MCP server's is called by the caller's name of it, natively and by replay",
  async (t) => {
    const harness = await startServiceHarness(t);
    const { backend, client } = harness;
    const github = {
      type: "namespace",
      name: "mcp__github",
      description: "Issues.",
      tools: [{ type: "function", name: "search", parameters: { type: "object", properties: {} } }],
    } satisfies Tool;
    const namespace = "caller_mcp__github";
    backend.queueReply(
      functionCall({ name: "search", namespace, arguments: {}, callId: "call_gh" }),
      text("Found."),
      text("Found again."),
    );
    const first = await client.responses.create({ input: "Search.", tools: [github] });
    t.match(first.output, [{ type: "function_call", name: "search", namespace: "mcp__github" }]);
    const output: Item = { type: "function_call_output", call_id: "call_gh", output: "One." };
    const second = await client.responses.create({
      input: [output],
      tools: [github],
      previous_response_id: first.id,
    });
    t.match(second, { output_text: "Found.", native_api: { continuation: { mode: "native" } } });
    const input = [{ role: "user", content: "Search." } as const, ...first.output, output] as Item[];
    const third = await client.responses.create({ input, tools: [github], store: false });
    t.equal(third.output_text, "Found again.");
    t.match(seen(harness, "function_call"), [{ name: "search", namespace }]);
  },
);

t.test("shells and apply_patch of the caller's come as their own items", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  const tools: Tool[] = [{ type: "shell" }, { type: "local_shell" }, { type: "apply_patch" }];
  backend.queueReply(
    reply(
      functionCall({ name: "shell", arguments: { commands: ["ls"], timeout_ms: 5 }, callId: "call_s" }),
      functionCall({ name: "local_shell", arguments: { command: ["ls", "-l"] }, callId: "call_l" }),
      functionCall({
        name: "apply_patch",
        arguments: { type: "update_file", path: "a.txt", diff: "@@\n-a\n+b" },
        callId: "call_p",
      }),
    ),
    text("All done."),
  );
  const first = await client.responses.create({ input: "Work.", tools });
  t.match(first.output, [
    {
      type: "shell_call",
      call_id: "call_s",
      action: { commands: ["ls"], timeout_ms: 5, max_output_length: null },
      status: "completed",
    },
    { type: "local_shell_call", call_id: "call_l", action: { type: "exec", command: ["ls", "-l"], env: {} } },
    {
      type: "apply_patch_call",
      call_id: "call_p",
      operation: { type: "update_file", path: "a.txt", diff: "@@\n-a\n+b" },
    },
  ]);
  const outcome = { type: "exit", exit_code: 0 } as const;
  const outputs: Item[] = [
    { type: "shell_call_output", call_id: "call_s", output: [{ stdout: "a.txt", stderr: "", outcome }] },
    { type: "local_shell_call_output", id: "call_l", output: "a.txt" },
    { type: "apply_patch_call_output", call_id: "call_p", status: "failed", output: "no such line" },
  ];
  const second = await client.responses.create({ input: outputs, tools, previous_response_id: first.id });
  t.equal(second.output_text, "All done.");
  t.match(second, { native_api: { continuation: { mode: "native" } } });
  const told = JSON.stringify(seen(harness, "function_call_output"));
  for (const words of ["exit_code", "a.txt", "failed: no such line"]) t.ok(told.includes(words), words);

  // Sent back whole, and without the tools.
  backend.queueReply(text("I see."));
  const history = [{ role: "user", content: "Work." } as const, ...first.output, ...outputs] as Item[];
  await client.responses.create({ input: history, store: false });
  t.match(seen(harness, "function_call"), [
    { name: "shell", arguments: '{"commands":["ls"],"timeout_ms":5}' },
    { name: "local_shell" },
    { name: "apply_patch" },
  ]);
  checkIds(t, seen(harness, "function_call"), /^fc_/);
  t.match(first.output, [{ id: /^sh_/ }, { id: /^lsh_/ }, { id: /^apc_/ }]);
  t.equal(seen(harness, "function_call_output").length, 3);
});

t.test("tools that an item brings are offered, also to the responses after it", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  backend.setDefaultReply(text("Hello."));
  const brought = { type: "additional_tools", role: "developer", tools: [weatherTool, note] } satisfies Item;
  const first = await client.responses.create({ input: [brought, { role: "user", content: "Hi." }] });
  t.strictSame(
    lastOffered(harness).map(({ name }) => name),
    ["weather", "note"],
  );
  t.equal(first.output_text, "Hello.");
  backend.queueReply(callNote("later"));
  const second = await client.responses.create({ input: "Note.", previous_response_id: first.id });
  t.match(second.output, [{ type: "custom_tool_call", input: "later" }]);
  const items = await client.responses.inputItems.list(first.id, { order: "asc" });
  t.match(items.data, [{ type: "additional_tools" }, { type: "message" }]);

  const reference: Item = { type: "item_reference", id: items.data[0]?.id ?? "" };
  await client.responses.create({ input: [reference, { role: "user", content: "Hi again." }] });
  t.strictSame(
    lastOffered(harness).map(({ name }) => name),
    ["weather", "note"],
    "so are those of an item that is referred to",
  );
});
