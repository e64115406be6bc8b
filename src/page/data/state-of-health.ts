import type { Health, PlanWindow, ServiceState } from "../wire.js";

/** The state as far as `GET /v1/health` tells it, for when no events come. */
export function stateOfHealth({ native_runtime: runtime }: Health, nowMs: number): ServiceState {
  const windows = ["primary", "secondary"] as const;
  return {
    at_ms: nowMs,
    ready: runtime.ready,
    reason: runtime.reason,
    turns: { running: runtime.queue.running, waiting: runtime.queue.depth, parked: 0 },
    spare_threads: runtime.spare_threads.ready,
    workers: runtime.workers,
    account: runtime.account && { type: runtime.account.auth_mode, plan: runtime.account.plan },
    plan_windows: windows.flatMap((name): readonly PlanWindow[] => {
      const window = runtime.rate_limits?.[name];
      if (window == null) return [];
      const { used_percent, window_minutes, resets_at } = window;
      return [
        { name, used_percent, window_minutes, resets_at_ms: resets_at === null ? null : resets_at * 1_000 },
      ];
    }),
    codex_version: runtime.codex_version,
    app_server_generation: runtime.app_server?.generation ?? null,
    uptime_ms: runtime.app_server?.uptime_ms ?? null,
  };
}
