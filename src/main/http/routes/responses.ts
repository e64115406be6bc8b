import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ResponseEventEncoder } from "../../dialects/responses/encode-event.js";
import { readResponsesRequest } from "../../dialects/responses/request-schema.js";
import { type ResponsesTurn, toResponsesTurn } from "../../dialects/responses/request-to-turn.js";
import type { ResponseEvent } from "../../dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../../errors.js";
import type { ResponseRun, ResponseSink, RunEnd } from "../../responses/response-run.js";
import type { OnAdmission } from "../../runtime/types.js";
import { AnswerStream, openSseWriter } from "../answer-stream.js";
import { identifyCaller } from "../auth.js";
import { withAllowedModel } from "../caller-limits.js";
import { followLog } from "../follow-log.js";
import { type Destination, type Exchange, followTurn, wholeAnswer } from "../follow-turn.js";
import type { InFlight } from "../in-flight.js";
import { bodyOf } from "../json-body.js";
import { keepJsonAlive } from "../json-keep-alive.js";
import { addRoute } from "../method-routes.js";
import { logTaskMetadata, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { withTerms } from "../turn-terms.js";

const routePath = "/v1/responses";

interface ResponseExchange extends Exchange<ResponseRun> {
  readonly reply: FastifyReply;
}

export function addResponsesRoutes(app: FastifyInstance, context: RouteContext, inFlight: InFlight): void {
  addRoute(app, routePath, {
    needsBody: true,
    POST: async (request, reply) => {
      const record = recordOf(request);
      const turn = await readTurn(request, context);
      const owner = record.token?.name ?? null;
      const run = context.responses.create(turn, {
        routePath,
        caller: identifyCaller(request.headers, request.raw.socket, record.token),
        owner,
        requestId: request.id,
      });
      record.responseId = run.id;
      record.taskClass = turn.echo.taskClass;
      logTaskMetadata(context.logger, request, turn.echo.metadata);
      const leave = context.callerTurns.enter(record.token);
      const exchange = { request, reply, run, inFlight: inFlight.openTurn(reply.raw, owner), record };
      let goesOn = false;
      try {
        await run.prepare();
        goesOn = turn.background;
        if (goesOn) void run.ended.then(leave);
        if (!turn.background) await (turn.stream ? answerAsStream : answerAsJson)(exchange, context);
        else if (turn.stream) await answerAsBackgroundStream(exchange, context);
        else answerAtOnce(exchange, context);
      } finally {
        exchange.inFlight.close();
        if (!goesOn) leave();
      }
    },
  });
  addRoute(app, `${routePath}/compact`, {
    POST: () => {
      throw new CodexNativeApiError("not_implemented", "Compaction is not implemented.");
    },
  });
}

async function readTurn(request: FastifyRequest, context: RouteContext): Promise<ResponsesTurn> {
  const pace = context.loopShare.start();
  const body = await readResponsesRequest(bodyOf(request), pace);
  await pace.breathe();
  const turn = toResponsesTurn(body, context.unsupportedParameters);
  await pace.breathe();
  const { token, startedAtMs } = recordOf(request);
  const arrival = { headers: request.headers, token, startedAtMs };
  return { ...turn, request: withTerms(withAllowedModel(turn.request, token), arrival) };
}

/** A background response goes on without its caller, who asks for it later. */
function answerAtOnce({ run, reply }: ResponseExchange, { responses }: RouteContext): void {
  void responses.runInBackground(run, () => {});
  reply.send(run.response);
}

/**
 * A background response outlives the stream that began it, and is not held back by its reader: that follows the kept events like
 * those who attach later.
 */
async function answerAsBackgroundStream(exchange: ResponseExchange, context: RouteContext): Promise<void> {
  const { reply, run, inFlight, record } = exchange;
  const { log } = run;
  if (log === null) throw new Error("A background response keeps its events.");
  const writer = openSseWriter(reply, context);
  const start = (observed: ResponseSink) => context.responses.runInBackground(run, observed);
  const [, fault] = await Promise.all([
    followTurn(exchange, context, { sink: () => {}, isOpen: true }, start),
    // Without a signal: a run that ends with the server, or with its token, says so in its last event.
    followLog({ log, firstNumber: 0 }, writer, inFlight),
  ]);
  if (fault !== null) record.errorCode = fault.code;
  await writer.end();
}

async function answerAsJson(exchange: ResponseExchange, context: RouteContext): Promise<void> {
  const { request, reply, run } = exchange;
  const wait = keepJsonAlive(request, reply, context);
  const end = await follow(exchange, context, wholeAnswer(reply), () => {});
  const sendBody = wait.end();
  if (sendBody !== null) return sendBody(end.ok ? run.response : run.failedResponse(end.error));
  if (!end.ok) throw end.error;
  // There is nobody left to answer; the socket is gone.
  if (exchange.inFlight.clientLeft) reply.hijack();
  else reply.send(run.response);
}

const preamble: ReadonlySet<string> = new Set(["response.created", "response.in_progress"]);

async function answerAsStream(exchange: ResponseExchange, context: RouteContext): Promise<void> {
  const { reply, inFlight } = exchange;
  const encoder = new ResponseEventEncoder();
  const stream = new AnswerStream<ResponseEvent>(reply, context, {
    encode: (events) => encoder.encode(events),
    isPreamble: ({ type }) => preamble.has(type),
    isFailure: ({ type }) => type === "response.failed",
    holdMs: context.streamHeadHoldMs,
  });
  const end = await follow(exchange, context, stream, stream.noteAdmission);
  await stream.settle(end, inFlight.clientLeft);
}

function follow(
  exchange: ResponseExchange,
  context: RouteContext,
  destination: Destination<ResponseEvent>,
  onAdmission: OnAdmission,
): Promise<RunEnd> {
  const { run, inFlight } = exchange;
  return followTurn(exchange, context, destination, (observed) =>
    run.run(observed, inFlight.signal, onAdmission),
  );
}
