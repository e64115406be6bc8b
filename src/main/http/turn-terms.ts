/** What a request and its token say of how its turn waits. */

import type { IncomingHttpHeaders } from "node:http";
import { limits } from "../../workers/contract/limits.js";
import { type TurnPriority, turnPriorities } from "../../workers/contract/turn-priority.js";
import type { NamedToken } from "../config/named-token.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnRequest } from "../runtime/types.js";

export const timeoutHeader = "x-request-timeout-ms";
export const priorityHeader = "x-request-priority";

export interface RequestArrival {
  readonly headers: IncomingHttpHeaders;
  readonly token: NamedToken | null;
  /** When it came, as `performance.now()` counts. */
  readonly startedAtMs: number;
}

/**
 * The request with its priority and its deadline. The body's `priority` goes before the header's; a token for background work makes
 * all of its turns that.
 *
 * @throws CodexNativeApiError `invalid_request` for a header of another form; `param` is its name.
 */
export function withTerms<Request extends IsolatedTurnRequest>(
  request: Request,
  { headers, token, startedAtMs }: RequestArrival,
): Request {
  const timeoutMs = readTimeout(headers[timeoutHeader]);
  const asked = request.priority ?? readPriority(headers[priorityHeader]);
  const priority = token?.priority === "background" ? "background" : asked;
  return {
    ...request,
    ...(priority !== undefined && { priority }),
    ...(timeoutMs !== null && { deadlineAtMs: startedAtMs + timeoutMs }),
  };
}

function readTimeout(text: string | readonly string[] | undefined): number | null {
  if (text === undefined) return null;
  const ms = typeof text === "string" && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (ms >= 1 && ms <= limits.maxTimerMs) return ms;
  throw fault(timeoutHeader, `an integer from 1 to ${limits.maxTimerMs}, in milliseconds`);
}

function readPriority(text: string | readonly string[] | undefined): TurnPriority | undefined {
  if (text === undefined) return undefined;
  const known = turnPriorities.find((priority) => priority === text);
  if (known !== undefined) return known;
  throw fault(priorityHeader, turnPriorities.map((priority) => `"${priority}"`).join(" or "));
}

function fault(header: string, allowed: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `The header ${header} takes ${allowed}.`, {
    param: header,
  });
}
