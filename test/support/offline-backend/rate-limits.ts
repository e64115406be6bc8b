import type { JsonObject } from "./json.js";
import type { AccountForm } from "./route.js";

/** How much of a plan is used up in a time. */
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

/** The plan's windows, and what it is called. */
export interface RateLimitSettings {
  readonly primary?: RateLimitWindow | undefined;
  readonly secondary?: RateLimitWindow | undefined;
  readonly planType?: string | undefined;
  /** Says in `/wham/usage` that the plan is used up. Default: a window at 100 %. */
  readonly limitReached?: boolean | undefined;
}

/** What a full account has beside its plan's windows: credits, and windows of their own for one model. */
const credits = { has_credits: true, unlimited: false, balance: "42.50" };
const otherLimit = { id: "codex_offline_spark", name: "Offline-Spark" };

/** The plan's windows, in the three shapes in which the backend tells them. */
export class RateLimits {
  readonly #account: AccountForm;
  #settings: RateLimitSettings;

  constructor(settings: RateLimitSettings, account: AccountForm) {
    this.#account = account;
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
      ...(this.#account === "bare" ? { credits: null } : toFurtherUsage()),
    };
  }

  /** For the response to `POST /v1/responses`. */
  toHeaders(): Record<string, string> {
    const headers: Record<string, string> = {};
    addHeaders(headers, "x-codex", this.#settings);
    if (this.#account !== "bare") {
      const prefix = `x-${otherLimit.id.replaceAll("_", "-")}`;
      addHeaders(headers, prefix, otherWindows());
      headers[`${prefix}-limit-name`] = otherLimit.name;
      headers["x-codex-credits-has-credits"] = String(credits.has_credits);
      headers["x-codex-credits-unlimited"] = String(credits.unlimited);
      headers["x-codex-credits-balance"] = credits.balance;
    }
    return headers;
  }

  /** For the WebSocket, where no headers are left: an event for each limit of which there is something to tell. */
  toEvents(): readonly string[] {
    const { primary, secondary, planType } = this.#settings;
    const planEvent = {
      type: "codex.rate_limits",
      plan_type: planType ?? null,
      rate_limits: { primary: toEventWindow(primary), secondary: toEventWindow(secondary) },
      credits: this.#account === "bare" ? null : credits,
    };
    const { primary: ownPrimary, secondary: ownSecondary } = otherWindows();
    const otherEvent = {
      ...planEvent,
      metered_limit_name: otherLimit.id,
      limit_name: otherLimit.name,
      rate_limits: { primary: toEventWindow(ownPrimary), secondary: toEventWindow(ownSecondary) },
    };
    return [
      ...(primary === undefined && secondary === undefined ? [] : [planEvent]),
      ...(this.#account === "bare" ? [] : [otherEvent]),
    ].map((event) => JSON.stringify(event));
  }
}

/** The limit that a full account has for one model alone. */
function otherWindows(): RateLimitSettings {
  const { primary, secondary } = defaultRateLimits();
  return {
    primary: primary && { ...primary, usedPercent: 30 },
    secondary: secondary && { ...secondary, usedPercent: 8 },
  };
}

function toFurtherUsage(): JsonObject {
  const { primary, secondary } = otherWindows();
  return {
    credits,
    rate_limit_reset_credits: { available_count: 2 },
    additional_rate_limits: [
      {
        limit_name: otherLimit.name,
        metered_feature: otherLimit.id,
        rate_limit: {
          allowed: true,
          limit_reached: false,
          primary_window: toUsageWindow(primary),
          secondary_window: toUsageWindow(secondary),
        },
      },
    ],
    spend_control: {
      reached: false,
      individual_limit: {
        limit: "50",
        used: "20",
        remaining: "30",
        used_percent: 40,
        remaining_percent: 60,
        reset_after_seconds: 3_600,
        reset_at: primary?.resetsAt ?? 0,
      },
    },
  };
}

function addHeaders(headers: Record<string, string>, prefix: string, settings: RateLimitSettings): void {
  for (const name of ["primary", "secondary"] as const) {
    const window = settings[name];
    if (window !== undefined) {
      headers[`${prefix}-${name}-used-percent`] = String(window.usedPercent);
      headers[`${prefix}-${name}-window-minutes`] = String(window.windowMinutes);
      headers[`${prefix}-${name}-reset-at`] = String(window.resetsAt);
    }
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
