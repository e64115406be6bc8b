import { rateLimitSnapshot } from "./app-server/account-methods.js";
import type { AppServerConnection } from "./app-server/connection.js";
import type { CallOptions } from "./app-server/pending-calls.js";
import type { MethodResult } from "./app-server/protocol.js";
import type { JsonObject } from "./contract/json.js";
import type {
  AccountAnswer,
  CatalogModel,
  NativeAnswer,
  NativeQuery,
  RateLimits,
} from "./contract/native-queries.js";
import { prepareThread, type TurnContext } from "./turn/native-thread.js";

/** The most pages of a list that are read: a list that never ends must not hold us. */
const maxPages = 50;

/** Answers one of the supervisor's queries through this worker's connection. */
export async function runNativeQuery(
  context: TurnContext,
  question: NativeQuery,
  { timeoutMs, onOverdue }: { readonly timeoutMs: number; readonly onOverdue: () => void },
): Promise<NativeAnswer> {
  const { connection } = context;
  const { query } = question;
  switch (query) {
    case "account":
      return { query, account: readAccount(await connection.call("account/read", {}, { timeoutMs })) };
    case "auth_status": {
      const answer = await connection.call("getAuthStatus", {}, { timeoutMs });
      const { authMethod: authMode, requiresOpenaiAuth } = answer;
      return { query, status: { authMode, loginRequired: requiresOpenaiAuth ?? true } };
    }
    case "managed_texts":
      return { query, names: await readManagedTexts(connection, { timeoutMs }) };
    case "rate_limits": {
      const answer = await connection.call("account/rateLimits/read", {}, { timeoutMs });
      return { query, rateLimits: readRateLimits(answer.rateLimits) };
    }
    case "models": {
      const models = await readPages((page) =>
        connection.call("model/list", { ...page, includeHidden: true }, { timeoutMs }),
      );
      return { query, models: models.map(readModel) };
    }
    case "loaded_threads": {
      const threads = await readPages((page) => connection.call("thread/loaded/list", page, { timeoutMs }));
      return { query, count: threads.length };
    }
    case "resident_memory": {
      const answer = await connection.call("server/diagnostics", {}, { timeoutMs });
      return { query, bytes: answer.process.residentMemoryBytes };
    }
    case "prepare_thread":
      return { query, ...(await prepareThread(context, question.thread, { timeoutMs, onOverdue })) };
  }
}

export function readAccount(answer: MethodResult<"account/read">): AccountAnswer {
  const { workspaceRouting: routing } = answer;
  return {
    authMode: answer.account?.type ?? null,
    email: answer.account?.email ?? null,
    plan: answer.account?.planType ?? null,
    accountId: routing?.chatgptAccountId ?? null,
    loginRequired: answer.requiresOpenaiAuth,
    routing:
      routing === null ? null : { origin: routing.backendOrigin, override: routing.accountRoutingOverride },
  };
}

function readModel(model: MethodResult<"model/list">["data"][number]): CatalogModel {
  return {
    ...model,
    supportedReasoningEfforts: model.supportedReasoningEfforts.map((effort) => effort.reasoningEffort),
    serviceTiers: model.serviceTiers.map((tier) => tier.id),
  };
}

type RateLimitSnapshot = MethodResult<"account/rateLimits/read">["rateLimits"];

export function readRateLimits(snapshot: RateLimitSnapshot): RateLimits {
  return {
    primary: readWindow(snapshot.primary),
    secondary: readWindow(snapshot.secondary),
    plan: snapshot.planType,
    reached: snapshot.rateLimitReachedType,
  };
}

/** The plan's own limit, which `account/rateLimits/read` reports first; a plan may have others for single models. */
const planLimitId = "codex";

/** Null for a notice that cannot be read, or that concerns another limit than the plan's own. */
export function readRateLimitsNotice(params: JsonObject): RateLimits | null {
  const parsed = rateLimitSnapshot.safeParse(params.rateLimits);
  if (!parsed.success || (parsed.data.limitId ?? planLimitId) !== planLimitId) return null;
  return readRateLimits(parsed.data);
}

function readWindow(window: RateLimitSnapshot["primary"]) {
  if (window === null) return null;
  const { usedPercent, windowDurationMins, resetsAt } = window;
  return { usedPercent, windowMinutes: windowDurationMins, resetsAt };
}

interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}

async function readPages<Item>(
  read: (params: { readonly cursor?: string }) => Promise<Page<Item>>,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const { data, nextCursor }: Page<Item> = await read(cursor === null ? {} : { cursor });
    all.push(...data);
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  return all;
}

/** Configuration layers that belong to the user or to this service. All others are set by an administrator or organisation. */
const ownLayers: ReadonlySet<string> = new Set(["user", "project", "sessionFlags"]);

/** The keys under which an organisation adds texts to prompts; empty without any. Codex answers from what it has already read. */
export async function readManagedTexts(
  connection: Pick<AppServerConnection, "call">,
  options: CallOptions,
): Promise<readonly string[]> {
  const [{ config, origins }, { requirements }] = await Promise.all([
    connection.call("config/read", {}, options),
    connection.call("configRequirements/read", null, options),
  ]);
  const layer = origins.developer_instructions?.name.type;
  const isManaged = layer !== undefined && !ownLayers.has(layer);
  return [
    ...(isManaged && hasText(config.developer_instructions) ? ["developer_instructions"] : []),
    ...(hasText(requirements?.additionalDeveloperInstructions ?? null)
      ? ["additional_developer_instructions"]
      : []),
  ];
}

function hasText(text: string | null): boolean {
  return text !== null && text.trim() !== "";
}
