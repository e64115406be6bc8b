/** Terms of a turn, from the headers of its request and its token: how it waits, and which models it may use. */

import type { IncomingHttpHeaders } from "node:http";
import { limits } from "../../workers/contract/limits.js";
import { type TurnPriority, turnPriorities } from "../../workers/contract/turn.js";
import { officialDecisionModel } from "../config/defaults.js";
import type { NamedToken } from "../config/named-token.js";
import { withName } from "../dialects/decisions/name-model.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnRequest, NamedModel, NativeTurnRuntime, ResolveOptions } from "../runtime/types.js";

export const timeoutHeader = "x-request-timeout-ms";
export const priorityHeader = "x-request-priority";

export interface RequestArrival {
  readonly headers: IncomingHttpHeaders;
  readonly token: NamedToken | null;
  /** When the request arrived, by `performance.now()`. */
  readonly startedAtMs: number;
}

/**
 * Adds its priority and its deadline to a request. The body's `priority` has precedence over the header's; a token for background work
 * makes all of its turns background work.
 *
 * @throws CodexNativeApiError `invalid_request` for a header of another form; `param` is its name.
 */
export function withTerms<Request extends IsolatedTurnRequest>(
  request: Request,
  { headers, token, startedAtMs }: RequestArrival,
): Request {
  const timeoutMs = readHeader(headers, timeoutHeader, allowedTimeout, readTimeout);
  // The header is not even read where the body has a priority.
  const asked = request.priority ?? readHeader(headers, priorityHeader, allowedPriority, readPriority);
  const priority = token?.priority === "background" ? "background" : asked;
  return {
    ...request,
    ...(priority !== undefined && { priority }),
    ...(timeoutMs !== undefined && { deadlineAtMs: startedAtMs + timeoutMs }),
  };
}

const allowedTimeout = `an integer from 1 to ${limits.maxTimerMs}, in milliseconds`;

function readTimeout(text: string): number | undefined {
  const ms = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return ms >= 1 && ms <= limits.maxTimerMs ? ms : undefined;
}

const allowedPriority = turnPriorities.map((priority) => `"${priority}"`).join(" or ");

function readPriority(text: string): TurnPriority | undefined {
  return turnPriorities.find((priority) => priority === text);
}

function readHeader<Value>(
  headers: IncomingHttpHeaders,
  name: string,
  allowed: string,
  read: (text: string) => Value | undefined,
): Value | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const value = typeof text === "string" ? read(text) : undefined;
  if (value !== undefined) return value;
  const message = `The header ${name} takes ${allowed}.`;
  throw new CodexNativeApiError("invalid_request", message, { param: name });
}

/** Whether a token lists the model, or the alias by which it was named. */
export function mayUseModel(token: NamedToken | null, model: string, alias: string | null = null): boolean {
  const listed = token?.models ?? null;
  return listed === null || listed.includes(model) || (alias !== null && listed.includes(alias));
}

/**
 * What a name stands for. The only way from a caller's name to a model: no spelling gets around a token's list.
 *
 * @throws CodexNativeApiError `model_not_found`, `model_not_allowed`.
 */
export async function resolveAllowed(
  name: string,
  token: NamedToken | null,
  { runtime, ...options }: ResolveOptions & { readonly runtime: NativeTurnRuntime },
): Promise<NamedModel> {
  const isListed = mayUseModel(token, name);
  try {
    const named = (await runtime.resolveModel?.(name, options)) ?? asId(name);
    if (isListed || mayUseModel(token, named.model, named.alias)) return named;
  } catch (error) {
    const { code } = CodexNativeApiError.fromUnknown(error);
    // A token with a list learns nothing of other names.
    if (isListed || code !== "model_not_found") throw error;
  }
  const message = `This token may not use the model '${name.slice(0, 64)}'. GET /v1/models lists its models.`;
  throw new CodexNativeApiError("model_not_allowed", message, { param: "model" });
}

function asId(model: string): NamedModel {
  return { model, alias: null, effort: null, serviceTier: null };
}

/** Who gives a request its model. */
export interface ModelTerms {
  readonly token: NamedToken | null;
  readonly runtime: NativeTurnRuntime;
  /** See `ResolveOptions`. */
  readonly forDecisions: boolean;
}

/**
 * Gives a request the model that its name stands for, or that of the first of the token's names where it names none; and effort and tier
 * of that name, where it gives none itself. A token without a list leaves the choice to the service.
 *
 * @throws CodexNativeApiError `model_not_found`, `model_not_allowed`.
 */
export async function withNamedModel<Request extends IsolatedTurnRequest>(
  request: Request,
  { token, runtime, forDecisions }: ModelTerms,
): Promise<Request> {
  const standard = forDecisions ? officialDecisionModel : undefined;
  const name = request.model ?? token?.models?.[0] ?? standard;
  if (name === undefined) return request;
  const { deadlineAtMs } = request;
  const timeoutMs = deadlineAtMs === undefined ? undefined : Math.max(0, deadlineAtMs - performance.now());
  return withName(request, await resolveAllowed(name, token, { runtime, timeoutMs, forDecisions }));
}
