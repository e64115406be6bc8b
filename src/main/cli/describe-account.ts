/** Login, plan and its windows in words. */
import type { NativeAccount, RateLimits } from "../runtime/types.js";
import type { ServiceReport } from "./service-report.js";

export type AccountFacts = Pick<NativeAccount, "email" | "plan" | "authMode">;

export interface WindowFacts {
  readonly usedPercent: number;
  readonly windowMinutes: number | null;
  /** Unix time in seconds. */
  readonly resetsAt: number | null;
}

export function accountOf({ native_runtime: { account } }: ServiceReport): AccountFacts | null {
  return account === null ? null : { email: account.email, plan: account.plan, authMode: account.auth_mode };
}

export function windowsOf({
  native_runtime: { rate_limits: limits },
}: ServiceReport): readonly WindowFacts[] {
  return [limits?.primary, limits?.secondary].flatMap((window) =>
    window === null || window === undefined
      ? []
      : [
          {
            usedPercent: window.used_percent,
            windowMinutes: window.window_minutes,
            resetsAt: window.resets_at,
          },
        ],
  );
}

export function windowsOfLimits(limits: RateLimits | null): readonly WindowFacts[] {
  return [limits?.primary, limits?.secondary].flatMap((window) => window ?? []);
}

export function describeAccount({ email, plan, authMode }: AccountFacts): string {
  if (authMode === "none") return "the configured provider needs no login";
  const who = email ?? `by ${authMode}`;
  return `logged in ${email === null ? who : `as ${who}`}${plan === null ? "" : `, plan ${plan}`}`;
}

/** `5 h window: 12 % used, resets in 2 h 10 min`. */
export function describeWindow({ usedPercent, windowMinutes, resetsAt }: WindowFacts, nowMs: number): string {
  const name = windowMinutes === null ? "window" : `${describeMinutes(windowMinutes)} window`;
  const leftMinutes = resetsAt === null ? 0 : Math.ceil((resetsAt * 1000 - nowMs) / 60_000);
  const reset = leftMinutes > 0 ? `, resets in ${describeMinutes(leftMinutes)}` : "";
  return `${name}: ${Math.round(usedPercent)} % used${reset}`;
}

/** The two largest units: nobody plans by the minute of next week. */
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
