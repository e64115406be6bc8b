import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ResponseEventEncoder } from "../../dialects/responses/encode-event.js";
import { parseResponsesRequest } from "../../dialects/responses/request-schema.js";
import { type ResponsesTurn, toResponsesTurn } from "../../dialects/responses/request-to-turn.js";
import { ResponseEventStream } from "../../dialects/responses/response-stream.js";
import type { ResponseEvent } from "../../dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../../errors.js";
import type { IsolatedTurnHandlers, IsolatedTurnResult, TurnStarted } from "../../runtime/types.js";
import { identifyCaller } from "../auth.js";
import { toApiError } from "../error-reply.js";
import type { InFlight, TurnExchange } from "../in-flight.js";
import { addRoute } from "../method-routes.js";
import { createId } from "../request-id.js";
import { type RequestRecord, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { SseWriter } from "../sse-writer.js";

const routePath = "/v1/responses";

/** One request for a response and all that belongs to it. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly turn: ResponsesTurn;
  readonly stream: ResponseEventStream;
  readonly inFlight: TurnExchange;
  readonly record: RequestRecord;
}

export function addResponsesRoutes(app: FastifyInstance, context: RouteContext, inFlight: InFlight): void {
  addRoute(app, routePath, {
    POST: async (request, reply) => {
      const turn = toResponsesTurn(parseResponsesRequest(request.body), context.unsupportedParameters);
      const { wallClock } = context;
      const stream = new ResponseEventStream({ turn, routePath, wallClock, newId: createId });
      const record = recordOf(request);
      record.responseId = stream.id;
      record.taskClass = turn.echo.taskClass;
      logTaskMetadata(request, turn, context);
      const exchange = { request, reply, turn, stream, inFlight: inFlight.openTurn(reply.raw), record };
      try {
        await (turn.stream ? answerAsStream(exchange, context) : answerAsJson(exchange, context));
      } finally {
        exchange.inFlight.close();
      }
    },
  });
  addRoute(app, `${routePath}/compact`, {
    POST: () => {
      throw new CodexNativeApiError("not_implemented", "Compaction is not implemented.");
    },
  });
}

async function answerAsJson(exchange: Exchange, context: RouteContext): Promise<void> {
  const { stream, reply, record } = exchange;
  try {
    const result = await runTurn(exchange, context, {
      onTurnStarted: (started) => void stream.start(started),
      onEvent: (event) => void stream.push(event),
    });
    stream.start(result);
    stream.end(result.outcome, result.usage);
    record.outcome = result.outcome.status;
  } catch (error) {
    record.outcome = "failed";
    throw error;
  }
  // There is nobody left to answer; the socket is gone.
  if (exchange.inFlight.clientLeft) reply.hijack();
  else reply.send(stream.response);
}

/**
 * Until Codex takes the turn on, a fault is an HTTP error like any other. From then on the answer is a stream, and whatever
 * happens is told in it.
 */
async function answerAsStream(exchange: Exchange, context: RouteContext): Promise<void> {
  const { stream, reply, record } = exchange;
  const encoder = new ResponseEventEncoder();
  let writer: SseWriter | null = null;
  const write = (events: readonly ResponseEvent[]) => writer?.write(encoder.encode(events));
  const start = (started: TurnStarted) => {
    if (writer === null) {
      reply.hijack();
      const { keepAliveCommentMs } = context;
      writer = new SseWriter(reply.raw, { headers: reply.getHeaders(), keepAliveCommentMs });
    }
    // The first events are few, and nothing follows before they are taken.
    void write(stream.start(started));
  };
  const isStreaming = () => writer !== null;
  try {
    const result = await runTurn(exchange, context, {
      onTurnStarted: start,
      onEvent: (event) => write(stream.push(event)),
    });
    if (!isStreaming()) start(result);
    void write(stream.end(result.outcome, result.usage));
    record.outcome = result.outcome.status;
  } catch (error) {
    record.outcome = "failed";
    if (!isStreaming()) throw error;
    const fault = toApiError(error);
    record.errorCode = fault.code;
    logFault(exchange, context, fault);
    void write(stream.fail(fault));
  }
  await endStream(writer);
}

async function endStream(writer: SseWriter | null): Promise<void> {
  await writer?.end();
}

async function runTurn(
  { request, turn, inFlight, record }: Exchange,
  context: RouteContext,
  handlers: Required<Pick<IsolatedTurnHandlers, "onTurnStarted" | "onEvent">>,
): Promise<IsolatedTurnResult> {
  const caller = identifyCaller(request.headers, request.raw.socket);
  const turnRequest = { ...turn.request, caller, requestId: request.id };
  const running = context.runtime.runIsolatedTurn(turnRequest, {
    signal: inFlight.signal,
    onTurnStarted: (started) => {
      record.turn = started;
      handlers.onTurnStarted(started);
    },
    onEvent: (event) => {
      record.firstEventAtMs ??= context.clock();
      return handlers.onEvent(event);
    },
  });
  return await Promise.race([running, inFlight.interrupted]);
}

/** The bridge's own words about the task. They may hold anything, so they are not for the info level. */
function logTaskMetadata(request: FastifyRequest, turn: ResponsesTurn, { logger }: RouteContext): void {
  const { codexbridge } = turn.echo.metadata;
  if (codexbridge === undefined) return;
  logger?.debug({ event: "http.task_metadata", request_id: request.id, codexbridge }, "task metadata");
}

/** Only what nobody foresaw: the rest is the caller's to read, and its code is in the request's line. */
function logFault({ request }: Exchange, { logger }: RouteContext, fault: CodexNativeApiError): void {
  if (fault.code !== "internal_error") return;
  logger?.error({ event: "http.fault", request_id: request.id, err: fault.cause ?? fault }, "request failed");
}
