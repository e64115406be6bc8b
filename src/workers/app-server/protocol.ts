/**
 * The part of the app-server's protocol that this service relies on. Foreign messages are loose on keys we do not read
 * and strict on those we do. `test/contract/app-server-protocol.test.ts` compares it with the installed binary.
 */
import type { z } from "zod";
import type { JsonObject } from "../contract/json.js";
import { accountMethods } from "./account-methods.js";
import type { PackedList } from "./packed-list.js";
import { threadMethods, type threadNotificationSchemas } from "./thread-methods.js";

export const methods = { ...accountMethods, ...threadMethods } as const;

/** The parameters of the schema; the items may already be JSON. */
interface InjectParams {
  readonly threadId: string;
  readonly items: readonly JsonObject[] | PackedList;
}

export type MethodName = keyof typeof methods;
export type MethodParams<Method extends MethodName> = Method extends "thread/inject_items"
  ? InjectParams
  : z.input<(typeof methods)[Method]["params"]>;
export type MethodResult<Method extends MethodName> = z.output<(typeof methods)[Method]["result"]>;

export type ThreadNotificationMethod = keyof typeof threadNotificationSchemas;
export type ThreadNotificationParams<Method extends ThreadNotificationMethod> = z.output<
  (typeof threadNotificationSchemas)[Method]
>;
/** A notification of one thread, tagged by `method`. */
export type ThreadNotification = {
  readonly [Method in ThreadNotificationMethod]: {
    readonly method: Method;
    readonly params: ThreadNotificationParams<Method>;
  };
}[ThreadNotificationMethod];

export type TurnStatus = ThreadNotificationParams<"turn/completed">["turn"]["status"];
export type NativeTurnError = ThreadNotificationParams<"error">["error"];
export type NativeTokenUsage = ThreadNotificationParams<"thread/tokenUsage/updated">["tokenUsage"]["last"];

/** A call of one of the caller's functions; the turn waits until it is answered. */
export interface ToolCall {
  readonly turnId: string;
  readonly callId: string;
  /** The dynamic tool's declared name. */
  readonly tool: string;
  readonly namespace: string | null;
  readonly arguments: unknown;
}

export type ToolCallContentItem =
  | { readonly type: "inputText"; readonly text: string }
  | { readonly type: "inputImage"; readonly imageUrl: string };

export interface ToolCallAnswer {
  readonly success: boolean;
  readonly contentItems: readonly ToolCallContentItem[];
}
