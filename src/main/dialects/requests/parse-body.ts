import type { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { measureJsonBytes } from "../../../workers/contract/measure-json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../../errors.js";
import { requestLimits } from "./fields.js";
import { toRequestError } from "./schema-fault.js";

/** Elements of a list, in order. */
export interface ElementBatch {
  readonly firstIndex: number;
  readonly values: readonly unknown[];
}

/** A request body whose long lists are parsed a few elements at a time. */
export interface JsonBody {
  /** The whole of it, but for the elements of `input` and `messages`, which are empty lists here. */
  readonly value: unknown;
  /** The elements of a field that is such a list, once. Throws `invalid_json` where they are none. */
  readonly elements: (name: string) => AsyncIterable<ElementBatch>;
}

/** They have bounds of their own, and may be as long as a conversation is. */
const conversation: ReadonlySet<string> = new Set(["input", "instructions", "messages"]);

/**
 * A body as its schema has it.
 *
 * @param unsupported the dialect's own code for a feature that Codex has no place for.
 * @throws CodexNativeApiError `invalid_request`, or what `unsupported` says; `param` is the path of the field.
 */
export function parseBody<Body>(
  schema: z.ZodType<Body>,
  body: unknown,
  unsupported: CodexNativeApiErrorCode,
): Body {
  if (!isJsonObject(body)) {
    throw new CodexNativeApiError("invalid_request", "The request body must be a JSON object.");
  }
  refuseLongFields(body);
  const parsed = schema.safeParse(body, { reportInput: true });
  if (!parsed.success) throw toRequestError(parsed.error, unsupported);
  return parsed.data;
}

function refuseLongFields(body: JsonObject): void {
  for (const [name, value] of Object.entries(body)) {
    if (conversation.has(name) || measureJsonBytes(value) <= requestLimits.maxFieldBytes) continue;
    const param = name.slice(0, 64);
    const message = `'${param}' is longer than ${requestLimits.maxFieldBytes} bytes of JSON.`;
    throw new CodexNativeApiError("invalid_request", message, { param });
  }
}

/** Takes one element of a list after another. What it throws ends the list. */
export type TakeElement = (value: unknown, index: number) => void;

/** Hands on the elements of a body's list, and lets the event loop go on between them. */
export async function readElements(
  body: JsonBody,
  name: string,
  pace: Pace,
  take: TakeElement,
): Promise<void> {
  for await (const { firstIndex, values } of body.elements(name)) {
    for (const [offset, value] of values.entries()) {
      take(value, firstIndex + offset);
      if (pace.isDue) await pace.rest();
    }
  }
}
