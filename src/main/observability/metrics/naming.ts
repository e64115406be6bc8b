/** How numbers get into metrics, and under what names. */
import type { Gauge } from "prom-client";

/** Of all metrics of this service's own; those of the process have the names that Node's dashboards know. */
export const prefix = "codex_native_api_";

export function toSeconds(ms: number): number {
  return toAmount(ms) / 1000;
}

/** prom-client throws on what is no amount, and observers must not throw. */
export function toAmount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** What is not known has no series: 0 would be a claim. */
export function setOrRemove(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}
