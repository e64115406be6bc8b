/**
 * Where a plan's window ends up if it is used as evenly as so far: the part used, over the part of the window that has gone by. An
 * estimate, and none while the window is young: the first hour says little of a week.
 */
import type { PlanWindow } from "../wire.js";

/** Part of the window that must have gone by. */
const leastElapsed = 0.05;

export type Forecast =
  /** Nothing can be said: the window's times are unknown, or it has just begun or is over. */
  | { readonly kind: "none" }
  | { readonly kind: "lasts"; readonly percentAtReset: number }
  | { readonly kind: "runs_out"; readonly atMs: number }
  | { readonly kind: "used_up" };

export function forecast(window: PlanWindow, nowMs: number): Forecast {
  const { used_percent: used, window_minutes: minutes, resets_at_ms: resetsAtMs } = window;
  if (used >= 100) return { kind: "used_up" };
  const elapsed = elapsedPart(window, nowMs);
  if (elapsed === null || minutes === null || resetsAtMs === null || elapsed < leastElapsed)
    return { kind: "none" };
  const percentAtReset = used / elapsed;
  if (percentAtReset <= 100) return { kind: "lasts", percentAtReset };
  const lengthMs = minutes * 60_000;
  return { kind: "runs_out", atMs: resetsAtMs - lengthMs + (lengthMs * 100) / percentAtReset };
}

/** 0 to 1; null where it is unknown or the window is over. */
export function elapsedPart(window: PlanWindow, nowMs: number): number | null {
  const { window_minutes: minutes, resets_at_ms: resetsAtMs } = window;
  if (minutes === null || minutes <= 0 || resetsAtMs === null || resetsAtMs <= nowMs) return null;
  const elapsed = 1 - (resetsAtMs - nowMs) / (minutes * 60_000);
  return elapsed < 0 ? null : elapsed;
}
