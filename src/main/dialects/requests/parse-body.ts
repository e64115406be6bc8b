import type { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../../errors.js";
import { refuseDeepNesting } from "./nesting.js";
import { toRequestError } from "./schema-fault.js";

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
  refuseDeepNesting(body);
  const parsed = schema.safeParse(body, { reportInput: true });
  if (!parsed.success) throw toRequestError(parsed.error, unsupported);
  return parsed.data;
}
