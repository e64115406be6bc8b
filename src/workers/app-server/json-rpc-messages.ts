import { isJsonObject } from "../contract/json.js";

/** Zero and the empty string are ids as good as any. */
export type RequestId = string | number;

export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type JsonRpcInput =
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown }
  | { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | { readonly kind: "result"; readonly id: RequestId; readonly result: unknown }
  | { readonly kind: "error"; readonly id: RequestId; readonly error: JsonRpcErrorBody }
  | { readonly kind: "fault"; readonly fault: "message_not_json" | "message_unshaped" };

const notJson = { kind: "fault", fault: "message_not_json" } as const;
const unshaped = { kind: "fault", fault: "message_unshaped" } as const;

/** Sorts a message by its keys. The app-server leaves `jsonrpc` out, so it is not asked for. */
export function readJsonRpcMessage(text: string): JsonRpcInput {
  const message = parse(text);
  if (message === undefined) return notJson;
  if (!isJsonObject(message)) return unshaped;
  const { id, method, params, error } = message;
  if (typeof method === "string") {
    if (id === undefined) return { kind: "notification", method, params };
    return isRequestId(id) ? { kind: "request", id, method, params } : unshaped;
  }
  if (!isRequestId(id)) return unshaped;
  if (isErrorBody(error)) return { kind: "error", id, error };
  return "result" in message ? { kind: "result", id, result: message.result } : unshaped;
}

/** `undefined` is no JSON value, so it can stand for a text that is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told to the caller, who counts it. The text is not kept: it may hold a prompt.
    return undefined;
  }
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === "number" || typeof value === "string";
}

function isErrorBody(value: unknown): value is JsonRpcErrorBody {
  return isJsonObject(value) && typeof value.code === "number" && typeof value.message === "string";
}
