/** Choices among tools that the history brought, on the real app-server: they work as if the request had declared these tools. */

import type OpenAI from "openai";
import type { Test } from "tap";
import t from "tap";
import { functionCall, text } from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { offeredTools, seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";
import { SocketCaller } from "../support/web-socket-caller.js";

type Item = OpenAI.Responses.ResponseInputItem;
type Choices = Pick<OpenAI.Responses.ResponseCreateParamsNonStreaming, "tool_choice" | "parallel_tool_calls">;

const clock = { type: "function", name: "clock", parameters: null, strict: false } as const;
const search = { type: "web_search" } as const;
const brought: Item = { type: "additional_tools", role: "developer", tools: [weatherTool, clock, search] };
const greeting = { role: "user", content: "Hi." } as const;

const namedClock: Choices = { tool_choice: { type: "function", name: "clock" } };
const allowedClock: Choices = {
  tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "clock" }] },
};

/** How the model was last asked. */
function lastAsked({ backend }: ServiceHarness): {
  readonly offered: readonly string[];
  readonly told: string;
} {
  const request = backend.requests.at(-1);
  const offered = offeredTools(request).flatMap(({ name }) => (typeof name === "string" ? [name] : []));
  return { offered, told: JSON.stringify(seenInput(request)) };
}

/** Asks in a chain whose first response brought the tools: over HTTP, and over a WebSocket that alone remembers it. */
async function chains(
  t: Test,
): Promise<readonly [string, ServiceHarness, (more: object) => Promise<unknown>][]> {
  const harness = await startServiceHarness(t);
  harness.backend.setDefaultReply(text("Hello."));
  const first = await harness.client.responses.create({ input: [brought, greeting] });
  const caller = await SocketCaller.open(t, harness.url);
  caller.create({ input: [brought, greeting], store: false });
  const { id } = await caller.ended();
  const overHttp = (more: object) =>
    harness.client.responses.create({ input: "Go on.", previous_response_id: first.id, ...more });
  const overWebSocket = async (more: object) => {
    caller.create({ input: "Go on.", previous_response_id: id, store: false, ...more });
    const event = await caller.next("response.completed", "error");
    if (event.type === "error") throw event.error;
    return event.response;
  };
  return [
    ["HTTP", harness, overHttp],
    ["a WebSocket", harness, overWebSocket],
  ];
}

async function refusalOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => null,
    (error: unknown) => error,
  );
}

t.test("a choice names a tool that an earlier response brought", async (t) => {
  for (const [transport, harness, ask] of await chains(t)) {
    await ask(namedClock);
    t.strictSame(lastAsked(harness).offered, ["clock"], `${transport}: named`);
    t.match(lastAsked(harness).told, /call the function `clock` before/);
    await ask(allowedClock);
    t.strictSame(lastAsked(harness).offered, ["clock"], `${transport}: allowed`);
    await ask({ tool_choice: "required" });
    t.match(lastAsked(harness).told, /the function `weather`, the function `clock` or web search/, transport);
    await ask({ parallel_tool_calls: false, tool_choice: "auto" });
    t.match(lastAsked(harness).told, /at most one function at a time/, transport);
    t.ok(lastAsked(harness).offered.includes("weather"));
    await ask({ tool_choice: "none" });
    t.strictSame(lastAsked(harness).offered, [], `${transport}: none`);
  }
});

t.test("what a choice demands of tools of the history is checked in the answer", async (t) => {
  for (const [transport, , ask] of await chains(t)) {
    const ignored = { native_api: { ignored_parameters: ["tool_choice"] } };
    t.match(await ask(namedClock), ignored, transport);
    t.match(await ask({ tool_choice: "required" }), ignored, transport);
  }
});

t.test(
  "a choice of a tool that neither the request nor its history has is refused before any turn",
  async (t) => {
    for (const [transport, { backend }, ask] of await chains(t)) {
      const asked = backend.requests.length;
      const tool = { type: "function", name: "compass" };
      t.match(await refusalOf(ask({ tool_choice: tool })), { param: "tool_choice.name" }, transport);
      const allowed = { type: "allowed_tools", tools: [{ ...tool, name: "clock" }, tool] };
      t.match(
        await refusalOf(ask({ tool_choice: allowed })),
        { param: "tool_choice.tools[1].name" },
        transport,
      );
      t.equal(backend.requests.length, asked);
    }
  },
);

t.test("required without any tool in a chain is refused", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(text("Hello."));
  const { id } = await client.responses.create({ input: "Hi." });
  const refused = client.responses.create({
    input: "Hi.",
    previous_response_id: id,
    tool_choice: "required",
  });
  t.match(await refusalOf(refused), { status: 400, param: "tool_choice" });
});

t.test("a call of a brought tool that was chosen waits natively for its output", async (t) => {
  for (const [transport, { backend }, ask] of await chains(t)) {
    backend.queueReply(functionCall({ name: "clock", arguments: "{}", callId: "call_clock" }), text("Noon."));
    const choices = { ...allowedClock, parallel_tool_calls: false };
    const called = (await ask(choices)) as OpenAI.Responses.Response;
    t.match(called.output, [{ type: "function_call", name: "clock" }], transport);
    const output = { type: "function_call_output", call_id: "call_clock", output: "12:00" };
    const answer = await ask({ ...choices, input: [output], previous_response_id: called.id });
    t.match(answer, { native_api: { continuation: { mode: "native" } } }, transport);
  }
});

t.test("items of the request and items that it refers to bring tools that its choice may name", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  backend.setDefaultReply(text("Hello."));
  const first = await client.responses.create({ input: [brought, greeting], ...namedClock });
  t.strictSame(lastAsked(harness).offered, ["clock"]);
  const items = await client.responses.inputItems.list(first.id, { order: "asc" });
  const reference: Item = { type: "item_reference", id: items.data[0]?.id ?? "" };
  await client.responses.create({ input: [reference, greeting], ...namedClock });
  t.strictSame(lastAsked(harness).offered, ["clock"]);
});

t.test("tools that a search of the caller's found are offered like those of the request", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client } = harness;
  backend.setDefaultReply(text("Hello."));
  const crm = { type: "namespace", name: "crm", description: "Customers.", tools: [clock] } as const;
  const found = [
    { type: "tool_search_call", call_id: "call_search", arguments: { query: "time" } },
    { type: "tool_search_output", call_id: "call_search", tools: [crm, weatherTool] },
  ] as Item[];
  const first = await client.responses.create({ input: [greeting, ...found], ...namedClock });
  t.match(lastAsked(harness).told, /call the function `clock` before/);
  await client.responses.create({
    input: "Go on.",
    previous_response_id: first.id,
    tool_choice: { type: "function", name: "weather" },
  });
  t.strictSame(lastAsked(harness).offered, ["weather"]);
});
