import type { CodexNativeApiError } from "../../errors.js";
import type { ErrorBody } from "./wire-types.js";

export function describeError({ message, type, param, code }: CodexNativeApiError): ErrorBody {
  return { error: { message, type, param, code } };
}
