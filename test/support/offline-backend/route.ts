import type { IncomingMessage, ServerResponse } from "node:http";
import type { BackendCounters } from "./counters.js";
import type { DeviceLogins } from "./device-logins.js";
import { sendJson } from "./http-exchange.js";
import type { JsonObject, JsonValue } from "./json.js";
import type { ModelService } from "./model-service.js";
import type { TokenAuthority } from "./token-authority.js";

/**
 * `bare`: a login with a plan's windows and nothing more. `full`: everything that an account can have is on, managed configuration
 * too. `personal`: the same without an organisation.
 */
export type AccountForm = "bare" | "personal" | "full";

export interface RouterParts {
  readonly service: ModelService;
  readonly tokens: TokenAuthority;
  readonly deviceLogins: DeviceLogins;
  readonly counters: BackendCounters;
  readonly account: AccountForm;
  /** An organisation without any answers an empty object; on a 404 Codex starts no thread at all. */
  readonly managedConfiguration: JsonObject;
  /** What `GET /v1/models` answers; undefined is 404, and Codex uses its bundled catalogue. */
  readonly catalog: JsonObject | undefined;
  /** Settles when refreshed tokens may be handed out. */
  readonly heldTokenRefreshes: () => Promise<void>;
  readonly accountCheckDelayMs: () => number;
  readonly refusedAccountChecks: number;
  readonly refusedBundles: number;
  readonly workspaceRouting: WorkspaceRouting;
}

/** Where a workspace wants its requests, in the backend's own words. */
export interface WorkspaceRouting {
  readonly origin: string;
  readonly override: string;
}

export const unroutedWorkspace: WorkspaceRouting = {
  origin: "https://127.0.0.1",
  override: "NO_CONSTRAINT",
};

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly parts: RouterParts;
}

/** One row of the table of routes. */
export interface Route {
  readonly method: string;
  /** What the path ends with, `*` for any segment: `chatgpt_base_url` and the provider's `base_url` decide what is before. */
  readonly end: string;
  readonly answer: (exchange: Exchange) => void | Promise<void>;
}

/** Whether the row is for this method and path. */
export function isFor(route: Route, method: string, path: string): boolean {
  if (route.method !== method) return false;
  if (!route.end.includes("*")) return path.endsWith(route.end);
  const wanted = route.end.split("/").slice(1);
  const segments = path.split("/").slice(-wanted.length);
  return wanted.every((segment, index) => segment === "*" || segment === segments[index]);
}

/** A route that the client asks for and that this backend does not have: a 404, and no fault. */
export function absent(method: string, end: string): Route {
  return { method, end, answer: sendNotFound };
}

/** What only a full account has; a bare one answers 404. */
export function ofFullAccount(
  method: string,
  end: string,
  makeBody: (exchange: Exchange) => JsonValue | Promise<JsonValue>,
): Route {
  const answer = async (exchange: Exchange): Promise<void> => {
    if (exchange.parts.account !== "bare") await sendForAccount(exchange, makeBody);
    else sendNotFound(exchange);
  };
  return { method, end, answer };
}

/** The body, or the 401 for an access token that has been revoked. */
export async function sendForAccount(
  exchange: Exchange,
  makeBody: (exchange: Exchange) => JsonValue | Promise<JsonValue>,
): Promise<void> {
  const { request, response, parts } = exchange;
  const refusal = parts.tokens.refusalFor(request.headers.authorization);
  if (refusal !== undefined) {
    request.resume();
    response.writeHead(refusal.status, { "content-type": "application/json" }).end(refusal.bodyText);
    return;
  }
  const body = await makeBody(exchange);
  request.resume();
  sendJson(response, 200, body);
}

/** The account that the request names, and its plan. */
export function accountOf({ request, parts }: Exchange): { readonly id: string; readonly planType: string } {
  const header = request.headers["chatgpt-account-id"];
  const id = typeof header === "string" ? header : "";
  return { id, planType: parts.tokens.accountOf(id)?.planType ?? "pro" };
}

export function sendNotFound({ request, response }: Exchange): void {
  request.resume();
  sendJson(response, 404, { error: { message: "Not found.", type: "invalid_request_error", code: null } });
}
