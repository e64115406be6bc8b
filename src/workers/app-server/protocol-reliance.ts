/** Everything of the app-server's protocol that this service relies on, listed once for the drift test. */
import type { z } from "zod";
import { accountNotificationSchemas, serverNoticeSchemas } from "./account-methods.js";
import { optOutNotifications } from "./opt-out-notifications.js";
import { methods } from "./protocol.js";
import { serverRequestAnswers, toolCallParams } from "./server-request-policy.js";
import { threadNotificationSchemas } from "./thread-notification-schemas.js";

export interface ProtocolReliance {
  /** What we send and what we read of the answer. */
  readonly methods: Readonly<Record<string, { readonly params: z.ZodType; readonly result: z.ZodType }>>;
  /** What we read of each notification. One method may be read in more than one way. */
  readonly notifications: readonly (readonly [method: string, schema: z.ZodType])[];
  readonly optedOut: readonly string[];
  /** Requests of the app-server's that have an answer, and what we read of them. */
  readonly serverRequests: readonly string[];
  readonly serverRequestParams: Readonly<Record<string, z.ZodType>>;
}

export const protocolReliance: ProtocolReliance = {
  methods,
  notifications: [
    ...Object.entries(threadNotificationSchemas),
    ...Object.entries(accountNotificationSchemas),
    ...Object.entries(serverNoticeSchemas),
  ],
  optedOut: optOutNotifications,
  serverRequests: Object.keys(serverRequestAnswers),
  serverRequestParams: { "item/tool/call": toolCallParams },
};
