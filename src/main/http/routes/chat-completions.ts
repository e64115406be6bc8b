import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ChatRun, ChatRunEnd, ChatSink } from "../../chat-completions/chat-run.js";
import { ChatCompletionService } from "../../chat-completions/chat-service.js";
import { encodeChunks, endOfStream } from "../../dialects/chat-completions/encode-chunks.js";
import { parseChatRequest } from "../../dialects/chat-completions/request-schema.js";
import { type ChatTurn, toChatTurn } from "../../dialects/chat-completions/request-to-turn.js";
import { openSseWriter } from "../answer-stream.js";
import { identifyCaller } from "../auth.js";
import { withAllowedModel } from "../caller-limits.js";
import { toApiError } from "../error-reply.js";
import type { InFlight, TurnExchange } from "../in-flight.js";
import { addRoute } from "../method-routes.js";
import { createId } from "../request-id.js";
import { logTaskMetadata, type RequestRecord, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import type { SseWriter } from "../sse-writer.js";

const routePath = "/v1/chat/completions";

/** One request for a completion and all that belongs to it. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly run: ChatRun;
  readonly inFlight: TurnExchange;
  readonly record: RequestRecord;
}

export function addChatCompletionRoutes(
  app: FastifyInstance,
  context: RouteContext,
  inFlight: InFlight,
): void {
  const service = new ChatCompletionService({
    runtime: context.runtime,
    wallClock: context.wallClock,
    newId: createId,
    openAfterMs: context.keepAliveCommentMs,
  });
  addRoute(app, routePath, {
    POST: async (request, reply) => {
      const record = recordOf(request);
      const turn = readTurn(request, context);
      const owner = record.token?.name ?? null;
      const run = service.create(turn, {
        routePath,
        caller: identifyCaller(request.headers, request.raw.socket, record.token),
        owner,
        requestId: request.id,
      });
      record.responseId = run.id;
      record.taskClass = turn.taskClass;
      logTaskMetadata(context.logger, request, turn.metadata ?? {});
      const leave = context.callerTurns.enter(record.token);
      const exchange = { request, reply, run, inFlight: inFlight.openTurn(reply.raw, owner), record };
      try {
        await (turn.stream ? answerAsStream(exchange, context) : answerAsJson(exchange, context));
      } finally {
        exchange.inFlight.close();
        leave();
      }
    },
  });
}

function readTurn(request: FastifyRequest, context: RouteContext): ChatTurn {
  const turn = toChatTurn(parseChatRequest(request.body), context.unsupportedParameters);
  return { ...turn, request: withAllowedModel(turn.request, recordOf(request).token) };
}

async function answerAsJson(exchange: Exchange, context: RouteContext): Promise<void> {
  const { reply, inFlight } = exchange;
  const end = await runToEnd(exchange, context, () => {});
  // There is nobody left to answer; the socket is gone.
  if (inFlight.clientLeft) reply.hijack();
  else if (end.ok) reply.send(end.completion);
  else throw end.error;
}

/** Until the model begins, a fault is an HTTP error like any other. From then on the answer is a stream, and it is told there. */
async function answerAsStream(exchange: Exchange, context: RouteContext): Promise<void> {
  const { reply, inFlight } = exchange;
  let writer: SseWriter | null = null;
  const open = () => {
    writer ??= openSseWriter(reply, context);
    return writer;
  };
  const end = await runToEnd(exchange, context, (parts) => open().write(encodeChunks(parts)));
  if (end.ok) void open().write(endOfStream);
  else if (!end.told) {
    if (!inFlight.clientLeft) throw end.error;
    reply.hijack();
    return;
  }
  await open().end();
}

async function runToEnd(exchange: Exchange, context: RouteContext, sink: ChatSink): Promise<ChatRunEnd> {
  const { run, inFlight, record, request } = exchange;
  const observed: ChatSink = (parts) => {
    record.turn = run.started;
    record.firstEventAtMs ??= context.clock();
    return sink(parts);
  };
  const interrupted = inFlight.interrupted.catch((error: unknown) => run.interrupt(toApiError(error), sink));
  const end = await Promise.race([run.run(observed, inFlight.signal), interrupted]);
  record.turn = run.started;
  if (end.ok) {
    record.outcome = run.outcome;
    return end;
  }
  record.outcome = "failed";
  if (!inFlight.clientLeft) record.errorCode = end.error.code;
  // Only what nobody foresaw: the rest is the caller's to read, and its code is in the request's line.
  if (end.told && end.error.code === "internal_error") {
    const err = end.error.cause ?? end.error;
    context.logger?.error({ event: "http.fault", request_id: request.id, err }, "request failed");
  }
  return end;
}
