/** The request log of turns on a real app-server: every way that a turn begins and ends. */
import t, { type Test } from "tap";
import { createLogger } from "../../src/main/observability/logger.js";
import { predicate } from "../support/decisions.js";
import { readMetric } from "../support/metrics-text.js";
import { decide } from "../support/offline-backend/decisions.js";
import {
  delayed,
  functionCall,
  httpError,
  reply,
  responseFailed,
  stall,
  text,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarnessOptions, startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";
import { SocketCaller } from "../support/web-socket-caller.js";

interface Shown extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly timings: Readonly<Record<string, number | null>>;
  readonly usage: { readonly input_tokens: number } | null;
}

async function startLogged(t: Test, options: ServiceHarnessOptions = {}) {
  const harness = await startServiceHarness(t, options);
  await harness.untilReady();
  const { url } = harness;
  const get = async (path: string) => (await fetch(url + path)).json() as Promise<unknown>;
  const list = async () => ((await get("/v1/requests")) as { readonly data: readonly Shown[] }).data;
  const post = (path: string, id: string, body: object, init: RequestInit = {}) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": id },
      body: JSON.stringify(body),
      ...init,
    });
  const ended = async (id: string): Promise<Shown> => {
    const read = async () => (await get(`/v1/requests/${id}`)) as Shown;
    await pollUntil(async () => (await read()).state === "ended");
    return read();
  };
  /** Asks, and reads the entry. */
  const ask = async (path: string, id: string, body: object) => {
    const answer = await post(path, id, body);
    const made: unknown = await answer.json();
    return {
      made: made as { readonly id: string; readonly output?: readonly object[] },
      entry: await ended(id),
    };
  };
  return { ...harness, get, list, post, ended, ask };
}

/** Of a turn that came to its end: all of its times are there, and in order. */
function checkTimes(t: Test, { timings }: Shown): void {
  const times = Object.values(timings);
  t.notOk(times.includes(null), JSON.stringify(timings));
  t.strictSame(
    times.toSorted((one, other) => (one ?? 0) - (other ?? 0)),
    times,
  );
}

const usage = {
  input_tokens: Number,
  cached_input_tokens: Number,
  output_tokens: Number,
  total_tokens: Number,
};

t.test("the log says which kind of native thread a turn ran on", async (t) => {
  const { service, backend, ask } = await startLogged(t);
  const input = { input: "hello", instructions: "Be brief." };
  const { made, entry } = await ask("/v1/responses", "first", input);
  t.match(entry, {
    outcome: "completed",
    thread: { thread_id: String, turn_id: String },
    attempts: 1,
    usage,
  });
  checkTimes(t, entry);
  // What was asked for twice is expected again.
  await ask("/v1/responses", "second", input);
  await pollUntil(() => (service.health()?.spareThreads.ready ?? 0) > 0);
  const spare = (await ask("/v1/responses", "spare", input)).entry;
  t.match(spare, { thread: { kind: "spare" }, outcome: "completed" });
  checkTimes(t, spare);
  const loaded = await ask("/v1/responses", "loaded", { ...input, previous_response_id: made.id });
  t.match(loaded.entry, { thread: { kind: "loaded" }, previous_response_id: made.id, outcome: "completed" });
  backend.queueReply(functionCall({ name: "weather", arguments: '{"city":"Ulm"}', callId: "call_1" }));
  const tools = [weatherTool];
  const calls = await ask("/v1/responses", "calls", { input: "weather?", tools });
  t.match(calls.entry, { outcome: "calls", thread: { kind: /new|spare/ } });
  const output = [{ type: "function_call_output", call_id: "call_1", output: "rain" }];
  const parked = await ask("/v1/responses", "parked", {
    input: output,
    tools,
    previous_response_id: calls.made.id,
  });
  t.match(parked.entry, { thread: { kind: "parked" }, outcome: "completed", attempts: 1 });
  checkTimes(t, parked.entry);
});

t.test("a turn on a fresh thread says so", async (t) => {
  const { ask } = await startLogged(t, { env: { CODEX_NATIVE_API_SPARE_THREADS: "0" } });
  const { entry } = await ask("/v1/responses", "new", { input: "hello" });
  t.match(entry, { thread: { kind: "new" }, outcome: "completed" });
  checkTimes(t, entry);
});

t.test("a turn that is run again says why, and one that fails says so", async (t) => {
  const { service, backend, post, ended, ask } = await startLogged(t);
  backend.queueReply(stall({ afterDeltas: 0 }));
  const answer = post("/v1/responses", "again", { input: "hello" });
  await pollUntil(() => backend.requests.some(({ isWarmup }) => !isWarmup));
  process.kill(service.health()?.appServer?.pid ?? 0, "SIGKILL");
  t.equal((await answer).status, 200);
  const again = await ended("again");
  t.match(again, {
    outcome: "completed",
    error: null,
    attempts: 2,
    retries: [{ code: "native_runtime_unavailable", at_ms: Number }],
    thread: { app_server_generation: Number },
  });
  t.notMatch(again, { thread: { app_server_generation: 1 } }, "that one is dead");
  checkTimes(t, again);
  backend.queueReply(httpError(400, { message: "no" }));
  const { entry } = await ask("/v1/responses", "bad", { input: "hello" });
  t.match(entry, {
    status: 400,
    outcome: "failed",
    error: { code: "upstream_bad_request", retryable: false, message: null },
    timings: { first_output_ms: null, ended_ms: Number },
  });
});

t.test("a turn that was cancelled, and one whose caller left, are told apart", async (t) => {
  const { backend, post, ended, client, list } = await startLogged(t);
  backend.setDefaultReply(reply(text({ deltas: ["half", "way"] }), stall({ afterDeltas: 1 })));
  const abort = new AbortController();
  const left = await post("/v1/responses", "left", { input: "hi", stream: true }, { signal: abort.signal });
  const reader = left.body?.getReader();
  await reader?.read();
  t.match((await list())[0], { id: "left", state: "running" });
  abort.abort();
  t.match(await ended("left"), { outcome: "client_left", status: null, error: null, stream: true });
  const background = await post("/v1/responses", "background", { input: "hi", background: true });
  const { id } = (await background.json()) as { readonly id: string };
  await pollUntil(async () => (await list())[0]?.timings.first_output_ms !== null);
  await client.responses.cancel(id);
  t.match(await ended("background"), {
    outcome: "cancelled",
    status: 200,
    background: true,
    response_id: id,
    thread: { turn_id: String },
  });
});

t.test("a background response is in the log until its turn has ended", async (t) => {
  const texts: string[] = [];
  const destination = { write: (line: string) => texts.push(line) };
  const logger = createLogger({ level: "info", format: "json", destination });
  const { backend, post, list, ended } = await startLogged(t, { logger });
  backend.queueReply(delayed(300, text("later")));
  await (await post("/v1/responses", "later", { input: "hi", background: true })).text();
  t.match(await list(), [{ id: "later", state: /waiting|running/, outcome: null, background: true }]);
  const entry = await ended("later");
  t.match(entry, { outcome: "completed", usage });
  checkTimes(t, entry);
  const line = texts.find((written) => written.includes("http.background_response")) ?? "{}";
  t.match(JSON.parse(line), {
    request_id: "later",
    outcome: "completed",
    input_tokens: Number,
    thread_id: String,
  });
});

t.test("every dialect and a WebSocket are in the log, and what they used is summed", async (t) => {
  const { backend, ask, url, list, get } = await startLogged(t);
  const messages = [{ role: "user", content: "hi" }];
  const metadata = { codexbridge: { taskClass: "intent" } };
  const chat = await ask("/v1/chat/completions", "chat", { messages, n: 2, metadata });
  t.match(chat.entry, { dialect: "chat_completions", choices: 2, attempts: 2, task_class: "intent" });
  backend.setDefaultReply(decide);
  const decision = await ask("/v1/decisions", "decision", {
    model: "gpt-6-luna",
    input: "hi",
    questions: [predicate],
  });
  t.match(decision.entry, { dialect: "decisions", requested_model: "gpt-6-luna", outcome: "completed" });
  backend.setDefaultReply(text("hello"));
  const socket = await SocketCaller.open(t, url);
  await socket.ask({ input: "hi" });
  await pollUntil(async () => (await list()).length === 3 && (await list())[0]?.state === "ended");
  const [message] = await list();
  t.match(message, { transport: "websocket", method: "WS", dialect: "responses", status: 200, usage });
  const { data } = (await get("/v1/usage")) as {
    readonly data: readonly Readonly<Record<string, unknown>>[];
  };
  t.equal(data.length, 3);
  const used = (entry: Shown | undefined) => entry?.usage?.input_tokens ?? 0;
  for (const entry of [chat.entry, decision.entry, message]) {
    const row = data.find(({ route }) => route === entry?.route);
    t.match(row, { requests: 1, failed: 0, model: entry?.model, input_tokens: used(entry) });
  }
  const page = await (await fetch(`${url}/metrics`)).text();
  const prefix = "codex_native_api_";
  const all = readMetric(page, `${prefix}tokens_total`, { type: "input" });
  t.equal(all, used(chat.entry) + used(decision.entry) + used(message));
  const model = String(message?.model);
  t.equal(
    readMetric(page, `${prefix}model_tokens_total`, { type: "input", model }),
    used(chat.entry) + used(message),
    "decisions are another model's",
  );
});

/** In all that callers, the model and the backend say. */
const marker = "XYZZY-plover-4711";

async function saySecrets({ backend, post, ended, url }: Awaited<ReturnType<typeof startLogged>>) {
  const tool = {
    type: "function",
    name: `tell_${marker}`,
    description: marker,
    parameters: { type: "object" },
  };
  const prompt = {
    instructions: marker,
    input: [{ role: "user", content: marker }],
    metadata: { note: marker, codexbridge: { eventMetadata: { room: marker } } },
    user: marker,
    safety_identifier: marker,
    prompt_cache_key: marker,
    tools: [tool],
  };
  const say = async (id: string, body: object | string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": id, cookie: marker, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    await answer.text();
    await ended(id);
  };
  backend.setDefaultReply(text(`I was told ${marker}.`));
  await say("whole", prompt);
  await say("stream", { ...prompt, stream: true });
  backend.queueReply(functionCall({ name: `tell_${marker}`, arguments: JSON.stringify({ what: marker }) }));
  await say("calls", prompt);
  backend.queueReply(httpError(400, { message: `Bad input: ${marker}` }));
  await say("refused", prompt);
  backend.queueReply(responseFailed({ code: "server_error", message: `It broke at ${marker}` }));
  await say("failed", { ...prompt, stream: true });
  await say("no-json", `{"input": "${marker}"`);
  await say("unknown", {
    ...prompt,
    [marker]: 1,
    text: { format: { type: "json_schema", name: "x", schema: { [marker]: 1 } } },
  });
  await say("bad-part", { input: [{ role: "user", content: [{ type: marker }] }] });
  await say("bad-metadata", {
    input: "hi",
    metadata: { [marker]: { deep: { [marker]: 1 } }, codexbridge: 5 },
  });
  await say("previous", { input: "hi", previous_response_id: `not ${marker}` });
  await say("header", prompt, { "x-request-timeout-ms": marker });
  await (await post("/v1/responses", "ok", { input: "hi" })).text();
  await (await fetch(`${url}/v1/responses/${marker}%20x`, { headers: { "x-request-id": "path" } })).text();
  await ended("path");
}

t.test(
  "no entry has a word of a prompt, an answer, a header, a tool's name or an upstream error",
  async (t) => {
    const logged = await startLogged(t);
    await saySecrets(logged);
    const answer = await (await fetch(`${logged.url}/v1/requests?limit=1000`)).text();
    t.ok((JSON.parse(answer) as { readonly data: readonly unknown[] }).data.length >= 12);
    t.notMatch(answer, /plover/);
    const usageShown = await (await fetch(`${logged.url}/v1/usage?format=csv`)).text();
    t.notMatch(usageShown, /plover/);
  },
);

t.test("where the configuration asks for it, entries have what was said, cut to a length", async (t) => {
  const logged = await startLogged(t, { env: { CODEX_NATIVE_API_REQUESTS_CONTENT: "1" } });
  await saySecrets(logged);
  const content = { input: /plover/, output: /I was told .*plover/, metadata: /plover/ };
  t.match(await logged.ended("whole"), { content });
  t.match(await logged.ended("refused"), { error: { message: /Bad input: .*plover/ } });
  const long = { input: `${"é😀".repeat(100_000)}end`, metadata: { note: "short" } };
  const { entry } = await logged.ask("/v1/responses", "long", long);
  const { input } = entry.content as { readonly input: string };
  t.ok(input.length < 5_000 && input.includes("[cut]") && input.isWellFormed());
  t.match(input, /end"/, "its end is there");
});
