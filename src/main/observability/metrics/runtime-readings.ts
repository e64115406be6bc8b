/** What a runtime and its server report of themselves at a scrape. */
import type { ServerReadings } from "../../http/metrics-sink.js";
import type { NativeRuntimeHealth, RateLimits, WorkerHealth } from "../../runtime/types.js";
import { prefix, toSeconds } from "./naming.js";
import type { MetricTable, Reading, Sample } from "./readings.js";

const help = {
  build_info: "Always 1; versions of this service and of Codex.",
  ready: "1 while turns can run.",
  queue_depth: "Turns that wait for room.",
  turns_running: "Turns that run.",
  app_server_up: "1 while the app-server runs, as far as is known.",
  app_server_restarts_total: "Times the app-server was replaced.",
  app_server_rotations_total: "Times a new app-server took the place of one that still ran, by reason.",
  login_takeovers_total: "Times a new app-server took over since another Codex had refreshed the login.",
  app_server_resident_memory_bytes: "Memory of the app-server.",
  app_server_idle_cpu_ratio:
    "Part of a core that the app-server used in its last idle window; 1 is a whole core.",
  app_server_loaded_threads: "Native threads that Codex has loaded.",
  spare_threads: "Native threads started ahead of need.",
  spare_thread_uses_total: "Turns, by whether a thread was ready for them.",
  spare_threads_discarded_total: "Native threads started ahead of need and discarded unused.",
  upstream_limit:
    "Turns that the account lets run at once, as learned; all models, and those with a limit of their own.",
  upstream_refusals_total:
    "Turns that the backend refused as one too many; they went back into the queue while they had time.",
  prompt_form:
    "1 for each model whose prompts have another form than Codex's catalog says, since the backend refused that.",
  prompt_form_changes_total: "Times another form of prompt than before was found to answer.",
  workers_ready: "Worker threads with a connection to the app-server.",
  worker_reconnects_total: "Connections that a worker lost and made again.",
  worker_event_loop_delay_seconds: "Mean delay of a worker's event loop over its last report.",
  unanswered_calls:
    "Calls that Codex has left unanswered for more than five seconds while it answers others.",
  worker_faults_total: "Faults that a worker has met and survived, by name.",
  rate_limit_used_ratio: "Used part of a window of the plan's limits; 1 is all of it.",
  continuation_entries: "Responses kept for continuation.",
  continuation_bytes: "Size of the responses kept for continuation.",
  web_sockets: "WebSockets that are open.",
  event_readers: "Readers that follow the events of the service.",
};

type RuntimeMetric = keyof typeof help;

export const runtimeMetrics: MetricTable<RuntimeMetric> = {
  prefix,
  help,
  labels: {
    build_info: ["version", "codex_version"],
    app_server_rotations_total: ["reason"],
    spare_thread_uses_total: ["result"],
    upstream_limit: ["model"],
    prompt_form: ["model", "web_search", "form"],
    worker_reconnects_total: ["worker"],
    worker_event_loop_delay_seconds: ["worker"],
    unanswered_calls: ["worker"],
    worker_faults_total: ["worker", "fault"],
    rate_limit_used_ratio: ["window"],
  },
};

export interface RegistrySize {
  readonly entries: number;
  readonly bytes: number;
}

interface RuntimeState {
  readonly version: string;
  readonly health: NativeRuntimeHealth;
  readonly continuation: RegistrySize;
  readonly server: ServerReadings;
  readonly nowMs: number;
}

export function readRuntime({ version, health, continuation, server, nowMs }: RuntimeState) {
  const { appServer, workers, queue, spareThreads, upstreamLimits, promptForms } = health;
  const ofEach = (read: (worker: WorkerHealth) => number | null): readonly Sample[] =>
    workers.map((worker) => [read(worker), { worker: worker.id }]);
  const readyWorkers = workers.filter(({ state }) => state === "ready").length;
  return {
    build_info: [[1, { version, codex_version: health.codexVersion ?? "unknown" }]],
    ready: Number(health.readiness.ready),
    queue_depth: queue.depth,
    turns_running: queue.running,
    // Where the process is not ours, or one of each worker's own, there is no id to go by.
    app_server_up: Number(readyWorkers > 0 || (appServer?.pid ?? null) !== null),
    app_server_restarts_total: appServer?.restarts ?? 0,
    app_server_rotations_total: Object.entries(appServer?.rotations ?? {}).map(([reason, times]) => [
      times,
      { reason },
    ]),
    login_takeovers_total: appServer?.loginTakeovers ?? 0,
    app_server_resident_memory_bytes: appServer?.rssBytes ?? null,
    app_server_idle_cpu_ratio: appServer?.idleCpuPercent == null ? null : appServer.idleCpuPercent / 100,
    app_server_loaded_threads: appServer?.loadedThreads ?? null,
    spare_threads: spareThreads.ready,
    spare_thread_uses_total: [
      [spareThreads.taken, { result: "taken" }],
      [spareThreads.missed, { result: "missed" }],
    ],
    spare_threads_discarded_total: spareThreads.discarded,
    upstream_limit: (upstreamLimits?.limits ?? []).map(({ model, limit }) => [
      limit,
      { model: model ?? "all" },
    ]),
    upstream_refusals_total: upstreamLimits?.refusals ?? 0,
    prompt_form: (promptForms?.models ?? []).map(({ model, webSearch, form }) => [
      1,
      { model, web_search: String(webSearch), form },
    ]),
    prompt_form_changes_total: promptForms?.changes ?? 0,
    workers_ready: readyWorkers,
    worker_reconnects_total: ofEach(({ reconnects }) => reconnects),
    worker_event_loop_delay_seconds: ofEach(({ eventLoopDelayMs: ms }) =>
      ms === null ? null : toSeconds(ms),
    ),
    unanswered_calls: ofEach(({ hangingCalls }) => hangingCalls ?? 0),
    worker_faults_total: workers.flatMap(({ id: worker, faults = {} }) =>
      Object.entries(faults).map(([fault, times]): Sample => [times, { worker, fault }]),
    ),
    rate_limit_used_ratio: readRateLimits(health.rateLimits, nowMs),
    continuation_entries: continuation.entries,
    continuation_bytes: continuation.bytes,
    web_sockets: server.webSockets,
    event_readers: server.eventReaders,
  } satisfies Record<RuntimeMetric, Reading>;
}

/** A window that has ended since it was reported is another one now, of which nothing is known until the next turn. */
function readRateLimits(limits: RateLimits | null, nowMs: number): readonly Sample[] {
  return (["primary", "secondary"] as const).flatMap((name): readonly Sample[] => {
    const window = limits?.[name] ?? null;
    if (window === null || (window.resetsAt ?? Number.POSITIVE_INFINITY) * 1_000 <= nowMs) return [];
    return [[window.usedPercent / 100, { window: name }]];
  });
}
