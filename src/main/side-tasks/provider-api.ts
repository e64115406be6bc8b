/** What the two dialects of external providers have in common. */
import type { JsonObject } from "../../workers/contract/json.js";
import type { SideTaskFailure } from "./fall-through.js";
import type { RouteAnswer } from "./route.js";

/** All that a provider learns of a task. */
export interface ProviderRequest {
  /** The provider's own name of it. */
  readonly model: string;
  readonly items: readonly JsonObject[];
  /** Instructions, and the schema where it goes in words. */
  readonly system: readonly string[];
  /** Null where there is none, or where it goes in words. */
  readonly schema: { readonly name: string; readonly schema: JsonObject; readonly strict: boolean } | null;
}

/** One dialect. */
export interface ProviderApi {
  /** Below the provider's base URL. */
  readonly path: string;
  /** Whether the dialect can express the items. */
  readonly accepts: (items: readonly JsonObject[]) => boolean;
  readonly compose: (request: ProviderRequest) => JsonObject;
  /** Null where the body is no answer of this dialect. Throws a `RouteFailure` for an answer without a usable text. */
  readonly read: (
    body: JsonObject | null,
  ) => (Omit<RouteAnswer, "native" | "model"> & { readonly model: string | null }) | null;
}

/** Codes that say more than their status. */
const byCode: ReadonlyMap<string, SideTaskFailure> = new Map([
  ["content_policy_violation", "content_policy"],
  ["content_filter", "content_policy"],
  ["insufficient_quota", "usage_limit"],
  ["rate_limit_exceeded", "rate_limited"],
]);

const byStatus: Readonly<Record<number, SideTaskFailure>> = {
  401: "misconfigured",
  402: "usage_limit",
  403: "misconfigured",
  // The path and the model are settings of the host, not of the task.
  404: "misconfigured",
  405: "misconfigured",
  408: "route_timeout",
  429: "rate_limited",
  502: "connection_lost",
  503: "overloaded",
  504: "route_timeout",
  529: "overloaded",
};

export function judgeProviderCode(code: string, status: number): SideTaskFailure {
  const known = byCode.get(code) ?? byStatus[status];
  if (known !== undefined) return known;
  if (status >= 500) return "internal";
  return status >= 400 ? "bad_request" : "misconfigured";
}
