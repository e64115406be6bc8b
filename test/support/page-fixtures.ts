/** Made-up requests and states for the page, the same at each run. */
import type { Entry, ServiceState, Usage, UsageRow } from "../../src/page/wire.js";
import type { MockedService } from "./page-mock.js";

export function makeState(change: Partial<ServiceState> = {}): ServiceState {
  const nowMs = Date.now();
  return {
    at_ms: nowMs,
    ready: true,
    reason: null,
    turns: { running: 3, waiting: 1, parked: 2 },
    spare_threads: 4,
    workers: ["1", "2", "3"].map((id) => ({ id, state: "ready" })),
    account: { type: "chatgpt", plan: "pro" },
    plan_windows: [
      { name: "primary", used_percent: 38, window_minutes: 300, resets_at_ms: nowMs + 2.2 * 3_600_000 },
      { name: "secondary", used_percent: 71, window_minutes: 10_080, resets_at_ms: nowMs + 3.1 * 86_400_000 },
    ],
    codex_version: "0.171.0",
    app_server_generation: 2,
    uptime_ms: 93_784_000,
    ...change,
  };
}

export function makeEntry(change: Partial<Entry> = {}): Entry {
  return {
    id: "req_1",
    state: "ended",
    started_at_ms: Date.now() - 60_000,
    transport: "http",
    method: "POST",
    route: "/v1/responses",
    status: 200,
    caller: null,
    dialect: "responses",
    model: "gpt-5.5",
    requested_model: "gpt-5.5",
    reasoning_effort: "low",
    service_tier: null,
    stream: true,
    background: false,
    choices: 1,
    task_class: null,
    priority: null,
    timeout_ms: null,
    prompt_form: "lite",
    outcome: "completed",
    error: null,
    timings: {
      prepared_ms: 2,
      admitted_ms: 3,
      thread_ready_ms: 5,
      turn_started_ms: 9,
      first_output_ms: 420,
      output_ended_ms: 1_600,
      ended_ms: 1_604,
    },
    thread: {
      kind: "spare",
      thread_id: "0199-thread",
      turn_id: "0199-turn",
      worker_id: "1",
      app_server_generation: 2,
    },
    attempts: 1,
    retries: [],
    ignored_parameters: [],
    usage: {
      input_tokens: 1_200,
      cached_input_tokens: 900,
      output_tokens: 180,
      reasoning_output_tokens: 40,
      total_tokens: 1_380,
    },
    response_id: "resp_1",
    previous_response_id: null,
    content: null,
    ...change,
  };
}

/** A generator of numbers from 0 to 1 that is the same at each run. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const routes = [
  { route: "/v1/responses", dialect: "responses" },
  { route: "/v1/responses", dialect: "responses" },
  { route: "/v1/chat/completions", dialect: "chat_completions" },
  { route: "/v1/decisions", dialect: "decisions" },
];
const models = ["gpt-5.5", "gpt-5.5", "gpt-5.6-sol", "gpt-5.5-mini"];
const callers = ["editor", "bridge", "nightly", null];
const errorCodes = ["queue_timeout", "rate_limit_exceeded", "turn_timeout"];

/** Requests of the last so many milliseconds, newest first; the first few still run. */
export function makeBusyHour(count: number, spanMs = 3_600_000, nowMs = Date.now()): Entry[] {
  const random = makeRandom(7);
  return Array.from({ length: count }, (_, index) => {
    const agoMs = ((index + random()) / count) * spanMs;
    const entry = makeRandomEntry(
      random,
      nowMs - agoMs - 4_000,
      `req_${(count - index).toString().padStart(6, "0")}`,
    );
    return index < 4 ? unfinished(entry, index) : entry;
  });
}

export function makeRandomEntry(random: () => number, startedAtMs: number, id: string): Entry {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const { route, dialect } = pick(routes) ?? { route: "/v1/responses", dialect: "responses" };
  const draw = random();
  const kind = draw < 0.56 ? "spare" : draw < 0.78 ? "loaded" : draw < 0.86 ? "parked" : "new";
  const threadMs = { spare: 1, loaded: 1, parked: 0, new: 130 + random() * 90 }[kind];
  const startMs = 3 + random() * 4 + (random() < 0.1 ? 30 + random() * 900 : 0);
  const turnStartedMs = startMs + threadMs + 4 + random() * 6;
  const firstMs = turnStartedMs + 260 + random() ** 3 * 1_900 + (dialect === "decisions" ? 250 : 0);
  const outputMs = firstMs + 200 + random() ** 2 * 6_000;
  const input = Math.round(300 + random() ** 2 * 12_000);
  const output = Math.round(20 + random() ** 2 * 1_500);
  const failed = random() < 0.03;
  const model = pick(models) ?? null;
  return makeEntry({
    id,
    started_at_ms: Math.round(startedAtMs),
    route,
    dialect,
    model,
    requested_model: model,
    caller: pick(callers) ?? null,
    task_class: random() < 0.3 ? "summary" : null,
    stream: random() < 0.8,
    outcome: failed ? "failed" : random() < 0.1 ? "calls" : "completed",
    status: failed ? 503 : 200,
    error: failed
      ? { code: pick(errorCodes) ?? "queue_timeout", param: null, retryable: true, message: null }
      : null,
    timings: {
      prepared_ms: 1.5,
      admitted_ms: startMs,
      thread_ready_ms: startMs + threadMs,
      turn_started_ms: turnStartedMs,
      first_output_ms: failed ? null : firstMs,
      output_ended_ms: failed ? null : outputMs,
      ended_ms: failed ? turnStartedMs + 40 : outputMs + 2 + random() * 3,
    },
    thread: {
      kind,
      thread_id: `0199-${id}`,
      turn_id: `0199-turn-${id}`,
      worker_id: String(1 + Math.floor(random() * 3)),
      app_server_generation: 2,
    },
    attempts: random() < 0.02 ? 2 : 1,
    usage: failed
      ? null
      : {
          input_tokens: input,
          cached_input_tokens: Math.round(input * (0.4 + random() * 0.5)),
          output_tokens: output,
          reasoning_output_tokens: Math.round(output * random() * 0.4),
          total_tokens: input + output,
        },
    response_id: `resp_${id}`,
  });
}

function unfinished(entry: Entry, index: number): Entry {
  const isWaiting = index === 0;
  return {
    ...entry,
    state: isWaiting ? "waiting" : "running",
    started_at_ms: Date.now() - 1_400 * (index + 1),
    outcome: null,
    status: null,
    error: null,
    usage: null,
    thread: isWaiting ? null : entry.thread,
    timings: {
      ...entry.timings,
      ...(isWaiting && { admitted_ms: null, thread_ready_ms: null, turn_started_ms: null }),
      first_output_ms: index > 1 && !isWaiting ? entry.timings.first_output_ms : null,
      output_ended_ms: null,
      ended_ms: null,
    },
  };
}

/** The rows that a service would have counted of these requests. */
export function makeUsage(entries: readonly Entry[], sinceMs: number): Usage {
  const rows = new Map<string, UsageRow>();
  for (const { state, caller, model, route, task_class, started_at_ms, outcome, usage } of entries) {
    if (state !== "ended") continue;
    const hour_ms = Math.floor(started_at_ms / 3_600_000) * 3_600_000;
    const key = JSON.stringify([caller, model, route, task_class, hour_ms]);
    const row = rows.get(key);
    rows.set(key, {
      caller,
      model,
      route,
      task_class,
      hour_ms,
      requests: (row?.requests ?? 0) + 1,
      failed: (row?.failed ?? 0) + (outcome === "failed" ? 1 : 0),
      input_tokens: (row?.input_tokens ?? 0) + (usage?.input_tokens ?? 0),
      cached_input_tokens: (row?.cached_input_tokens ?? 0) + (usage?.cached_input_tokens ?? 0),
      output_tokens: (row?.output_tokens ?? 0) + (usage?.output_tokens ?? 0),
      reasoning_output_tokens: (row?.reasoning_output_tokens ?? 0) + (usage?.reasoning_output_tokens ?? 0),
    });
  }
  return { since_ms: sinceMs, data: [...rows.values()], other: 0 };
}

/** A service that is ready and has had a busy hour. */
export function makeBusyService(change: Partial<MockedService> = {}, count = 420): MockedService {
  const entries = makeBusyHour(count);
  return {
    state: makeState(),
    entries,
    usage: makeUsage([...makeBusyHour(900, 9 * 3_600_000), ...entries], Date.now() - 93_784_000),
    token: null,
    codes: new Set(),
    hasEvents: true,
    ...change,
  };
}

/** A service that was just started. */
export function makeEmptyService(change: Partial<MockedService> = {}): MockedService {
  return {
    state: makeState({
      turns: { running: 0, waiting: 0, parked: 0 },
      spare_threads: 1,
      plan_windows: [],
      uptime_ms: 4_000,
    }),
    entries: [],
    usage: { since_ms: Date.now() - 4_000, data: [], other: 0 },
    token: null,
    codes: new Set(),
    hasEvents: true,
    ...change,
  };
}
