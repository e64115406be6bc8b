import { setTimeout as delay } from "node:timers/promises";
import { resetCredits, usageProfile, userSettings, workspaceMessages } from "./full-account.js";
import { sendJson } from "./http-exchange.js";
import type { JsonObject } from "./json.js";
import { accountOf, type Exchange, ofFullAccount, type Route, sendForAccount } from "./route.js";

/** What `chatgpt_base_url` is asked for about the account itself. */
export const accountRoutes: readonly Route[] = [
  { method: "GET", end: "/accounts/check", answer: checkAccounts },
  { method: "GET", end: "/usage", answer: tellUsage },
  { method: "GET", end: "/config/bundle", answer: tellManagedConfiguration },
  ofFullAccount("GET", "/settings/user", () => userSettings),
  ofFullAccount("GET", "/rate-limit-reset-credits", () => resetCredits),
  ofFullAccount("GET", "/profiles/me", () => usageProfile),
  ofFullAccount("GET", "/workspace-messages", () => workspaceMessages),
  ofFullAccount("POST", "/analytics-events/events", () => ({})),
];

async function checkAccounts(exchange: Exchange): Promise<void> {
  exchange.parts.counters.accountsCheckCalls++;
  await delay(exchange.parts.accountCheckDelayMs());
  if (exchange.parts.counters.accountsCheckCalls <= exchange.parts.refusedAccountChecks) {
    exchange.request.resume();
    sendJson(exchange.response, 503, { detail: "The account cannot be read now." });
    return;
  }
  await sendForAccount(exchange, listAccounts);
}

async function tellManagedConfiguration(exchange: Exchange): Promise<void> {
  const { counters, refusedBundles } = exchange.parts;
  counters.bundleCalls++;
  if (counters.bundleCalls <= refusedBundles) {
    exchange.request.resume();
    sendJson(exchange.response, 503, { detail: "The configuration cannot be read now." });
    return;
  }
  await sendForAccount(exchange, ({ parts }) => parts.managedConfiguration);
}

async function tellUsage(exchange: Exchange): Promise<void> {
  const { counters, service } = exchange.parts;
  counters.usageCalls++;
  await sendForAccount(exchange, () => service.rateLimits.toUsage(accountOf(exchange).planType));
}

/** Codex refuses to start work for an account that is not listed with exactly these keys. */
function listAccounts(exchange: Exchange): JsonObject {
  const { id, planType } = accountOf(exchange);
  const { origin, override } = exchange.parts.workspaceRouting;
  return {
    accounts: [
      {
        id,
        plan_type: planType,
        workspace_backend_origin: origin,
        account_routing_override: override,
        name: exchange.parts.account === "full" ? "Offline Inc." : null,
      },
    ],
    account_ordering: [id],
    default_account_id: id,
  };
}
