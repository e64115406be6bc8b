/** `POST` of every dialect: a request is read, becomes an exchange, and is answered in one of four ways. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Dialect, DialectTurn } from "../../dialects/dialect.js";
import type { EventSink, Exchange, ExchangeEnd } from "../../exchange/exchange.js";
import type { OnAdmission } from "../../runtime/types.js";
import { identifyCaller } from "../access-policy.js";
import { toApiError } from "../error-reply.js";
import { AnswerStream, followLog, openSseWriter } from "../event-stream.js";
import type { InFlight, TurnExchange } from "../in-flight.js";
import { bodyOf } from "../json-body.js";
import { keepJsonAlive } from "../json-keep-alive.js";
import { addRoute } from "../method-routes.js";
import { logTaskMetadata, type RequestRecord, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { withAllowedModel, withTerms } from "../turn-terms.js";

/** One request that waits for its exchange. */
interface Visit {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly exchange: Exchange;
  /** The client's side of it: that it left, or that the server can wait no longer. */
  readonly client: TurnExchange;
  readonly record: RequestRecord;
  readonly context: RouteContext;
}

export function addTurnRoute(
  app: FastifyInstance,
  dialect: Dialect,
  context: RouteContext,
  inFlight: InFlight,
): void {
  const { exchanges, callerTurns, logger } = context;
  const post = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const record = recordOf(request);
    const turn = await readTurn(request, dialect, context);
    const owner = record.token?.name ?? null;
    const caller = identifyCaller(request.headers, request.raw.socket, record.token);
    const exchange = exchanges.create(dialect, turn, { caller, owner, requestId: request.id });
    record.responseId = exchange.id;
    record.taskClass = turn.taskClass;
    logTaskMetadata(logger, request, turn.metadata ?? {});
    const leave = callerTurns.enter(record.token);
    const client = inFlight.openTurn(reply.raw, owner);
    let goesOn = false;
    try {
      await exchange.prepare();
      goesOn = turn.background;
      if (goesOn) void exchange.ended.then(leave);
      await answerWayOf(turn)({ request, reply, exchange, client, record, context });
    } finally {
      client.close();
      if (!goesOn) leave();
    }
  };
  addRoute(app, dialect.route, { needsBody: true, POST: post }, { errors: dialect.errors });
}

async function readTurn(
  request: FastifyRequest,
  dialect: Dialect,
  context: RouteContext,
): Promise<DialectTurn> {
  const { loopShare, unsupportedParameters } = context;
  const pace = loopShare.start();
  const turn = await dialect.decode(bodyOf(request), { pace, unsupportedParameters });
  await pace.breathe();
  const { token, startedAtMs } = recordOf(request);
  const arrival = { headers: request.headers, token, startedAtMs };
  return { ...turn, request: withTerms(withAllowedModel(turn.request, token), arrival) };
}

function answerWayOf({ stream, background }: DialectTurn): (visit: Visit) => void | Promise<void> {
  if (background) return stream ? answerAsBackgroundStream : answerAtOnce;
  return stream ? answerAsStream : answerAsJson;
}

async function answerAsStream(visit: Visit): Promise<void> {
  const { reply, exchange, client, context } = visit;
  const stream = new AnswerStream(reply, context, exchange.answer);
  const end = await follow(visit, stream);
  await stream.settle(end, client.clientLeft);
}

async function answerAsJson(visit: Visit): Promise<void> {
  const { request, reply, exchange, client, context } = visit;
  const { answer } = exchange;
  const wait = keepJsonAlive(request, reply, context);
  const end = await follow(visit, wholeAnswer(reply));
  const sendBody = wait.end();
  if (sendBody !== null) return sendBody(end.ok ? answer.body : answer.failedBody(end.error));
  if (!end.ok) throw end.error;
  // There is nobody left to answer; the socket is gone.
  if (client.clientLeft) reply.hijack();
  else reply.send(answer.body);
}

/** A background answer is made without its caller, who asks for it later. */
function answerAtOnce({ exchange, reply, context }: Visit): void {
  void context.exchanges.runInBackground(exchange, () => {});
  reply.send(exchange.answer.body);
}

/**
 * A background answer outlives the stream that began it, and is not held back by its reader: that follows the kept events like
 * those who attach later.
 */
async function answerAsBackgroundStream(visit: Visit): Promise<void> {
  const { reply, exchange, client, record, context } = visit;
  const { log, dialect } = exchange;
  if (log === null) throw new Error("A background answer keeps its events.");
  const writer = openSseWriter(reply, context);
  // Without a signal: a turn that ends with the server, or with its token, says so in its last event.
  const reading = followLog({ log, errors: dialect.errors, firstNumber: 0 }, writer, client);
  const [, fault] = await Promise.all([follow(visit, { sink: () => {}, isOpen: true }), reading]);
  if (fault !== null) record.errorCode = fault.code;
  await writer.end();
}

/** Where the events of an exchange go. */
interface Destination {
  readonly sink: EventSink;
  /** Whether the client has a part of the answer: an error is then told there and nowhere else. */
  readonly isOpen: boolean;
  readonly noteAdmission?: OnAdmission;
}

/** Of an answer that is sent when all of it is there; its head may be out before. */
function wholeAnswer({ raw }: FastifyReply): Destination {
  return {
    sink: () => {},
    get isOpen() {
      return raw.headersSent;
    },
  };
}

/** Runs an exchange to its end, or to the server's, and notes how it went for the request's log line. */
async function follow(visit: Visit, destination: Destination): Promise<ExchangeEnd> {
  const { exchange, client, record, context } = visit;
  const { sink, noteAdmission } = destination;
  record.exchange = exchange;
  const ended = exchange.turn.background
    ? context.exchanges.runInBackground(exchange, sink)
    : exchange.run(sink, client.signal, noteAdmission);
  const interrupted = client.interrupted.catch((error: unknown) =>
    exchange.interrupt(toApiError(error), sink),
  );
  const end = await Promise.race([ended, interrupted]);
  noteEnd(visit, end, destination.isOpen);
  return end;
}

function noteEnd(
  { request, exchange, client, record, context }: Visit,
  end: ExchangeEnd,
  isTold: boolean,
): void {
  if (end.ok) {
    record.outcome = exchange.outcome;
    return;
  }
  const { error } = end;
  record.outcome = "failed";
  // That it was given up is what its client did, and no fault.
  if (!client.clientLeft) record.errorCode = error.code;
  // Only what nobody foresaw: the rest is the caller's to read, and its code is in the request's line.
  if (!isTold || error.code !== "internal_error") return;
  const err = error.cause ?? error;
  context.logger?.error({ event: "http.fault", request_id: request.id, err }, "request failed");
}
