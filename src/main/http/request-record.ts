import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { NamedToken } from "../config/named-token.js";
import type { CodexNativeApiError } from "../errors.js";
import type { RequestExchange } from "../exchange/exchange.js";
import type { IsolatedTurnResult } from "../runtime/types.js";
import type { IncomingBody } from "./body/incoming-body.js";
import type { RequestObservation } from "./metrics-sink.js";

/**
 * What is known of a request when it is over, for its one log line. Ids and numbers only: no text of a prompt, no header. A message on
 * a WebSocket that asks for a response is a request too.
 */
export class RequestRecord {
  readonly startedAtMs: number;
  /** The token that the request came with; null where none is needed, and before the check. */
  token: NamedToken | null = null;
  responseId: string | null = null;
  taskClass: string | null = null;
  /** Set once its turn begins to run. */
  exchange: Pick<RequestExchange, "turn" | "started" | "firstEventAtMs" | "fileAccess"> | null = null;
  /** How its turn ended. */
  outcome: IsolatedTurnResult["outcome"]["status"] | "failed" | null = null;
  errorCode: string | null = null;

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }
}

/** The same of a request with a body of its own. */
export class HttpRequestRecord extends RequestRecord {
  readonly body: IncomingBody;
  /** Its connection was handed over to a WebSocket. */
  isUpgraded = false;

  constructor(startedAtMs: number, body: IncomingBody) {
    super(startedAtMs);
    this.body = body;
  }
}

export const recordKey = "record";

export function recordOf(request: FastifyRequest): HttpRequestRecord {
  return request.getDecorator<HttpRequestRecord>(recordKey);
}

/** What metrics learn of a request. Its status is null if the caller left: nothing else ends an answer before it is sent. */
export function observationOf(
  request: FastifyRequest,
  { raw }: FastifyReply,
  nowMs: number,
): RequestObservation {
  const record = recordOf(request);
  const sent = raw.writableFinished ? raw.statusCode : null;
  return {
    route: request.routeOptions.url ?? null,
    method: request.method,
    status: record.isUpgraded ? 101 : sent,
    errorCode: record.errorCode,
    caller: record.token?.name ?? null,
    durationMs: nowMs - record.startedAtMs,
  };
}

/** A request that is over. */
export interface EndedRequest {
  readonly requestId: string;
  readonly record: RequestRecord;
  readonly observation: RequestObservation;
  /** It comes so often that its line is for debugging, unless it failed. Default: false. */
  readonly isPoll?: boolean;
}

/** One line for each request. The logger leaves undefined fields out. */
export function logRequest(logger: Logger, ended: EndedRequest): void {
  const { requestId, record, observation, isPoll = false } = ended;
  const { route, method, status, errorCode, durationMs } = observation;
  const { token, responseId, taskClass, exchange, outcome, startedAtMs } = record;
  const turn = exchange?.started;
  const choices = exchange?.turn.choices ?? 1;
  const files = exchange?.fileAccess;
  const firstEventAtMs = exchange?.firstEventAtMs ?? null;
  const fields = {
    event: "http.request",
    request_id: requestId,
    method,
    route,
    status,
    caller: token?.name,
    response_id: responseId ?? undefined,
    task_class: taskClass ?? undefined,
    choices: choices > 1 ? choices : undefined,
    thread_id: turn?.threadId,
    turn_id: turn?.turnId,
    model: turn?.model,
    worker_id: turn?.target.workerId,
    app_server_generation: turn?.target.appServerGeneration,
    files_readable: files?.readable,
    files_unreadable_reason: files?.reason ?? undefined,
    files_read: files?.read.length,
    files_refused: files?.refused.length,
    first_event_ms: firstEventAtMs === null ? undefined : round(firstEventAtMs - startedAtMs),
    total_ms: round(durationMs),
    outcome: status === null ? "client_left" : (outcome ?? undefined),
    error_code: errorCode ?? undefined,
  };
  if (isPoll && errorCode === null) logger.debug(fields, "request");
  else if (status !== null && status >= 500) logger.warn(fields, "request");
  else logger.info(fields, "request");
}

/** Logs an unexpected error. All others are for the caller to read, and the request's line has their code. */
export function logFault(logger: Logger | undefined, requestId: string, error: CodexNativeApiError): void {
  if (error.code !== "internal_error") return;
  const err = error.cause ?? error;
  logger?.error({ event: "http.fault", request_id: requestId, err }, "request failed");
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
