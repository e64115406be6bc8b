import { BadAnswerError } from "./errors.js";
import type { JsonRpcClient } from "./json-rpc-client.js";
import type { CallOptions } from "./pending-calls.js";
import { type MethodName, type MethodParams, type MethodResult, methods } from "./protocol.js";

/** One call of a method we know, its answer checked. Throws what `JsonRpcClient.call` throws, and `BadAnswerError`. */
export async function callMethod<Method extends MethodName>(
  client: JsonRpcClient,
  method: Method,
  params: MethodParams<Method>,
  options: CallOptions,
): Promise<MethodResult<Method>> {
  const parsed = methods[method].result.safeParse(await client.call(method, params, options));
  if (!parsed.success) {
    throw new BadAnswerError(`the answer to ${method} could not be read`, { cause: parsed.error });
  }
  // The schema was looked up by this very method; TypeScript cannot pair the two in a union.
  return parsed.data as MethodResult<Method>;
}
