/** Login, plan and its rate limit windows in words. */
import type { NativeAccount } from "../runtime/types.js";

export type AccountFacts = Pick<NativeAccount, "email" | "plan" | "authMode">;

export interface WindowFacts {
  readonly usedPercent: number;
  readonly windowMinutes: number | null;
  /** Unix time in seconds. */
  readonly resetsAt: number | null;
}

export function windowsOf(
  limits: Readonly<Record<"primary" | "secondary", WindowFacts | null>> | null,
): readonly WindowFacts[] {
  return [limits?.primary, limits?.secondary].flatMap((window) => window ?? []);
}

export function describeAccount({ email, plan, authMode }: AccountFacts): string {
  if (authMode === "none") return "the configured provider needs no login";
  return `logged in ${email === null ? `by ${authMode}` : `as ${email}`}${plan === null ? "" : `, plan ${plan}`}`;
}

/** `5 h window: 12 % used, resets in 2 h 10 min`. */
export function describeWindow({ usedPercent, windowMinutes, resetsAt }: WindowFacts, nowMs: number): string {
  const name = windowMinutes === null ? "window" : `${describeMinutes(windowMinutes)} window`;
  const leftMinutes = resetsAt === null ? 0 : Math.ceil((resetsAt * 1000 - nowMs) / 60_000);
  const reset = leftMinutes > 0 ? `, resets in ${describeMinutes(leftMinutes)}` : "";
  return `${name}: ${Math.round(usedPercent)} % used${reset}`;
}

/** Shows the two largest units: minutes do not matter for next week. */
function describeMinutes(minutes: number): string {
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [Math.floor(minutes % 60), "min"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "1 min";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}
