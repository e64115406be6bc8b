import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ResponseEventEncoder } from "../../dialects/responses/encode-event.js";
import { readResponsesRequest } from "../../dialects/responses/request-schema.js";
import { type ResponsesTurn, toResponsesTurn } from "../../dialects/responses/request-to-turn.js";
import { CodexNativeApiError } from "../../errors.js";
import type { ResponseRun, ResponseSink, RunEnd } from "../../responses/response-run.js";
import { openSseWriter } from "../answer-stream.js";
import { identifyCaller } from "../auth.js";
import { withAllowedModel } from "../caller-limits.js";
import { type Exchange, followTurn } from "../follow-turn.js";
import type { InFlight } from "../in-flight.js";
import { bodyOf } from "../json-body.js";
import { addRoute } from "../method-routes.js";
import { logTaskMetadata, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import type { SseWriter } from "../sse-writer.js";

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
        if (turn.background && !turn.stream) answerAtOnce(exchange, context);
        else await (turn.stream ? answerAsStream(exchange, context) : answerAsJson(exchange, context));
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
  const body = await readResponsesRequest(bodyOf(request), context.loopShare.start());
  const turn = toResponsesTurn(body, context.unsupportedParameters);
  return { ...turn, request: withAllowedModel(turn.request, recordOf(request).token) };
}

/** A background response goes on without its caller, who asks for it later. */
function answerAtOnce({ run, reply }: ResponseExchange, { responses }: RouteContext): void {
  void responses.runInBackground(run, () => {});
  reply.send(run.response);
}

async function answerAsJson(exchange: ResponseExchange, context: RouteContext): Promise<void> {
  const { reply, run } = exchange;
  const end = await follow(exchange, context, () => {});
  if (!end.ok) throw end.error;
  // There is nobody left to answer; the socket is gone.
  if (exchange.inFlight.clientLeft) reply.hijack();
  else reply.send(run.response);
}

/**
 * Until Codex takes the turn on, a fault is an HTTP error like any other. From then on the answer is a stream, and whatever
 * happens is told in it.
 */
async function answerAsStream(exchange: ResponseExchange, context: RouteContext): Promise<void> {
  const { reply } = exchange;
  const encoder = new ResponseEventEncoder();
  let writer: SseWriter | null = null;
  const sink: ResponseSink = (events) => {
    if (events.length === 0) return undefined;
    writer ??= openSseWriter(reply, context);
    return writer.write(encoder.encode(events));
  };
  const end = await follow(exchange, context, sink);
  if (!end.ok && !end.told) throw end.error;
  await endStream(writer);
}

async function endStream(writer: SseWriter | null): Promise<void> {
  await writer?.end();
}

function follow(exchange: ResponseExchange, context: RouteContext, sink: ResponseSink): Promise<RunEnd> {
  const { run, inFlight } = exchange;
  // A background response outlives the stream that began it.
  return followTurn(exchange, context, sink, (observed) =>
    run.background ? context.responses.runInBackground(run, observed) : run.run(observed, inFlight.signal),
  );
}
