import type { JsonObject } from "./json.js";

export interface RateLimitWindow {
  readonly usedPercent: number;
  readonly windowMinutes: number;
  /** Unix seconds. */
  readonly resetsAt: number;
}

/** The window of a plan that has nothing left. */
export function usedUpFor(seconds: number): RateLimitWindow {
  return { usedPercent: 100, windowMinutes: 300, resetsAt: Math.floor(Date.now() / 1000) + seconds };
}

export interface RateLimitSettings {
  readonly primary?: RateLimitWindow | undefined;
  readonly secondary?: RateLimitWindow | undefined;
  readonly planType?: string | undefined;
  /** Says in `/wham/usage` that the plan is used up. Default: a window at 100 %. */
  readonly limitReached?: boolean | undefined;
}

/** The plan's windows, in the three shapes in which the backend tells them. */
export class RateLimits {
  #settings: RateLimitSettings;

  constructor(settings: RateLimitSettings) {
    this.#settings = settings;
  }

  set(settings: RateLimitSettings): void {
    this.#settings = settings;
  }

  /** For `GET …/wham/usage`. */
  toUsage(planType: string): JsonObject {
    const { primary, secondary } = this.#settings;
    const isFull = [primary, secondary].some((window) => (window?.usedPercent ?? 0) >= 100);
    const limitReached = this.#settings.limitReached ?? isFull;
    return {
      plan_type: this.#settings.planType ?? planType,
      rate_limit: {
        allowed: !limitReached,
        limit_reached: limitReached,
        primary_window: toUsageWindow(primary),
        secondary_window: toUsageWindow(secondary),
      },
      credits: null,
    };
  }

  /** For the response to `POST /v1/responses`. */
  toHeaders(): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const name of ["primary", "secondary"] as const) {
      const window = this.#settings[name];
      if (window !== undefined) {
        headers[`x-codex-${name}-used-percent`] = String(window.usedPercent);
        headers[`x-codex-${name}-window-minutes`] = String(window.windowMinutes);
        headers[`x-codex-${name}-reset-at`] = String(window.resetsAt);
      }
    }
    return headers;
  }

  /** For the WebSocket, where no headers are left; undefined when there is nothing to tell. */
  toEventJson(): string | undefined {
    const { primary, secondary, planType } = this.#settings;
    if (primary === undefined && secondary === undefined) {
      return undefined;
    }
    return JSON.stringify({
      type: "codex.rate_limits",
      plan_type: planType ?? null,
      rate_limits: { primary: toEventWindow(primary), secondary: toEventWindow(secondary) },
      credits: null,
    });
  }
}

/** A five-hour and a weekly window, little used. */
export function defaultRateLimits(): RateLimitSettings {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return {
    primary: { usedPercent: 12, windowMinutes: 300, resetsAt: nowSeconds + 3_600 },
    secondary: { usedPercent: 5, windowMinutes: 10_080, resetsAt: nowSeconds + 259_200 },
  };
}

function toUsageWindow(window: RateLimitWindow | undefined): JsonObject | null {
  if (window === undefined) {
    return null;
  }
  return {
    used_percent: window.usedPercent,
    limit_window_seconds: window.windowMinutes * 60,
    reset_after_seconds: Math.max(0, window.resetsAt - Math.floor(Date.now() / 1_000)),
    reset_at: window.resetsAt,
  };
}

function toEventWindow(window: RateLimitWindow | undefined): JsonObject | null {
  if (window === undefined) {
    return null;
  }
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes,
    reset_at: window.resetsAt,
  };
}
