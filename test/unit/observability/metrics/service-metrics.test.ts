import { readFileSync } from "node:fs";
import t from "tap";
import type { RequestObservation } from "../../../../src/main/http/metrics-sink.js";
import { maxModelLabels } from "../../../../src/main/observability/metrics/naming.js";
import {
  ServiceMetrics,
  type ServiceMetricsSources,
} from "../../../../src/main/observability/metrics/service-metrics.js";
import type { NativeRuntimeHealth, TurnObservation } from "../../../../src/main/runtime/types.js";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import { fakeModels, fakeUsage, readyHealth } from "../../../support/fake-runtime.js";
import { parseMetrics, readMetric } from "../../../support/metrics-text.js";

const prefix = "codex_native_api_";
/** While the window that `readyHealth` tells of has not ended. */
const beforeResetMs = ((readyHealth.rateLimits?.primary?.resetsAt ?? 0) - 60) * 1_000;

function createMetrics(sources: Partial<ServiceMetricsSources> = {}) {
  const metrics = new ServiceMetrics({
    version: "1.2.3",
    health: () => readyHealth,
    continuation: () => ({ entries: 2, bytes: 300 }),
    readCatalog: async () => fakeModels,
    wallClock: () => beforeResetMs,
    ...sources,
  });
  const text = async () => (await metrics.render({ webSockets: 3, eventReaders: 2 })).text;
  const read = async (name: string, labels: Readonly<Record<string, string>> = {}) =>
    readMetric(await text(), prefix + name, labels);
  return { metrics, text, read };
}

const request: RequestObservation = {
  route: "/v1/models",
  method: "GET",
  status: 200,
  errorCode: null,
  caller: null,
  durationMs: 40,
};

const turn: TurnObservation = {
  outcome: "completed",
  code: null,
  model: "gpt-fake",
  owner: null,
  waitedMs: 20,
  firstEventMs: 300,
  durationMs: 1500,
  usage: fakeUsage,
  mayHaveAskedAgain: false,
};

t.test("model requests that were dropped are counted", async (t) => {
  const { metrics, read } = createMetrics();
  metrics.onTurnEnded(turn);
  t.equal(await read("model_requests_dropped_total"), 0);
  metrics.onTurnEnded({ ...turn, outcome: "handed_over", mayHaveAskedAgain: true });
  t.equal(await read("model_requests_dropped_total"), 1);
});

t.test("a request is counted by route, method, status and code, and timed", async (t) => {
  const { metrics, read } = createMetrics();
  metrics.observeRequest(request);
  metrics.observeRequest({ ...request, status: 503, errorCode: "native_login_required" });
  t.equal(
    await read("http_requests_total", { route: "/v1/models", method: "GET", status: "200", code: "" }),
    1,
  );
  t.equal(await read("http_requests_total", { status: "503", code: "native_login_required" }), 1);
  t.equal(await read("http_request_duration_seconds_count", { route: "/v1/models" }), 2);
  t.equal(await read("http_request_duration_seconds_sum", { route: "/v1/models" }), 0.08);
});

t.test("a client that left is 499, whatever else was wrong", async (t) => {
  const { metrics, read } = createMetrics();
  metrics.observeRequest({ ...request, status: null, errorCode: "turn_cancelled" });
  t.equal(await read("http_requests_total", { status: "499", code: "client_left" }), 1);
});

t.test("paths and methods of a stranger's choice make no series", async (t) => {
  const { metrics, text } = createMetrics();
  for (const method of ["PROPFIND", "MKCOL", "PURGE"]) {
    metrics.observeRequest({ ...request, route: null, method, status: 404, errorCode: "route_not_found" });
  }
  const series = parseMetrics(await text()).filter(({ name }) => name === `${prefix}http_requests_total`);
  t.same(series, [
    {
      name: `${prefix}http_requests_total`,
      labels: { route: "unmatched", method: "other", status: "404", code: "route_not_found" },
      value: 3,
    },
  ]);
});

t.test("a turn is counted by outcome, code and model, with its times and tokens", async (t) => {
  const { metrics, read } = createMetrics();
  metrics.onTurnEnded(turn);
  metrics.onTurnEnded({
    ...turn,
    outcome: "failed",
    code: "turn_stalled",
    firstEventMs: null,
    usage: null,
  });
  t.equal(await read("turns_total", { outcome: "completed", code: "", model: "gpt-fake" }), 1);
  t.equal(await read("turns_total", { outcome: "failed", code: "turn_stalled", model: "gpt-fake" }), 1);
  t.equal(await read("turn_duration_seconds_sum", { outcome: "completed" }), 1.5);
  t.equal(await read("turn_first_event_seconds_count"), 1);
  t.equal(await read("turn_first_event_seconds_sum"), 0.3);
  t.equal(await read("queue_wait_seconds_count"), 2);
  t.equal(await read("queue_wait_seconds_sum"), 0.04);
  t.equal(await read("tokens_total", { type: "input" }), 11);
  t.equal(await read("tokens_total", { type: "cached_input" }), 3);
  t.equal(await read("tokens_total", { type: "cache_write_input" }), 5);
  t.equal(await read("tokens_total", { type: "output" }), 7);
  t.equal(await read("tokens_total", { type: "reasoning_output" }), 2);
});

t.test("a model that is in no catalog is 'other', and a turn without one 'none'", async (t) => {
  const { metrics, read, text } = createMetrics();
  for (let index = 0; index < 500; index += 1) metrics.onTurnEnded({ ...turn, model: `made-up-${index}` });
  metrics.onTurnEnded({ ...turn, model: null });
  metrics.onTurnEnded(turn);
  t.equal(await read("turns_total", { model: "other" }), 500);
  t.equal(await read("turns_total", { model: "none" }), 1);
  t.equal(await read("turns_total", { model: "gpt-fake" }), 1);
  t.notMatch(await text(), /made-up/);
});

t.test("without a catalog turns are counted all the same", async (t) => {
  const { metrics, read } = createMetrics({ readCatalog: () => Promise.reject(new Error("not ready")) });
  metrics.onTurnEnded(turn);
  t.equal(await read("turns_total", { model: "other" }), 1);
});

t.test("catalogs that come and go do not make series without end", async (t) => {
  let version = 0;
  const { metrics, text } = createMetrics({ readCatalog: async () => [{ id: `model-${version}` }] });
  for (version = 0; version < maxModelLabels * 2; version += 1) {
    metrics.onTurnEnded({ ...turn, model: `model-${version}` });
    await new Promise(setImmediate);
  }
  const series = parseMetrics(await text()).filter(({ name }) => name === `${prefix}turns_total`);
  t.equal(series.length, maxModelLabels + 1);
});

t.test("numbers that are none do not throw", async (t) => {
  const { metrics, read } = createMetrics();
  const usage = { ...fakeUsage, inputTokens: -1, outputTokens: Number.NaN };
  metrics.onTurnEnded({ ...turn, waitedMs: Number.NaN, durationMs: -5, usage });
  metrics.observeRequest({ ...request, durationMs: Number.NaN });
  t.equal(await read("turns_total", { outcome: "completed" }), 1);
  t.equal(await read("tokens_total", { type: "input" }), 0);
  t.equal(await read("http_requests_total"), 1);
});

t.test("a scrape shows the runtime as it is at that moment", async (t) => {
  const worker = readyHealth.workers[0];
  if (worker === undefined) throw new Error("the fixture has a worker");
  let health: NativeRuntimeHealth = {
    ...readyHealth,
    queue: { depth: 5, running: 3 },
    workers: [
      worker,
      {
        ...worker,
        id: "worker-2",
        state: "connecting",
        reconnects: 4,
        hangingCalls: 8,
        faults: { "unanswered:turn/start": 3 },
        eventLoopDelayMs: null,
      },
    ],
  };
  const { read } = createMetrics({ health: () => health });
  t.equal(await read("build_info", { version: "1.2.3", codex_version: newestTestedCodex }), 1);
  t.equal(await read("ready"), 1);
  t.equal(await read("queue_depth"), 5);
  t.equal(await read("turns_running"), 3);
  t.equal(await read("workers_ready"), 1);
  t.equal(await read("worker_reconnects_total", { worker: "worker-2" }), 4);
  t.equal(await read("unanswered_calls", { worker: "worker-1" }), 0);
  t.equal(await read("unanswered_calls", { worker: "worker-2" }), 8);
  t.equal(await read("worker_faults_total", { worker: "worker-2", fault: "unanswered:turn/start" }), 3);
  t.equal(await read("worker_event_loop_delay_seconds", { worker: "worker-1" }), 0.0001);
  t.equal(await read("worker_event_loop_delay_seconds", { worker: "worker-2" }), null);
  t.equal(await read("app_server_up"), 1);
  t.equal(await read("app_server_restarts_total"), 0);
  t.equal(await read("app_server_resident_memory_bytes"), 150_000_000);
  t.equal(await read("app_server_loaded_threads"), 0);
  t.equal(await read("app_server_idle_cpu_ratio"), 0.00125);
  t.equal(await read("app_server_rotations_total", { reason: "login" }), 2);
  t.equal(await read("app_server_rotations_total", { reason: "memory" }), 1);
  t.equal(await read("spare_threads"), 1);
  t.equal(await read("spare_thread_uses_total", { result: "taken" }), 5);
  t.equal(await read("spare_thread_uses_total", { result: "missed" }), 2);
  t.equal(await read("spare_threads_discarded_total"), 1);
  t.equal(await read("rate_limit_used_ratio", { window: "primary" }), 0.12);
  t.equal(await read("rate_limit_used_ratio", { window: "secondary" }), null);
  t.equal(await read("continuation_entries"), 2);
  t.equal(await read("continuation_bytes"), 300);
  t.equal(await read("web_sockets"), 3);
  t.equal(await read("event_readers"), 2);
  health = {
    ...health,
    readiness: { ready: false, error: { code: "native_runtime_unavailable", message: "Codex died." } },
    codexVersion: null,
    rateLimits: null,
    workers: [],
    appServer: {
      generation: 5,
      pid: null,
      rssBytes: null,
      restarts: 2,
      uptimeMs: null,
      loadedThreads: null,
      transport: "shared",
    },
  };
  t.equal(await read("build_info", { codex_version: "unknown" }), 1);
  t.equal(await read("build_info", { codex_version: newestTestedCodex }), null);
  t.equal(await read("ready"), 0);
  t.equal(await read("workers_ready"), 0);
  t.equal(await read("worker_reconnects_total"), null);
  t.equal(await read("app_server_up"), 0);
  t.equal(await read("app_server_restarts_total"), 2);
  t.equal(await read("app_server_resident_memory_bytes"), null);
  t.equal(await read("app_server_idle_cpu_ratio"), null);
  t.equal(await read("app_server_rotations_total"), null);
  t.equal(await read("app_server_loaded_threads"), null);
  t.equal(await read("rate_limit_used_ratio"), null);
});

t.test("an app-server without a process of ours is up while a worker is connected to it", async (t) => {
  const appServer = readyHealth.appServer && { ...readyHealth.appServer, pid: null, transport: "unix" };
  const { read } = createMetrics({ health: () => ({ ...readyHealth, appServer }) });
  t.equal(await read("app_server_up"), 1);
});

t.test("two services in one process share no number", async (t) => {
  const one = createMetrics();
  const two = createMetrics();
  one.metrics.observeRequest(request);
  one.metrics.onTurnEnded(turn);
  t.equal(await one.read("http_requests_total"), 1);
  t.equal(await two.read("http_requests_total"), null);
  t.equal(await two.read("turns_total"), null);
  t.equal(await two.read("tokens_total", { type: "input" }), 0);
});

t.test("the metrics in docs/operations.md are those that there are", async (t) => {
  const { text } = createMetrics();
  const there = [...(await text()).matchAll(/^# TYPE (codex_native_api_\w+)/gm)].map(([, name]) => name);
  const page = readFileSync("docs/operations.md", "utf8");
  const documented = [...page.matchAll(/^\| `(codex_native_api_\w+)`/gm)].map(([, name]) => name);
  t.strictSame(documented.sort(), there.sort());
});

t.test(
  "a window that has ended since it was told has no series: nothing is known of the next one",
  async (t) => {
    const { read } = createMetrics({ wallClock: () => beforeResetMs + 120_000 });
    t.equal(await read("rate_limit_used_ratio", { window: "primary" }), null);
  },
);

t.test("the event loop is measured from the first request on, and not while nothing is asked", async (t) => {
  const { metrics, text } = createMetrics();
  metrics.start();
  t.teardown(() => metrics.close());
  const blockFor = async (ms: number) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const end = performance.now() + ms;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const maxSeconds = async () => readMetric(await text(), "nodejs_eventloop_lag_max_seconds") ?? 0;
  await blockFor(200);
  t.equal(await maxSeconds(), 0);
  metrics.noteRequest();
  await blockFor(200);
  t.ok((await maxSeconds()) > 0.1);
});
