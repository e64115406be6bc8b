/** What a request and its token say of its turn: how it waits, and which models it may use. */

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

export function mayUseModel(token: NamedToken | null, model: string): boolean {
  return token === null || token.models === null || token.models.includes(model);
}

/** @throws CodexNativeApiError `model_not_allowed`. */
export function requireModel(token: NamedToken | null, model: string): void {
  if (mayUseModel(token, model)) return;
  throw new CodexNativeApiError(
    "model_not_allowed",
    `This token may not use the model '${model.slice(0, 64)}'. GET /v1/models lists what it may.`,
    { param: "model" },
  );
}

/**
 * The request with a model that the token may use: its own, or the token's first where it names none and the choice is not
 * the service's.
 *
 * @throws CodexNativeApiError `model_not_allowed`.
 */
export function withAllowedModel<Request extends { readonly model?: string }>(
  request: Request,
  token: NamedToken | null,
): Request {
  if (request.model !== undefined) requireModel(token, request.model);
  const first = token?.models?.[0];
  return request.model !== undefined || first === undefined ? request : { ...request, model: first };
}
