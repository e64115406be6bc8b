import { BadAnswerError } from "./errors.js";
import type { JsonRpcClient } from "./json-rpc-client.js";
import type { CallOptions } from "./pending-calls.js";
import { type MethodName, type MethodParams, type MethodResult, methods } from "./protocol.js";

export interface MethodCallOptions<Method extends MethodName> extends Omit<CallOptions, "onLateResult"> {
  /** Takes a result that comes after the deadline or the abort, so that what the call made is not left behind. */
  readonly onLateResult?: (result: MethodResult<Method>) => void;
}

/** One call of a method we know, its answer checked. Throws what `JsonRpcClient.call` throws, and `BadAnswerError`. */
export async function callMethod<Method extends MethodName>(
  client: JsonRpcClient,
  method: Method,
  params: MethodParams<Method>,
  { onLateResult, ...options }: MethodCallOptions<Method>,
): Promise<MethodResult<Method>> {
  const read = (answer: unknown): MethodResult<Method> => {
    const parsed = methods[method].result.safeParse(answer);
    if (!parsed.success) {
      throw new BadAnswerError(`the answer to ${method} could not be read`, { cause: parsed.error });
    }
    // The schema was looked up by this very method; TypeScript cannot pair the two in a union.
    return parsed.data as MethodResult<Method>;
  };
  const lateOptions = onLateResult && { onLateResult: (answer: unknown) => onLateResult(read(answer)) };
  return read(await client.call(method, params, { ...options, ...lateOptions }));
}
