/** What the whole service answers, on a real app-server, is what the OpenAPI document says. */
import t, { type Test } from "tap";
import { Agent, request } from "undici";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import {
  functionCall,
  reasoning,
  refusal,
  reply,
  responseFailed,
  text,
  webSearchCall,
} from "../support/offline-backend/index.js";
import { assertDocumented } from "../support/openapi-check.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

interface CheckedAnswer {
  readonly status: number;
  readonly text: string;
  readonly json: JsonObject;
}

interface Checked extends ServiceHarness {
  /** Fails where the answer, or a request that was taken, is not as documented. */
  ask(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<CheckedAnswer>;
}

async function startChecked(t: Test): Promise<Checked> {
  const harness = await startServiceHarness(t);
  const dispatcher = new Agent();
  t.teardown(() => dispatcher.destroy());
  const ask: Checked["ask"] = async (method, path, body) => {
    const answer = await request(harness.url + path, {
      method,
      dispatcher,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    const received = await answer.body.text();
    const contentType = String(answer.headers["content-type"]);
    const status = answer.statusCode;
    assertDocumented({ method, path, requestBody: body, status, contentType, text: received });
    const json: unknown = contentType.startsWith("application/json") ? JSON.parse(received) : {};
    return { status, text: received, json: isJsonObject(json) ? json : {} };
  };
  return { ...harness, ask };
}

const fullReply = reply(
  reasoning({ summary: ["Considering."] }),
  webSearchCall({ query: "capital of France" }),
  text("Paris."),
);

t.test("responses, whole and streamed, and what is kept of them", async (t) => {
  const { backend, ask } = await startChecked(t);
  backend.setDefaultReply(fullReply);
  const body = {
    instructions: "Be brief.",
    input: [{ role: "user", content: "What is the capital of France?" }],
    tools: [{ type: "web_search" }, weatherTool],
    metadata: { codexbridge: { taskClass: "question" } },
    temperature: 0.5,
  };
  const { json: first } = await ask("POST", "/v1/responses", body);
  t.equal(first.status, "completed");
  const stream = await ask("POST", "/v1/responses", { ...body, stream: true });
  t.match(stream.text, /"type":"response.completed"/);
  backend.queueReply(reply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" })));
  const { json: called } = await ask("POST", "/v1/responses", { ...body, previous_response_id: first.id });
  t.match(called, { output: [{ type: "function_call" }] });
  backend.queueReply(refusal("No."));
  const { json: refused } = await ask("POST", "/v1/responses", {
    previous_response_id: called.id,
    input: [{ type: "function_call_output", call_id: "call_1", output: "sunny" }],
    tools: body.tools,
    instructions: body.instructions,
  });
  t.match(refused, { output: [{ content: [{ type: "refusal" }] }] });
  const path = `/v1/responses/${String(first.id)}`;
  t.equal((await ask("GET", path)).status, 200);
  t.equal((await ask("GET", `${path}/input_items?limit=1&order=asc`)).status, 200);
  t.equal((await ask("POST", `${path}/cancel`)).status, 400);
  t.equal((await ask("DELETE", path)).status, 200);
  t.equal((await ask("GET", path)).status, 404);
});

t.test("a background response and its stream", async (t) => {
  const { backend, ask } = await startChecked(t);
  backend.setDefaultReply(fullReply);
  const { json: queued } = await ask("POST", "/v1/responses", { input: "hi", background: true });
  t.equal(queued.status, "queued");
  const stream = await ask("GET", `/v1/responses/${String(queued.id)}?stream=true&starting_after=0`);
  t.match(stream.text, /"type":"response.completed"/);
});

t.test("chat completions, whole and streamed", async (t) => {
  const { backend, ask } = await startChecked(t);
  backend.setDefaultReply(fullReply);
  const body = {
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "What is the capital of France?" },
    ],
    web_search_options: {},
    metadata: { a: "b" },
  };
  const { json: whole } = await ask("POST", "/v1/chat/completions", body);
  t.match(whole, { choices: [{ finish_reason: "stop" }] });
  const options = { stream: true, stream_options: { include_usage: true } };
  t.match((await ask("POST", "/v1/chat/completions", { ...body, ...options })).text, /data: \[DONE\]/);
  backend.queueReply(reply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" })));
  const { type, ...declared } = weatherTool;
  const tools = [{ type, function: declared }];
  const { json: called } = await ask("POST", "/v1/chat/completions", { ...body, tools });
  t.match(called, { choices: [{ finish_reason: "tool_calls" }] });
});

t.test("faults, before and after the headers went out", async (t) => {
  const { backend, ask } = await startChecked(t);
  t.equal((await ask("POST", "/v1/responses", { input: 1 })).status, 400);
  t.equal((await ask("POST", "/v1/responses", { input: "hi", model: "none" })).status, 404);
  t.equal((await ask("POST", "/v1/responses/compact", {})).status, 501);
  backend.setDefaultReply(responseFailed({ code: "invalid_prompt", message: "no" }));
  t.equal((await ask("POST", "/v1/responses", { input: "hi" })).status, 400);
  t.equal((await ask("POST", "/v1/responses", { input: "hi", stream: true })).status, 400);
  const broken = responseFailed({ code: "invalid_prompt", message: "no" });
  backend.setDefaultReply(reply(text("half"), broken));
  const stream = await ask("POST", "/v1/responses", { input: "hi", stream: true });
  t.match(stream.text, /"type":"response.failed"/);
  t.equal((await ask("POST", "/v1/chat/completions", { messages: [] })).status, 400);
});

t.test("models, health, metrics, probes and the document itself", async (t) => {
  const { ask } = await startChecked(t);
  const { json: models } = await ask("GET", "/v1/models");
  const [model] = models.data as readonly JsonObject[];
  t.equal((await ask("GET", `/v1/models/${String(model?.id)}`)).status, 200);
  for (const path of ["/v1/health", "/metrics", "/livez", "/readyz", "/openapi.json"]) {
    t.equal((await ask("GET", path)).status, 200, path);
  }
});
