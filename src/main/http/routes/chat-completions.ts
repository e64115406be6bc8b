import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ChatRun, ChatRunEnd } from "../../chat-completions/chat-run.js";
import { ChatCompletionService } from "../../chat-completions/chat-service.js";
import { encodeChunks, endOfStream } from "../../dialects/chat-completions/encode-chunks.js";
import { readChatRequest } from "../../dialects/chat-completions/request-schema.js";
import { type ChatTurn, toChatTurn } from "../../dialects/chat-completions/request-to-turn.js";
import type { ChatStreamPart } from "../../dialects/chat-completions/wire-types.js";
import type { OnAdmission } from "../../runtime/types.js";
import { AnswerStream } from "../answer-stream.js";
import { identifyCaller } from "../auth.js";
import { withAllowedModel } from "../caller-limits.js";
import { describeError } from "../error-reply.js";
import { type Destination, type Exchange, followTurn, wholeAnswer } from "../follow-turn.js";
import type { InFlight } from "../in-flight.js";
import { bodyOf } from "../json-body.js";
import { keepJsonAlive } from "../json-keep-alive.js";
import { addRoute } from "../method-routes.js";
import { createId } from "../request-id.js";
import { logTaskMetadata, recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { withTerms } from "../turn-terms.js";

const routePath = "/v1/chat/completions";

interface ChatExchange extends Exchange<ChatRun> {
  readonly reply: FastifyReply;
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
    loopShare: context.loopShare,
  });
  addRoute(app, routePath, {
    needsBody: true,
    POST: async (request, reply) => {
      const record = recordOf(request);
      const turn = await readTurn(request, context);
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

async function readTurn(request: FastifyRequest, context: RouteContext): Promise<ChatTurn> {
  const pace = context.loopShare.start();
  const body = await readChatRequest(bodyOf(request), pace);
  await pace.breathe();
  const turn = toChatTurn(body, context.unsupportedParameters);
  await pace.breathe();
  const { token, startedAtMs } = recordOf(request);
  const arrival = { headers: request.headers, token, startedAtMs };
  return { ...turn, request: withTerms(withAllowedModel(turn.request, token), arrival) };
}

async function answerAsJson(exchange: ChatExchange, context: RouteContext): Promise<void> {
  const { request, reply, inFlight } = exchange;
  const wait = keepJsonAlive(request, reply, context);
  const end = await follow(exchange, context, wholeAnswer(reply), () => {});
  const sendBody = wait.end();
  if (sendBody !== null) return sendBody(end.ok ? end.completion : describeError(end.error));
  // There is nobody left to answer; the socket is gone.
  if (inFlight.clientLeft) reply.hijack();
  else if (end.ok) reply.send(end.completion);
  else throw end.error;
}

async function answerAsStream(exchange: ChatExchange, context: RouteContext): Promise<void> {
  const { reply, inFlight } = exchange;
  const stream = new AnswerStream<ChatStreamPart>(reply, context, {
    encode: encodeChunks,
    // The first chunk comes with the model's first output.
    isPreamble: () => false,
    isFailure: (part) => "error" in part,
    holdMs: context.streamHeadHoldMs,
  });
  const end = await follow(exchange, context, stream, stream.noteAdmission);
  await stream.settle(end, inFlight.clientLeft, endOfStream);
}

function follow(
  exchange: ChatExchange,
  context: RouteContext,
  destination: Destination<ChatStreamPart>,
  onAdmission: OnAdmission,
): Promise<ChatRunEnd> {
  const { run, inFlight } = exchange;
  return followTurn(exchange, context, destination, (observed) =>
    run.run(observed, inFlight.signal, onAdmission),
  );
}
