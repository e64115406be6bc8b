/** What the running service says of itself, checked at the edge, and whether it is the service that answers. */
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import type { ServiceClient } from "./service-client.js";

const window = z.looseObject({
  used_percent: z.number(),
  window_minutes: z.number().nullable(),
  /** Unix time in seconds. */
  resets_at: z.number().nullable(),
});

const report = z.looseObject({
  object: z.literal("health.check"),
  status: z.enum(["ok", "degraded", "unavailable"]),
  version: z.string(),
  native_runtime: z.looseObject({
    reason: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    degraded: z.array(z.string()),
    account: z
      .looseObject({ email: z.string().nullable(), plan: z.string().nullable(), auth_mode: z.string() })
      .nullable(),
    rate_limits: z.looseObject({ primary: window.nullable(), secondary: window.nullable() }).nullable(),
    codex_version: z.string().nullable(),
    workers: z.array(z.looseObject({ state: z.string() })),
    queue: z.looseObject({ depth: z.number(), running: z.number() }),
  }),
});

export type ServiceReport = z.infer<typeof report>;

/** Who answers at the configured address. */
export type Sighting =
  | { readonly kind: "service"; readonly report: ServiceReport; readonly body: JsonObject }
  /** The service, and it does not take our token. */
  | { readonly kind: "refused" }
  | { readonly kind: "stranger" }
  /** Nobody; `reason` is for people. */
  | { readonly kind: "nobody"; readonly reason: string };

export async function lookForService(client: ServiceClient, timeoutMs: number): Promise<Sighting> {
  try {
    const { status, body } = await client.get("/v1/health", timeoutMs);
    if (status === 401 && isJsonObject(body?.error) && body.error.code === "invalid_auth_token")
      return { kind: "refused" };
    const parsed = report.safeParse(body);
    return parsed.success && body !== null
      ? { kind: "service", report: parsed.data, body }
      : { kind: "stranger" };
  } catch (error) {
    return { kind: "nobody", reason: describeConnectFailure(error, timeoutMs) };
  }
}

function describeConnectFailure(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return "the connection failed";
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  const code = "code" in error ? String(error.code) : error.name;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no such host";
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET") return "the connection was cut";
  return `the connection failed (${code})`;
}
