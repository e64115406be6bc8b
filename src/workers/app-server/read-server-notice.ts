import type { JsonObject } from "../contract/json.js";
import { accountNotificationSchemas, serverNoticeSchemas } from "./account-methods.js";

export interface ServerNotice {
  readonly about: "account" | "server";
  readonly params: JsonObject;
}

/** A notification that concerns no thread, or null when it is none that we read. */
export function readServerNotice(method: string, params: unknown): ServerNotice | "malformed" | null {
  const found = find(method);
  if (found === null) return null;
  const parsed = found.schema.safeParse(params);
  return parsed.success ? { about: found.about, params: parsed.data } : "malformed";
}

function find(method: string) {
  switch (method) {
    case "account/updated":
    case "account/rateLimits/updated":
    case "account/login/completed":
      return { about: "account", schema: accountNotificationSchemas[method] } as const;
    case "warning":
    case "configWarning":
      return { about: "server", schema: serverNoticeSchemas[method] } as const;
    default:
      return null;
  }
}
