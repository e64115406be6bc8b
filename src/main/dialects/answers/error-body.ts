import type { CodexNativeApiError } from "../../errors.js";

/** An error in OpenAI's shape, which both of its dialects share. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

export function describeError({ message, type, param, code }: CodexNativeApiError): ErrorBody {
  return { error: { message, type, param, code } };
}
