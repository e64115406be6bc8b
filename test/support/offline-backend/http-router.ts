import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { BackendCounters } from "./counters.js";
import type { DeviceLogins } from "./device-logins.js";
import { sendJson } from "./http-exchange.js";
import { type JsonObject, parseJsonObject } from "./json.js";
import type { ModelService } from "./model-service.js";
import { readBody } from "./request-body.js";
import { answerBySse } from "./sse-endpoint.js";
import type { TokenAuthority } from "./token-authority.js";

export interface RouterParts {
  readonly service: ModelService;
  readonly tokens: TokenAuthority;
  readonly deviceLogins: DeviceLogins;
  readonly counters: BackendCounters;
  /** What `GET /v1/models` answers; undefined is 404, and Codex uses its bundled catalogue. */
  readonly catalog: JsonObject | undefined;
  readonly tokenRefreshDelayMs: () => number;
  readonly accountCheckDelayMs: () => number;
}

/** Everything that is plain HTTP. Paths are known by their end: `chatgpt_base_url` decides what is before. */
export async function routeHttp(
  request: IncomingMessage,
  response: ServerResponse,
  parts: RouterParts,
): Promise<void> {
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  const route = `${request.method ?? "GET"} ${ROUTE_ENDS.find((end) => path.endsWith(end)) ?? path}`;
  switch (route) {
    case "POST /responses":
      await answerBySse(request, response, parts.service);
      return;
    case "GET /models":
      parts.counters.modelsListCalls++;
      if (parts.catalog === undefined) {
        sendNotFound(response);
      } else {
        sendJson(response, 200, parts.catalog);
      }
      return;
    case "GET /accounts/check":
      parts.counters.accountsCheckCalls++;
      await delay(parts.accountCheckDelayMs());
      sendForAccount(request, response, parts, listAccounts);
      return;
    case "GET /usage":
      parts.counters.usageCalls++;
      sendForAccount(request, response, parts, (_id, planType) => parts.service.rateLimits.toUsage(planType));
      return;
    case "POST /oauth/token":
      await grantTokens(request, response, parts);
      return;
    case "POST /deviceauth/usercode":
      request.resume();
      sendJson(response, 200, parts.deviceLogins.issueCode());
      return;
    case "POST /deviceauth/token": {
      request.resume();
      const { status, body } = parts.deviceLogins.poll();
      sendJson(response, status, body);
      return;
    }
    default:
      parts.counters.unknownRoutes++;
      request.resume();
      sendNotFound(response);
  }
}

const ROUTE_ENDS = [
  "/responses",
  "/models",
  "/accounts/check",
  "/usage",
  "/oauth/token",
  "/deviceauth/usercode",
  "/deviceauth/token",
];

function sendForAccount(
  request: IncomingMessage,
  response: ServerResponse,
  parts: RouterParts,
  makeBody: (accountId: string, planType: string) => JsonObject,
): void {
  const refusal = parts.tokens.refusalFor(request.headers.authorization);
  if (refusal !== undefined) {
    response.writeHead(refusal.status, { "content-type": "application/json" }).end(refusal.bodyText);
    return;
  }
  const header = request.headers["chatgpt-account-id"];
  const accountId = typeof header === "string" ? header : "";
  sendJson(response, 200, makeBody(accountId, parts.tokens.accountOf(accountId)?.planType ?? "pro"));
}

/** Codex refuses to start work for an account that is not listed with exactly these keys. */
function listAccounts(accountId: string, planType: string): JsonObject {
  return {
    accounts: [
      {
        id: accountId,
        plan_type: planType,
        workspace_backend_origin: "https://127.0.0.1",
        account_routing_override: "NO_CONSTRAINT",
        name: null,
      },
    ],
    account_ordering: [accountId],
    default_account_id: accountId,
  };
}

/** A refresh comes as JSON, the code of a device login as a form. */
async function grantTokens(
  request: IncomingMessage,
  response: ServerResponse,
  parts: RouterParts,
): Promise<void> {
  const body = await readBody(request);
  const grant = new URLSearchParams(body.toString("utf8")).get("grant_type");
  if (grant === "authorization_code") {
    const answer = parts.deviceLogins.exchange();
    sendJson(response, answer.status, answer.body);
    return;
  }
  // The token is used up when the request arrives, not when its answer leaves: two at once race as they do for real.
  const answer = parts.tokens.refresh(parseJsonObject(body.toString("utf8"))?.refresh_token);
  const delayMs = parts.tokenRefreshDelayMs();
  if (delayMs > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      response.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  if (!response.destroyed) {
    sendJson(response, answer.status, answer.body);
  }
}

function sendNotFound(response: ServerResponse): void {
  sendJson(response, 404, { error: { message: "Not found.", type: "invalid_request_error", code: null } });
}
