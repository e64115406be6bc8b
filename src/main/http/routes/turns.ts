/** `POST` of every dialect: reads a request, makes an exchange of it, and answers in one of four ways. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Dialect, DialectTurn } from "../../dialects/dialect.js";
import { AnswerStream, followLog, SseWriter } from "../event-stream.js";
import type { InFlight } from "../in-flight.js";
import { bodyOf } from "../json-body.js";
import { keepJsonAlive } from "../json-keep-alive.js";
import { addRoute } from "../method-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { follow, receiveTurn, type Visit } from "../turn-visit.js";

/** One request that waits for its exchange. */
interface HttpVisit extends Visit {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Makes a WebSocket of a request. */
export type AcceptWebSocket = (request: FastifyRequest, reply: FastifyReply, dialect: Dialect) => void;

export function addTurnRoute(
  app: FastifyInstance,
  dialect: Dialect,
  context: RouteContext,
  inFlight: InFlight,
  accept: AcceptWebSocket,
): void {
  const post = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const arrival = {
      requestId: request.id,
      headers: request.headers,
      socket: request.raw.socket,
      record: recordOf(request),
      body: bodyOf(request),
      answer: reply.raw,
    };
    await receiveTurn(arrival, { dialect, context, inFlight }, (visit) =>
      answerWayOf(visit.exchange.turn)({ ...visit, request, reply }),
    );
  };
  const get = async (request: FastifyRequest, reply: FastifyReply) => accept(request, reply, dialect);
  const { route, operation, overWebSocket, errors } = dialect;
  const endpoints = {
    ...(overWebSocket !== undefined && { GET: { ...overWebSocket, handler: get } }),
    POST: { ...operation, handler: post },
  };
  addRoute(app, route, endpoints, { needsBody: true, errors });
}

function answerWayOf({ stream, background }: DialectTurn): (visit: HttpVisit) => void | Promise<void> {
  if (background) return stream ? answerAsBackgroundStream : answerAtOnce;
  return stream ? answerAsStream : answerAsJson;
}

async function answerAsStream(visit: HttpVisit): Promise<void> {
  const { reply, exchange, caller, context } = visit;
  const stream = new AnswerStream(reply, context, exchange.answer);
  const end = await follow(visit, stream);
  await stream.settle(end, caller.hasLeft);
}

async function answerAsJson(visit: HttpVisit): Promise<void> {
  const { request, reply, exchange, caller, context } = visit;
  const { answer } = exchange;
  const endWait = keepJsonAlive(request, reply, context);
  const end = await follow(visit, {
    sink: () => {},
    get isOpen() {
      return reply.raw.headersSent;
    },
  });
  const sendBody = endWait();
  if (sendBody !== null) return sendBody(end.ok ? answer.body : answer.failedBody(end.error));
  if (!end.ok) throw end.error;
  // There is no one to answer; fastify must not try.
  if (caller.hasLeft) reply.hijack();
  else reply.send(answer.body);
}

/** A background answer is made without its caller, who asks for it later. */
function answerAtOnce({ exchange, reply, record, context }: HttpVisit): void {
  record.entry?.follow(exchange.ended);
  void context.exchanges.runInBackground(exchange, () => {});
  reply.send(exchange.answer.body);
}

/** A background answer outlives its stream, and its turn never waits for the reader, who follows the event log like any later one. */
async function answerAsBackgroundStream(visit: HttpVisit): Promise<void> {
  const { reply, exchange, caller, record, context } = visit;
  const { log, dialect } = exchange;
  if (log === null) throw new Error("A background answer keeps its events.");
  const writer = new SseWriter(reply, context);
  // Without a signal: a turn that ends with the service, or with its token, says so in its last event.
  const reading = followLog({ log, errors: dialect.errors, firstNumber: 0 }, writer, caller);
  const [, fault] = await Promise.all([follow(visit, { sink: () => {}, isOpen: true }), reading]);
  if (fault === null) void writer.write(exchange.answer.endOfStream(true));
  else record.fail(fault);
  await writer.end();
}
