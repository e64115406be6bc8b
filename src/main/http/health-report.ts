/** The body of `GET /v1/health`: the runtime's health in the API's own spelling, which leaves some of it out. */
import { describeNativeApi } from "../dialects/answers/native-api.js";
import type { NativeApi } from "../dialects/answers/wire-types.js";
import type {
  AppServerHealth,
  NativeRuntimeHealth,
  PromptFormHealth,
  RateLimits,
  WorkerHealth,
} from "../runtime/types.js";
import type { RouteContext } from "./server-options.js";
import type { Health } from "./wire-answers.js";

/** `native_api` of an answer for which no turn ran. */
export function describeNoTurn(
  { providerProfileId, providerKind, account, managedTexts = [] }: NativeRuntimeHealth,
  routePath: string,
  responseId?: string,
): NativeApi {
  const target = { providerProfileId, providerKind, accountId: account?.id ?? null, managedTexts };
  return describeNativeApi({ routePath, target, ...(responseId !== undefined && { responseId }) });
}

/** Degraded: turns run, but a worker or a feature is missing. */
function healthStatusOf(health: NativeRuntimeHealth): Health["status"] {
  if (!health.readiness.ready) return "unavailable";
  const allWorkersReady = health.workers.every((worker) => worker.state === "ready");
  return allWorkersReady && health.degraded.length === 0 ? "ok" : "degraded";
}

const routeCapabilities = {
  models: true,
  responses: true,
  responses_streaming: true,
  responses_websocket: true,
  responses_function_tools: true,
  responses_custom_tools: true,
  responses_web_search: true,
  responses_continuation: true,
  responses_retrieve: true,
  responses_background: true,
  responses_compact: false,
  chat_completions: true,
  chat_completions_custom_tools: true,
  decisions: true,
} as const;

const noConnections = { held: 0, bound: null, refused: 0 };

export function describeHealth(health: NativeRuntimeHealth, context: RouteContext): Health {
  const { account, appServer, promptForms, rateLimits, readiness, upstreamLimits } = health;
  const { kind, persistence, ttlMs, entries, bytes } = context.registry.stats();
  return {
    object: "health.check",
    status: healthStatusOf(health),
    version: context.version,
    localhost_only: context.localhostOnly,
    native_api: describeNoTurn(health, "/v1/health"),
    route_capabilities: routeCapabilities,
    continuation_registry: {
      kind,
      persistence,
      survives_process_restart: persistence === "external",
      ttl_ms: ttlMs,
      entries,
      bytes,
    },
    web_sockets: { open: context.openWebSockets() },
    native_runtime: {
      ready: readiness.ready,
      runtime_reachable: readiness.ready || health.workers.some(({ state }) => state === "ready"),
      checked_at: Date.now() - ageOfNews(health.workers),
      reason: readiness.ready ? null : { code: readiness.error.code, message: readiness.error.message },
      degraded: health.degraded,
      provider_profile_id: health.providerProfileId,
      provider_kind: health.providerKind,
      profile: health.profile,
      account: account && {
        id: account.id,
        email: account.email,
        plan: account.plan,
        auth_mode: account.authMode,
      },
      rate_limits: rateLimits && {
        primary: describeWindow(rateLimits.primary),
        secondary: describeWindow(rateLimits.secondary),
        plan: rateLimits.plan,
        reached: rateLimits.reached,
      },
      codex_version: health.codexVersion,
      model_count: health.catalog?.models ?? null,
      model_names: {
        catalog_checked: health.catalog?.isChecked !== false,
        aliases: (health.aliases ?? []).map(({ serviceTier, ...alias }) => ({
          ...alias,
          service_tier: serviceTier,
        })),
      },
      managed_texts: health.managedTexts ?? [],
      app_server: appServer && {
        generation: appServer.generation,
        transport: appServer.transport,
        pid: appServer.pid,
        rss_bytes: appServer.rssBytes,
        idle_cpu_percent: roundToTenth(appServer.idleCpuPercent ?? null),
        restarts: appServer.restarts,
        last_rotation: describeRotation(appServer.lastRotation ?? null),
        uptime_ms: appServer.uptimeMs,
        loaded_threads: appServer.loadedThreads,
        login_takeovers: appServer.loginTakeovers ?? 0,
      },
      workers: health.workers.map(describeWorker),
      queue: { depth: health.queue.depth, running: health.queue.running },
      spare_threads: { ...health.spareThreads },
      upstream_limits: {
        limits: (upstreamLimits?.limits ?? []).map(({ ceiling, ...limit }) => ({
          ...limit,
          refused_at: ceiling,
        })),
        refusals: upstreamLimits?.refusals ?? 0,
        connections: { ...(upstreamLimits?.connections ?? noConnections) },
      },
      prompt_forms: {
        models: (promptForms?.models ?? []).map(describePromptForm),
        changes: promptForms?.changes ?? 0,
      },
    },
  };
}

/** Of the newest report of a worker, in milliseconds. Without any, what is known comes from this process itself. */
function ageOfNews(workers: readonly WorkerHealth[]): number {
  const ages = workers.flatMap(({ lastReportAgeMs: ageMs }) => ageMs ?? []);
  return ages.length === 0 ? 0 : Math.round(Math.min(...ages));
}

function describeWindow(window: RateLimits["primary"]) {
  if (window === null) return null;
  const { usedPercent, windowMinutes, resetsAt } = window;
  return { used_percent: usedPercent, window_minutes: windowMinutes, resets_at: resetsAt };
}

function roundToTenth(value: number | null) {
  return value === null ? null : Math.round(value * 10) / 10;
}

function describeRotation(rotation: AppServerHealth["lastRotation"]) {
  if (rotation == null) return null;
  return { reason: rotation.reason, at: Math.round(rotation.atMs / 1_000) };
}

function describePromptForm({ model, webSearch, form, learnedAtMs }: PromptFormHealth) {
  return { model, web_search: webSearch, form, learned_at: Math.round(learnedAtMs / 1_000) };
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
