/** The body of `GET /v1/health`: what the runtime knows of itself, in the API's own spelling. */
import type { ContinuationRegistryStats } from "../continuation/types.js";
import { describeNativeApi } from "../dialects/answers/native-api.js";
import type {
  AppServerHealth,
  NativeRuntimeHealth,
  PromptFormsHealth,
  RateLimits,
  UpstreamLimitsHealth,
  WorkerHealth,
} from "../runtime/types.js";
import { identityOf } from "./identity.js";
import type { RouteContext } from "./server-options.js";

type HealthStatus = "ok" | "degraded" | "unavailable";

/** Degraded: turns run, but with a worker short or a feature missing. */
function healthStatusOf(health: NativeRuntimeHealth): HealthStatus {
  if (!health.readiness.ready) return "unavailable";
  const allWorkersReady = health.workers.every((worker) => worker.state === "ready");
  return allWorkersReady && health.degraded.length === 0 ? "ok" : "degraded";
}

/** What callers may count on, by name, so that they need not try. */
const routeCapabilities = {
  models: true,
  responses: true,
  responses_streaming: true,
  responses_function_tools: true,
  responses_web_search: true,
  responses_continuation: true,
  responses_retrieve: true,
  responses_background: true,
  responses_compact: false,
  chat_completions: true,
} as const;

export function describeHealth(health: NativeRuntimeHealth, context: RouteContext) {
  const { account, readiness } = health;
  return {
    object: "health.check" as const,
    status: healthStatusOf(health),
    version: context.version,
    localhost_only: context.localhostOnly,
    native_api: describeNativeApi({
      routePath: "/v1/health",
      target: identityOf(health),
    }),
    route_capabilities: routeCapabilities,
    continuation_registry: describeRegistry(context.registry.stats()),
    native_runtime: {
      ready: readiness.ready,
      reason: readiness.ready ? null : { code: readiness.error.code, message: readiness.error.message },
      degraded: health.degraded,
      provider_profile_id: health.providerProfileId,
      provider_kind: health.providerKind,
      profile: health.profile,
      account:
        account === null
          ? null
          : { id: account.id, email: account.email, plan: account.plan, auth_mode: account.authMode },
      rate_limits: health.rateLimits === null ? null : describeRateLimits(health.rateLimits),
      codex_version: health.codexVersion,
      managed_texts: health.managedTexts ?? [],
      app_server: health.appServer === null ? null : describeAppServer(health.appServer),
      workers: health.workers.map(describeWorker),
      queue: { depth: health.queue.depth, running: health.queue.running },
      spare_threads: { ...health.spareThreads },
      upstream_limits: describeUpstreamLimits(health.upstreamLimits),
      prompt_forms: describePromptForms(health.promptForms),
    },
  };
}

function describeRegistry(stats: ContinuationRegistryStats) {
  const { kind, persistence, ttlMs, entries, bytes } = stats;
  return { kind, persistence, ttl_ms: ttlMs, entries, bytes };
}

const noUpstreamLimits: UpstreamLimitsHealth = {
  limits: [],
  refusals: 0,
  connections: { held: 0, bound: null, refused: 0 },
};

function describeUpstreamLimits({ limits, refusals, connections } = noUpstreamLimits) {
  return {
    limits: limits.map(({ model, limit, running, ceiling }) => ({
      model,
      limit,
      running,
      refused_at: ceiling,
    })),
    refusals,
    connections: { ...connections },
  };
}

function describePromptForms({ models, changes }: PromptFormsHealth = { models: [], changes: 0 }) {
  return {
    models: models.map(({ model, webSearch, form, learnedAtMs }) => ({
      model,
      web_search: webSearch,
      form,
      learned_at: Math.round(learnedAtMs / 1_000),
    })),
    changes,
  };
}

function describeRateLimits(limits: RateLimits) {
  return {
    primary: describeWindow(limits.primary),
    secondary: describeWindow(limits.secondary),
    plan: limits.plan,
    reached: limits.reached,
  };
}

function describeWindow(window: RateLimits["primary"]) {
  if (window === null) return null;
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes,
    resets_at: window.resetsAt,
  };
}

function describeAppServer(server: AppServerHealth) {
  return {
    generation: server.generation,
    transport: server.transport,
    pid: server.pid,
    rss_bytes: server.rssBytes,
    restarts: server.restarts,
    uptime_ms: server.uptimeMs,
    loaded_threads: server.loadedThreads,
  };
}

function describeWorker(worker: WorkerHealth) {
  return {
    id: worker.id,
    generation: worker.generation,
    state: worker.state,
    turns: worker.activeTurns,
    completed_turns: worker.completedTurns,
    reconnects: worker.reconnects,
    last_report_age_ms: worker.lastReportAgeMs,
    event_loop_delay_ms: worker.eventLoopDelayMs,
  };
}
