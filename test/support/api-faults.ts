/** Errors as the official client reads them. */
import OpenAI from "openai";
import type { Test } from "tap";

export interface ExpectedFault {
  readonly status: number;
  readonly code: string;
  /** The official client's class of error, exactly. */
  readonly type: abstract new (
    ...args: never
  ) => InstanceType<typeof OpenAI.APIError>;
  /** Default none. */
  readonly param?: string;
  /** Default false: the official clients are told not to. */
  readonly retry?: boolean;
  /** Seconds. Default: 1 where a retry helps, none elsewhere. */
  readonly retryAfter?: number;
}

/** tap's own matcher for errors wants an Error's shape. */
export async function faultOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "it was answered",
    (error: unknown) => error,
  );
}

export function checkFault(t: Test, fault: unknown, expected: ExpectedFault): void {
  const { code, status, type, param = null, retry = false } = expected;
  if (!(fault instanceof OpenAI.APIError)) {
    t.fail(`${code}: not an error of the API's`, { fault });
    return;
  }
  t.equal(fault.constructor, type, `${code}: ${fault.constructor.name}`);
  t.match(fault, { status, code, param, requestID: /^req_/ }, code);
  t.match(fault.error, { message: /\S/, type: /^[a-z_]+$/, code }, `${code}: OpenAI's shape`);
  t.equal(fault.headers.get("x-should-retry"), retry ? null : "false", `${code}: x-should-retry`);
  const { retryAfter = retry ? 1 : null } = expected;
  const seconds = fault.headers.get("retry-after");
  t.equal(seconds === null ? null : Number(seconds), retryAfter, `${code}: Retry-After`);
}
