/** Where the model finds this service's own messages among the caller's: what a real app-server sends the backend. */
import type OpenAI from "openai";
import t from "tap";
import { functionCall, reply, text, webSearchCall } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";
import { weatherTool } from "../support/weather-tool.js";

const ask = (content: string): OpenAI.ChatCompletionMessageParam => ({ role: "user", content });
const tools: OpenAI.ChatCompletionTool[] = [
  { type: "function", function: { name: "weather", parameters: weatherTool.parameters ?? {} } },
];
const call = functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: "call_1" });
const called: OpenAI.ChatCompletionMessageParam[] = [
  {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
    ],
  },
  { role: "tool", tool_call_id: "call_1", content: "sun" },
];

/** What the model saw, a word for each item. */
function seen(request: Parameters<typeof seenInput>[0]): readonly string[] {
  return seenInput(request).map((item) => {
    const words = JSON.stringify(item);
    if (/at most one function at a time/.test(words)) return "single";
    if (/must be a tool call/.test(words)) return "required";
    if (/JSON/.test(words) && item.role === "developer") return "json";
    return String(item.type === "message" ? item.role : item.type);
  });
}

t.test("they stand before the caller's last message", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(text("{}"), text("{}"));
  const response_format = { type: "json_object" } as const;
  const asked = {
    model,
    tools,
    response_format,
    parallel_tool_calls: false,
    tool_choice: "required",
  } as const;
  await client.chat.completions.create({ ...asked, messages: [ask("JSON?")] });
  t.strictSame(seen(backend.requests[0]), ["required", "single", "json", "user"]);
  const messages = [ask("JSON?"), { role: "assistant", content: "{}" } as const, ask("More.")];
  await client.chat.completions.create({ ...asked, messages });
  t.strictSame(seen(backend.requests[1]), ["user", "assistant", "required", "single", "json", "user"]);
});

t.test("and before the calls whose outputs came last, in both dialects", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(text("Sunny."), text("Sunny."));
  const asked = { model, tools, parallel_tool_calls: false };
  await client.chat.completions.create({ ...asked, messages: [ask("Weather?"), ...called] });
  const expected = ["user", "single", "function_call", "function_call_output"];
  t.strictSame(seen(backend.requests[0]), expected);
  await client.responses.create({
    model,
    parallel_tool_calls: false,
    tools: [weatherTool],
    input: [
      { role: "user", content: "Weather?" },
      { type: "function_call", call_id: "call_1", name: "weather", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "sun" },
    ],
  });
  t.strictSame(seen(backend.requests[1]), expected);
});

t.test("a parked turn that is continued is told nothing anew, and keeps its prompt", async (t) => {
  const { backend, client, model } = await open(t);
  backend.queueReply(call, text("Sunny."));
  const asked = { model, tools, parallel_tool_calls: false };
  await client.chat.completions.create({ ...asked, messages: [ask("Weather?")] });
  const next = await client.chat.completions.create({ ...asked, messages: [ask("Weather?"), ...called] });
  t.match(next, { native_api: { continuation: { mode: "native" } } });
  const [first, second] = backend.requests.map(seen);
  t.strictSame(first, ["single", "user"]);
  t.strictSame(second, ["single", "user", "function_call", "function_call_output"]);
});

async function open(t: Parameters<typeof startServiceHarness>[0]) {
  const harness = await startServiceHarness(t);
  return { ...harness, model: (await harness.client.models.list()).data[0]?.id ?? "" };
}

t.test(
  "max_tool_calls is told where the model may search, and listed where it searched more often",
  async (t) => {
    const { backend, client, model } = await open(t);
    const search = webSearchCall({ query: "weather" });
    backend.queueReply(reply(search, text("Sunny.")), reply(search, search, text("Sunny.")));
    const asked = { model, input: "Weather?", max_tool_calls: 1, tools: [{ type: "web_search" as const }] };
    const [once, twice] = [await client.responses.create(asked), await client.responses.create(asked)];
    t.match(seenInput(backend.requests[0]), [{ role: "developer", content: [{ text: /at most once/ }] }]);
    t.match(once, { max_tool_calls: 1, native_api: { ignored_parameters: [] } });
    t.match(twice, { native_api: { ignored_parameters: ["max_tool_calls"] } });
  },
);
