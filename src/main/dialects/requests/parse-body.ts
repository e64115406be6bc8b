import type { z } from "zod";
import { isJsonObject, type JsonObject, measureJsonBytes } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../../errors.js";
import { requestLimits } from "./fields.js";
import { fieldError, requestParsing, toRequestError } from "./schema-fault.js";

/** Elements of a list, in order. */
export interface ElementBatch {
  readonly firstIndex: number;
  readonly values: readonly unknown[];
}

/** A request body whose long lists are parsed a few elements at a time. */
export interface JsonBody {
  /** The whole of it, but for the elements of `input`, `messages` and `questions`, which are empty lists here. */
  readonly value: unknown;
  /** The elements of a field that is such a list, once. Throws `invalid_json` where they are none. */
  readonly elements: (name: string) => AsyncIterable<ElementBatch>;
}

/** They have bounds of their own, and may be as long as a conversation is. */
const conversation: ReadonlySet<string> = new Set(["input", "instructions", "messages", "questions"]);

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
  const parsed = schema.safeParse(body, requestParsing);
  if (!parsed.success) throw toRequestError(parsed.error, unsupported);
  return parsed.data;
}

function refuseLongFields(body: JsonObject): void {
  for (const [name, value] of Object.entries(body)) {
    if (conversation.has(name) || measureJsonBytes(value) <= requestLimits.maxFieldBytes) continue;
    throw fieldError(name.slice(0, 64), `is longer than ${requestLimits.maxFieldBytes} bytes of JSON`);
  }
}

/** Reads the elements of a list, one after another. What `take` throws ends the list. */
export interface ListReader<Result> {
  take(value: unknown, index: number): void;
  finish(): Result;
}

/** Reads a list that a host composed. Works on without a pause. */
export function readList<Result>(values: readonly unknown[], reader: ListReader<Result>): Result {
  for (const [index, value] of values.entries()) reader.take(value, index);
  return reader.finish();
}

/** Reads the list of a body that came over the wire, and lets the event loop go on between its elements. */
export async function readElements<Result>(
  body: JsonBody,
  name: string,
  pace: Pace,
  reader: ListReader<Result>,
): Promise<Result> {
  await pace.breathe();
  for await (const { firstIndex, values } of body.elements(name)) {
    for (const [offset, value] of values.entries()) {
      reader.take(value, firstIndex + offset);
      if (pace.isDue) await pace.rest();
    }
  }
  return reader.finish();
}
