import type { BackendCounters } from "./counters.js";
import { overloaded, rateLimited, usageLimitReached } from "./http-errors.js";
import type { OpenModelRequest } from "./recorded-request.js";
import type { Reply } from "./reply.js";
import { responseFailed } from "./reply-builders.js";

/** What one account may ask of the backend at once. Everything left out has no limit. */
export interface AccountLimitSettings {
  /** Model requests in work at once. */
  readonly streams?: number;
  /** The same for single models; such a model does not count against `streams`. */
  readonly streamsByModel?: Readonly<Record<string, number>>;
  /** WebSocket connections open at once; one more upgrade gets 403. */
  readonly connections?: number;
  /** WebSocket upgrades within any second; one more gets `upgradeRefusalStatus`. */
  readonly connectionsPerSecond?: number;
  /** Default 403, as reported of the real backend; 429 is the other one seen. */
  readonly upgradeRefusalStatus?: 403 | 429;
  /** How a stream too many is refused: by status (an `error` event over WebSocket), or as `response.failed` in a stream. Default `status`. */
  readonly refuseBy?: "status" | "stream";
  /** The `Retry-After` of such a refusal. Default: none is sent. */
  readonly retryAfterSeconds?: number;
  /** Every request gets 503. */
  readonly overloaded?: boolean;
  /** The plan is used up until then, in Unix seconds: every request gets 429 `usage_limit_reached`. */
  readonly usedUpUntil?: number;
}

/**
 * The limits of the accounts of one backend, as public reports describe the real one: few streams at once, few connections, few
 * attempts to connect. Each account is counted by itself. The settings may change while requests run.
 */
export class AccountLimits {
  readonly #counters: BackendCounters;
  #settings: AccountLimitSettings;
  /** Requests in work, by account and model. */
  readonly #streams = new Map<string, number>();
  readonly #held = new Map<OpenModelRequest, string>();
  readonly #connections = new Map<string, number>();
  readonly #recentUpgrades = new Map<string, number[]>();

  constructor(settings: AccountLimitSettings, counters: BackendCounters) {
    this.#settings = settings;
    this.#counters = counters;
  }

  set(settings: AccountLimitSettings): void {
    this.#settings = settings;
  }

  /** Takes the request on, or answers why not. A warm-up asks for no answer and is not a stream. */
  admit(record: OpenModelRequest): Reply | undefined {
    const { usedUpUntil, overloaded: isOverloaded, retryAfterSeconds } = this.#settings;
    const nowSeconds = Date.now() / 1_000;
    if (usedUpUntil !== undefined && nowSeconds < usedUpUntil) {
      this.#counters.refusedByWindow++;
      return usageLimitReached({ resetsInSeconds: Math.ceil(usedUpUntil - nowSeconds) });
    }
    if (isOverloaded === true) {
      this.#counters.refusedByOverload++;
      return overloaded(retryAfterSeconds);
    }
    if (record.isWarmup) return undefined;
    const { pool, limit } = this.#poolOf(record);
    const inWork = this.#streams.get(pool) ?? 0;
    if (inWork >= limit) {
      this.#counters.refusedStreams++;
      return this.#tooManyStreams(record.body.model);
    }
    this.#streams.set(pool, inWork + 1);
    this.#held.set(record, pool);
    this.#counters.peakAdmittedStreams = Math.max(this.#counters.peakAdmittedStreams, inWork + 1);
    return undefined;
  }

  /** The request is over, however it ended. */
  leave(record: OpenModelRequest): void {
    const pool = this.#held.get(record);
    if (pool === undefined) return;
    this.#held.delete(record);
    this.#streams.set(pool, (this.#streams.get(pool) ?? 1) - 1);
  }

  /** The status that an upgrade of this account is refused with, or undefined where the connection may open. */
  refuseUpgrade(account: string): number | undefined {
    const { connections, connectionsPerSecond, upgradeRefusalStatus = 403 } = this.#settings;
    const nowMs = performance.now();
    const recent = (this.#recentUpgrades.get(account) ?? []).filter((atMs) => atMs > nowMs - 1_000);
    recent.push(nowMs);
    this.#recentUpgrades.set(account, recent);
    const isTooMany = (this.#connections.get(account) ?? 0) >= (connections ?? Number.POSITIVE_INFINITY);
    const isTooFast = recent.length > (connectionsPerSecond ?? Number.POSITIVE_INFINITY);
    return isTooMany || isTooFast ? upgradeRefusalStatus : undefined;
  }

  /** A connection of this account opened; the answer is called when it closes. */
  openConnection(account: string): () => void {
    this.#connections.set(account, (this.#connections.get(account) ?? 0) + 1);
    return () => this.#connections.set(account, (this.#connections.get(account) ?? 1) - 1);
  }

  #poolOf(record: OpenModelRequest): { readonly pool: string; readonly limit: number } {
    const account = record.accountId ?? "";
    const ofModel = this.#settings.streamsByModel?.[record.body.model];
    return ofModel === undefined
      ? { pool: account, limit: this.#settings.streams ?? Number.POSITIVE_INFINITY }
      : { pool: `${account} ${record.body.model}`, limit: ofModel };
  }

  #tooManyStreams(model: string): Reply {
    const { refuseBy = "status", retryAfterSeconds, streamsByModel = {} } = this.#settings;
    if (refuseBy === "stream") {
      const scope = model in streamsByModel ? ` for ${model}` : "";
      const message = `Rate limit reached${scope}: too many requests at once. Please try again later.`;
      return responseFailed({ code: "rate_limit_exceeded", message });
    }
    return rateLimited(retryAfterSeconds ?? null);
  }
}
