/** The cases of the Open Responses specification's own acceptance tests, by a caller that knows only the specification. */
import t, { type Test } from "tap";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { functionCall, reply, text } from "../support/offline-backend/index.js";
import { openResponse, openResponseEvent } from "../support/open-responses.js";
import { startServiceHarness } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";

const message = (role: string, content: unknown) => ({ type: "message", role, content });

const redPixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** Not strict, and without what OpenAI's clients add. */
const weather = {
  type: "function",
  name: "get_weather",
  description: "The weather at a place",
  parameters: { type: "object", properties: { location: { type: "string" } }, required: ["location"] },
};

const cases: Readonly<Record<string, JsonObject>> = {
  "a message": { input: [message("user", "Say hello.")] },
  "a system prompt": { input: [message("system", "You are a pirate."), message("user", "Say hello.")] },
  "an image": {
    input: [
      message("user", [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: redPixel },
      ]),
    ],
  },
  "several turns": {
    input: [
      message("user", "I am Alice."),
      message("assistant", "Hello Alice!"),
      message("user", "Who am I?"),
    ],
  },
  "settings of all kinds": {
    input: "Say hello.",
    instructions: "Be brief.",
    temperature: 0.2,
    top_p: 0.5,
    presence_penalty: 0.5,
    frequency_penalty: 0.5,
    top_logprobs: 2,
    max_output_tokens: 512,
    max_tool_calls: 3,
    truncation: "auto",
    service_tier: "priority",
    prompt_cache_key: "k",
    safety_identifier: "s",
    metadata: { a: "b" },
    reasoning: { effort: "low", summary: "auto" },
    text: { format: { type: "json_schema", name: "n", schema: { type: "object", properties: {} } } },
    tools: [weather],
    tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "get_weather" }] },
  },
};

async function post(url: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function ask(t: Test, url: string, body: object) {
  const answer = await post(url, body);
  t.equal(answer.status, 200);
  return openResponse.parse(await answer.json());
}

/** The last event's response, after all events were checked. */
async function askForStream(t: Test, url: string, body: object) {
  const answer = await post(url, { ...body, stream: true });
  t.match(answer.headers.get("content-type"), /^text\/event-stream/);
  const { events, done } = parseSse(await answer.text());
  t.ok(done, "the terminal event is [DONE]");
  const checked = events.map(({ event, data }) => {
    t.equal(event, data.type, "an event is named by its type");
    return openResponseEvent.parse(data);
  });
  return { checked, response: openResponse.parse(checked.at(-1)?.response) };
}

t.test("every answer, streamed or not, is as the specification has it", async (t) => {
  const { url, backend } = await startServiceHarness(t);
  backend.setDefaultReply(text("{}"));
  for (const [name, body] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const whole = await ask(t, url, body);
      const { response } = await askForStream(t, url, body);
      for (const { status, output } of [whole, response]) {
        t.equal(status, "completed");
        t.ok(output.length > 0);
      }
    });
  }
});

t.test("a function is called, in a stream too, and its output goes back", async (t) => {
  const { url, backend } = await startServiceHarness(t);
  const called = reply(functionCall({ name: "get_weather", arguments: { location: "San Francisco" } }));
  backend.queueReply(called, called, text("18 degrees."));
  const body = { input: [message("user", "Weather in San Francisco?")], tools: [weather] };
  const { checked } = await askForStream(t, url, body);
  for (const type of [
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
  ]) {
    t.ok(
      checked.some((event) => event.type === type),
      type,
    );
  }
  const first = await ask(t, url, { ...body, tool_choice: { type: "function", name: "get_weather" } });
  const call = first.output.find(({ type }) => type === "function_call");
  const output = { type: "function_call_output", call_id: call?.call_id, output: '{"degrees":18}' };
  const second = await ask(t, url, { previous_response_id: first.id, input: [output], tools: [weather] });
  t.equal(second.previous_response_id, first.id);
  t.match(second.output, [{ type: "message" }]);
});

t.test("a response is continued by its id", async (t) => {
  const { url } = await startServiceHarness(t);
  const first = await ask(t, url, { input: "The word is papaya." });
  const second = await ask(t, url, { input: "Which word?", previous_response_id: first.id });
  t.match(second, { status: "completed", previous_response_id: first.id });
});

t.test("what is refused has an error of the specification's shape", async (t) => {
  const { url } = await startServiceHarness(t);
  const answer = await post(url, { input: "hi", previous_response_id: "resp_none" });
  t.equal(answer.status, 404);
  t.match(await answer.json(), {
    error: { type: String, code: String, message: String, param: "previous_response_id" },
  });
});

t.test("a strict decoder turns [DONE] off", async (t) => {
  const env = { CODEX_NATIVE_API_STREAM_DONE: "0" };
  const { url } = await startServiceHarness(t, { env });
  const text = await (await post(url, { input: "hi", stream: true })).text();
  t.equal(parseSse(text).done, false);
  const data = text.split("\n").filter((line) => line.startsWith("data: "));
  t.ok(data.every((line) => isJsonObject(JSON.parse(line.slice("data: ".length)))));
});
