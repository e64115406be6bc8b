import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { NamedToken } from "../config/named-token.js";
import type { Exchange } from "../exchange/exchange.js";
import type { IsolatedTurnResult } from "../runtime/types.js";
import type { IncomingBody } from "./body/incoming-body.js";
import type { RequestObservation } from "./metrics-sink.js";

/** How a turn's request ended, seen from here. */
export type RequestOutcome = IsolatedTurnResult["outcome"]["status"] | "failed" | "client_left";

/** What is known of a request when it is over, for its one log line. Ids and numbers only: no text of a prompt, no header. */
export class RequestRecord {
  readonly startedAtMs: number;
  readonly body: IncomingBody;
  /** Whose token the request came with; null where none is needed, and before it is known. */
  token: NamedToken | null = null;
  responseId: string | null = null;
  taskClass: string | null = null;
  /** Set once its turn is followed. */
  exchange: Pick<Exchange, "started" | "firstEventAtMs"> | null = null;
  outcome: RequestOutcome | null = null;
  errorCode: string | null = null;

  constructor(startedAtMs: number, body: IncomingBody) {
    this.startedAtMs = startedAtMs;
    this.body = body;
  }
}

export const recordKey = "record";

export function recordOf(request: FastifyRequest): RequestRecord {
  return request.getDecorator<RequestRecord>(recordKey);
}

/** Nothing but its client ends an answer early: one that was not written to its end has lost it. */
function wasWritten(reply: FastifyReply): boolean {
  return reply.raw.writableFinished;
}

/** What metrics are told of a request. */
export function observationOf(
  request: FastifyRequest,
  reply: FastifyReply,
  nowMs: number,
): RequestObservation {
  const record = recordOf(request);
  return {
    route: request.routeOptions.url ?? null,
    method: request.method,
    status: wasWritten(reply) ? reply.raw.statusCode : null,
    errorCode: record.errorCode,
    caller: record.token?.name ?? null,
    durationMs: nowMs - record.startedAtMs,
  };
}

export function logRequest(
  logger: Logger,
  request: FastifyRequest,
  reply: FastifyReply,
  nowMs: number,
): void {
  const record = recordOf(request);
  const turn = record.exchange?.started ?? null;
  const firstEventAtMs = record.exchange?.firstEventAtMs ?? null;
  const finished = wasWritten(reply);
  const outcome = finished ? record.outcome : "client_left";
  const fields = {
    event: "http.request",
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: finished ? reply.raw.statusCode : null,
    ...(record.token !== null && { caller: record.token.name }),
    ...(record.responseId !== null && { response_id: record.responseId }),
    ...(record.taskClass !== null && { task_class: record.taskClass }),
    ...(turn !== null && {
      thread_id: turn.threadId,
      turn_id: turn.turnId,
      model: turn.model,
      worker_id: turn.target.workerId,
      app_server_generation: turn.target.appServerGeneration,
    }),
    ...(firstEventAtMs !== null && { first_event_ms: round(firstEventAtMs - record.startedAtMs) }),
    total_ms: round(nowMs - record.startedAtMs),
    ...(outcome !== null && { outcome }),
    ...(record.errorCode !== null && { error_code: record.errorCode }),
  };
  const isPoll = request.routeOptions.config.quiet === true && record.errorCode === null;
  if (isPoll) logger.debug(fields, "request");
  else if (finished && reply.raw.statusCode >= 500) logger.warn(fields, "request");
  else logger.info(fields, "request");
}

/** A host's own words about its task. They may hold anything, so they are not for the info level. */
export function logTaskMetadata(
  logger: Logger | undefined,
  request: FastifyRequest,
  metadata: Readonly<Record<string, unknown>>,
): void {
  const { codexbridge } = metadata;
  if (codexbridge === undefined) return;
  logger?.debug({ event: "http.task_metadata", request_id: request.id, codexbridge }, "task metadata");
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
