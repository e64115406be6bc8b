import { readFile } from "node:fs/promises";
import t, { type Test } from "tap";
import { createLogger } from "../../src/main/observability/logger.js";
import { missingFeatures } from "../../src/workers/contract/codex-capabilities.js";
import { testCodexVersion } from "../support/codex-version.js";
import { readMetric } from "../support/metrics-text.js";
import {
  functionCall,
  httpError,
  reply,
  responseFailed,
  stall,
  text,
} from "../support/offline-backend/index.js";
import { isRunning } from "../support/processes.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

const token = "correct-horse-battery-staple";
const wrongToken = "incorrect-horse-battery";
/** In all that callers or the model say. */
const secret = "XYZZY-plover-4711";

interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly event: string;
}

function captureLog() {
  const texts: string[] = [];
  const logger = createLogger({
    level: "trace",
    format: "json",
    destination: { write: (line) => texts.push(line) },
  });
  const lines = (): readonly LogLine[] => texts.map((line) => JSON.parse(line));
  return { logger, texts, lines };
}

async function startObserved(t: Test) {
  const log = captureLog();
  const harness = await startServiceHarness(t, {
    logger: log.logger,
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token },
  });
  await harness.untilReady();
  const authorization = `Bearer ${token}`;
  const get = (path: string) => fetch(harness.url + path, { headers: { authorization } });
  const post = (path: string, body: object | string, bearer = token) =>
    fetch(harness.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const requestLine = async (requestId: string): Promise<LogLine> => {
    const find = () =>
      log.lines().find(({ event, request_id: id }) => event === "http.request" && id === requestId);
    await pollUntil(() => find() !== undefined);
    return find() ?? { level: "none", event: "none" };
  };
  const scrape = async () => (await get("/metrics")).text();
  return { ...harness, log, get, post, requestLine, scrape };
}

type Observed = Awaited<ReturnType<typeof startObserved>>;

const prompt = { instructions: `Guard ${secret}.`, input: `Say nothing of ${secret}.` };

/** Requests of every kind of end, each with the secret in it. */
async function sendSecrets({ backend, client, post, url }: Observed): Promise<void> {
  backend.setDefaultReply(text(`I was told ${secret}.`));
  const drain = async (answer: Promise<Response>) => void (await (await answer).text());
  await drain(post("/v1/responses", { ...prompt, metadata: { note: secret } }));
  await drain(post("/v1/responses", { ...prompt, stream: true }));
  const model = (await client.models.list()).data[0]?.id;
  await drain(post("/v1/chat/completions", { model, messages: [{ role: "user", content: secret }] }));
  backend.queueReply(functionCall({ name: "tell", arguments: JSON.stringify({ what: secret }) }));
  const tool = { type: "function", name: "tell", description: secret, parameters: { type: "object" } };
  await drain(post("/v1/responses", { ...prompt, tools: [tool] }));
  // Refused by us.
  await drain(post("/v1/responses", `{"input": "${secret}"`));
  await drain(post("/v1/responses", { input: [{ type: secret }] }));
  await drain(post("/v1/responses", { ...prompt, model: `model-${secret}` }));
  await drain(post("/v1/responses", { ...prompt, [secret]: 1 }));
  await drain(post("/v1/responses", prompt, wrongToken));
  await drain(fetch(`${url}/v1/responses/resp_x?starting_after=${secret}`, { headers: { cookie: token } }));
  // Refused by the model's backend, in words that hold what was sent.
  backend.queueReply(httpError(400, { message: `Bad input: ${secret} (Bearer ${token})` }));
  await drain(post("/v1/responses", prompt));
  backend.queueReply(responseFailed({ code: "server_error", message: `It broke at ${secret}` }));
  await drain(post("/v1/responses", { ...prompt, stream: true }));
  // Left by the caller.
  backend.queueReply(reply(text({ deltas: ["half", secret] }), stall({ afterDeltas: 1 })));
  const abort = new AbortController();
  const stream = await client.responses.create({ ...prompt, stream: true }, { signal: abort.signal });
  for await (const event of stream) if (event.type === "response.output_text.delta") break;
  abort.abort();
}

t.test("neither prompt, answer nor token is in the log at info and above, the token nowhere", async (t) => {
  const observed = await startObserved(t);
  const { log, service } = observed;
  await sendSecrets(observed);
  // What it leaves on stderr is logged when it dies.
  const pid = service.health()?.appServer?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await pollUntil(() => log.lines().some(({ event }) => event === "app_server.down"));
  await observed.untilReady();
  await service.stop();
  const told = log.lines().filter(({ event }) => event === "http.request");
  t.ok(told.length >= 12, "the requests were logged");
  const quiet = new Set(["trace", "debug"]);
  for (const [index, line] of log.lines().entries()) {
    const written = log.texts[index] ?? "";
    t.notOk(written.includes(token) || written.includes(wrongToken), `${line.event}: no token`);
    if (!quiet.has(line.level)) t.notOk(written.includes(secret), `${line.event}: no prompt`);
  }
});

t.test("a request is one line, with its ids, its worker, its timings and its outcome", async (t) => {
  const { log, client, requestLine } = await startObserved(t);
  const { data: response, request_id: requestId } = await client.responses
    .create({ input: "hello", metadata: { codexbridge: { taskClass: "intent" } } as never })
    .withResponse();
  const line = await requestLine(requestId ?? "");
  const { model } = response;
  t.match(line, {
    level: "info",
    event: "http.request",
    request_id: requestId,
    method: "POST",
    route: "/v1/responses",
    status: 200,
    response_id: response.id,
    task_class: "intent",
    model,
    worker_id: /^worker-\d+$/,
    app_server_generation: 1,
    first_event_ms: Number,
    total_ms: Number,
    outcome: "completed",
  });
  t.match(response, {
    native_api: { response_mapping: { native_thread_id: line.thread_id, native_turn_id: line.turn_id } },
  });
  const same = log.lines().filter(({ request_id: id, level }) => id === requestId && level !== "debug");
  t.equal(same.length, 1);
});

t.test("a request that failed says so in its line", async (t) => {
  const { backend, post, requestLine } = await startObserved(t);
  backend.setDefaultReply(httpError(400, { message: "no" }));
  const answer = await post("/v1/responses", { input: "hello" });
  t.equal(answer.status, 400);
  t.match(await requestLine(answer.headers.get("x-request-id") ?? ""), {
    status: 400,
    outcome: "failed",
    error_code: "upstream_bad_request",
  });
});

/** `T` while it is stopped. */
async function readProcessState(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
}

t.test("health and metrics answer while Codex is stopped", async (t) => {
  const { service, get } = await startObserved(t);
  const pid = service.health()?.appServer?.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  t.teardown(async () => {
    if (await isRunning(pid)) process.kill(pid, "SIGCONT");
  });
  await pollUntil(async () => (await readProcessState(pid)) === "T");
  const paths = Array.from({ length: 200 }, (_, index) => (index % 10 === 0 ? "/metrics" : "/v1/health"));
  const answers = await Promise.all(
    paths.map(async (path) => {
      const answer = await get(path);
      await answer.text();
      return `${path} ${answer.status}`;
    }),
  );
  t.equal(answers.length, 200);
  // A machine that takes seconds for them sees the hang noticed meanwhile, which is an answer too.
  const meant = ["/metrics 200", "/v1/health 200", "/v1/health 503"];
  t.same(
    answers.filter((answer) => !meant.includes(answer)),
    [],
  );
});

/** Names and kinds of a body's fields, one level after another. */
function shapeOf(value: unknown): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, shapeOf(content)]));
}

const nativeApiShape = {
  route_path: "string",
  request_target: {
    provider_profile_id: "string",
    provider_kind: "string",
    account_id: "string",
    worker_id: "null",
    app_server_generation: "null",
    task_class: "null",
  },
  response_mapping: {
    response_id: "null",
    chat_completion_id: "null",
    previous_response_id: "null",
    native_thread_id: "null",
    native_turn_id: "null",
  },
  continuation: {
    resumed: "boolean",
    mode: "null",
    previous_response_id: "null",
    source_native_thread_id: "null",
    source_native_turn_id: "null",
    source_response_id: "null",
    source_route_kind: "null",
  },
  queue: { waited_ms: "null", refusals: "null" },
  managed_texts: [],
  prompt_form: "null",
  file_access: "null",
  requested_model: "null",
  ignored_parameters: [],
};

const windowShape = { used_percent: "number", window_minutes: "number", resets_at: "number" };

t.test("health has every field that it should, with something in it", async (t) => {
  const { get, service, client } = await startObserved(t);
  await client.responses.create({ input: "hello" });
  await pollUntil(() => {
    const health = service.health();
    return health?.rateLimits != null && health.appServer?.loadedThreads != null && hasReported(service);
  });
  const missing = missingFeatures(testCodexVersion);
  const body: unknown = await (await get("/v1/health")).json();
  t.match(body, {
    object: "health.check",
    status: missing.length === 0 ? "ok" : "degraded",
    localhost_only: true,
    native_api: { route_path: "/v1/health" },
    continuation_registry: { persistence: "in_process", entries: 1 },
    native_runtime: { ready: true, queue: { depth: 0, running: 0 } },
  });
  const shape = shapeOf(body);
  const planShape = service.health()?.rateLimits?.plan == null ? "null" : "string";
  t.strictSame(shape, {
    object: "string",
    status: "string",
    version: "string",
    localhost_only: "boolean",
    native_api: nativeApiShape,
    route_capabilities: {
      models: "boolean",
      responses: "boolean",
      responses_streaming: "boolean",
      responses_websocket: "boolean",
      responses_function_tools: "boolean",
      responses_custom_tools: "boolean",
      responses_web_search: "boolean",
      responses_continuation: "boolean",
      responses_retrieve: "boolean",
      responses_background: "boolean",
      responses_compact: "boolean",
      chat_completions: "boolean",
      chat_completions_custom_tools: "boolean",
      decisions: "boolean",
    },
    continuation_registry: {
      kind: "string",
      persistence: "string",
      survives_process_restart: "boolean",
      ttl_ms: "number",
      entries: "number",
      bytes: "number",
    },
    web_sockets: { open: "number" },
    native_runtime: {
      ready: "boolean",
      runtime_reachable: "boolean",
      checked_at: "number",
      reason: "null",
      degraded: missing.slice(0, 1).map(() => "string"),
      provider_profile_id: "string",
      provider_kind: "string",
      profile: "string",
      account: { id: "string", email: "string", plan: "string", auth_mode: "string" },
      // The plan is in what Codex answers and not in what it tells by itself.
      rate_limits: { primary: windowShape, secondary: windowShape, plan: planShape, reached: "null" },
      codex_version: "string",
      model_count: "number",
      app_server: {
        generation: "number",
        transport: "string",
        pid: "number",
        rss_bytes: "number",
        idle_cpu_percent: "null",
        last_rotation: "null",
        restarts: "number",
        uptime_ms: "number",
        loaded_threads: "number",
        login_takeovers: "number",
      },
      workers: [
        {
          id: "string",
          generation: "number",
          state: "string",
          turns: "number",
          completed_turns: "number",
          reconnects: "number",
          last_report_age_ms: "number",
          event_loop_delay_ms: "number",
        },
      ],
      queue: { depth: "number", running: "number" },
      spare_threads: { ready: "number", taken: "number", missed: "number", discarded: "number" },
      upstream_limits: {
        limits: [{ model: "null", limit: "number", running: "number", refused_at: "null" }],
        refusals: "number",
        connections: { held: "number", bound: "number", refused: "number" },
      },
      prompt_forms: { models: [], changes: "number" },
      model_names: { catalog_checked: "boolean", aliases: [] },
      managed_texts: [],
    },
  });
});

function hasReported(service: Observed["service"]): boolean {
  return service.health()?.workers[0]?.eventLoopDelayMs != null;
}

t.test("native_api is in every answer", async (t) => {
  const { get, post, url } = await startObserved(t);
  const made = await (await post("/v1/responses", { input: "hello", background: true })).json();
  const id = typeof made === "object" && made !== null && "id" in made ? String(made.id) : "";
  t.match(made, { native_api: { route_path: "/v1/responses", response_mapping: { response_id: id } } });
  const expected = { native_api: { request_target: { provider_profile_id: String } } };
  await pollUntil(async () => (await (await get(`/v1/responses/${id}`)).text()).includes('"completed"'));
  for (const path of ["/v1/health", "/v1/models", `/v1/responses/${id}`, `/v1/responses/${id}/input_items`]) {
    t.match(await (await get(path)).json(), expected, path);
  }
  t.match(await (await post(`/v1/responses/${id}/cancel`, {})).json(), expected, "cancel");
  const streamed = await (await post("/v1/responses", { input: "hello", stream: true })).text();
  t.match(streamed, /response\.completed.*"native_api":/s);
  const authorization = `Bearer ${token}`;
  const gone = await fetch(`${url}/v1/responses/${id}`, { method: "DELETE", headers: { authorization } });
  t.match(await gone.json(), { deleted: true, ...expected });
});

t.test("metrics tell of real turns, and a new start begins at nothing", async (t) => {
  const { client, service, backend, scrape, post } = await startObserved(t);
  const prefix = "codex_native_api_";
  const { model } = await client.responses.create({ input: "hello" });
  backend.queueReply(httpError(400, { message: "no" }));
  t.equal((await post("/v1/responses", { input: "hello" })).status, 400);
  const page = await scrape();
  t.equal(readMetric(page, `${prefix}turns_total`, { outcome: "completed", code: "", model }), 1);
  t.equal(readMetric(page, `${prefix}turns_total`, { outcome: "failed", code: "upstream_bad_request" }), 1);
  t.equal(readMetric(page, `${prefix}turn_first_event_seconds_count`), 1);
  t.equal(readMetric(page, `${prefix}queue_wait_seconds_count`), 2);
  t.ok((readMetric(page, `${prefix}tokens_total`, { type: "input" }) ?? 0) > 0);
  t.ok((readMetric(page, `${prefix}app_server_resident_memory_bytes`) ?? 0) > 0);
  t.equal(readMetric(page, `${prefix}app_server_up`), 1);
  t.equal(readMetric(page, `${prefix}ready`), 1);
  t.equal(readMetric(page, `${prefix}continuation_entries`), 1);
  t.equal(readMetric(page, `${prefix}http_requests_total`, { route: "/v1/responses", status: "200" }), 1);
  await service.stop();
  const { url } = await service.start();
  const again = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  t.equal(readMetric(await again.text(), `${prefix}turns_total`), null);
});

t.test("a request that is refused for its model takes no turn's place", async (t) => {
  const { post, scrape } = await startObserved(t);
  t.equal((await post("/v1/responses", { model: "no-such-model", input: "hello" })).status, 404);
  t.equal(readMetric(await scrape(), "codex_native_api_turns_running"), 0);
});
