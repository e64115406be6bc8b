/** Looks for the running service, and checks its report of itself. */
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import { ServiceClient, serviceAddress } from "./service-client.js";

const window = z
  .looseObject({
    used_percent: z.number(),
    window_minutes: z.number().nullable(),
    /** Unix time in seconds. */
    resets_at: z.number().nullable(),
  })
  .transform(({ used_percent: usedPercent, window_minutes: windowMinutes, resets_at: resetsAt }) => ({
    usedPercent,
    windowMinutes,
    resetsAt,
  }));

const account = z
  .looseObject({ email: z.string().nullable(), plan: z.string().nullable(), auth_mode: z.string() })
  .transform(({ email, plan, auth_mode: authMode }) => ({ email, plan, authMode }));

/** Older services do not say. */
const modelNames = z
  .looseObject({
    catalog_checked: z.boolean(),
    aliases: z.array(z.looseObject({ name: z.string(), problem: z.string().nullable() })),
  })
  .optional();

const report = z.looseObject({
  object: z.literal("health.check"),
  status: z.enum(["ok", "degraded", "unavailable"]),
  version: z.string(),
  native_runtime: z.looseObject({
    reason: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    degraded: z.array(z.string()),
    account: account.nullable(),
    rate_limits: z.looseObject({ primary: window.nullable(), secondary: window.nullable() }).nullable(),
    codex_version: z.string().nullable(),
    model_names: modelNames,
    workers: z.array(z.looseObject({ state: z.string() })),
    queue: z.looseObject({ depth: z.number(), running: z.number() }),
  }),
});

export type ServiceReport = z.output<typeof report>;

/** The program that answers at the configured address. */
export type Sighting =
  | {
      readonly kind: "service";
      readonly baseUrl: string;
      readonly client: ServiceClient;
      readonly report: ServiceReport;
      readonly body: JsonObject;
    }
  /** The service, which refuses our token. */
  | { readonly kind: "refused"; readonly baseUrl: string }
  /** Another program. */
  | { readonly kind: "stranger"; readonly baseUrl: string }
  /** None; `reason` is for people. */
  | { readonly kind: "nobody"; readonly baseUrl: string; readonly reason: string }
  /** The configuration has port 0, so that the address is unknown. */
  | { readonly kind: "no_address" };

/** Calls `visit` with the program that answers at the configured address, and closes all connections afterwards. */
export async function visitService<T>(
  config: CodexNativeApiConfig,
  timeoutMs: number,
  visit: (sighting: Sighting) => Promise<T> | T,
): Promise<T> {
  const baseUrl = serviceAddress(config);
  if (baseUrl === null) return visit({ kind: "no_address" });
  const client = new ServiceClient(baseUrl, config.auth.token);
  try {
    return await visit(await lookForService(client, timeoutMs));
  } finally {
    await client.destroy();
  }
}

async function lookForService(client: ServiceClient, timeoutMs: number): Promise<Sighting> {
  const { baseUrl } = client;
  try {
    const { status, body } = await client.get("/v1/health", timeoutMs);
    if (status === 401 && isJsonObject(body?.error) && body.error.code === "invalid_auth_token")
      return { kind: "refused", baseUrl };
    const parsed = report.safeParse(body);
    return parsed.success && body !== null
      ? { kind: "service", baseUrl, client, report: parsed.data, body }
      : { kind: "stranger", baseUrl };
  } catch (error) {
    return { kind: "nobody", baseUrl, reason: describeConnectFailure(error, timeoutMs) };
  }
}

const connectFailures: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOTFOUND", "there is no such host"],
  ["EAI_AGAIN", "there is no such host"],
  ["ECONNRESET", "the connection was cut"],
  ["UND_ERR_SOCKET", "the connection was cut"],
]);

function describeConnectFailure(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "the connection failed";
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  const code = "code" in error ? String(error.code) : error.name;
  return connectFailures.get(code) ?? `the connection failed (${code})`;
}
