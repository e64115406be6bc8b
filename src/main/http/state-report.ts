/** The state of the service for those who follow its events: a part of the runtime's health that is the same while nothing happens. */
import type { NativeRuntimeHealth, RateLimits } from "../runtime/types.js";
import type { StateEvent } from "./wire-feed.js";

/** All but what changes by itself. */
export type StateFacts = Omit<StateEvent, "at_ms" | "uptime_ms">;

export function describeState(health: NativeRuntimeHealth): StateFacts {
  const { readiness, queue, account, rateLimits, spareThreads, workers } = health;
  return {
    object: "state",
    ready: readiness.ready,
    reason: readiness.ready ? null : { code: readiness.error.code, message: readiness.error.message },
    turns: { running: queue.running, waiting: queue.depth, parked: queue.parked ?? 0 },
    spare_threads: spareThreads.ready,
    workers: workers.map(({ id, state }) => ({ id, state })),
    account: account && { type: account.authMode, plan: account.plan },
    plan_windows: rateLimits === null ? [] : windowsOf(rateLimits),
    codex_version: health.codexVersion,
    app_server_generation: health.appServer?.generation ?? null,
  };
}

function windowsOf(limits: RateLimits): StateFacts["plan_windows"] {
  return (["primary", "secondary"] as const).flatMap((name) => {
    const window = limits[name];
    if (window === null) return [];
    const { usedPercent, windowMinutes, resetsAt } = window;
    return [
      {
        name,
        used_percent: usedPercent,
        window_minutes: windowMinutes,
        resets_at_ms: resetsAt === null ? null : resetsAt * 1000,
      },
    ];
  });
}
