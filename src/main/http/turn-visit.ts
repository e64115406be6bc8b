/** One request for a turn, from its body to its end, whatever brought it here: a `POST`, or a message on a WebSocket. */
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { isJsonObject } from "../../workers/contract/json.js";
import type { Dialect, DialectTurn } from "../dialects/dialect.js";
import type { JsonBody } from "../dialects/requests/parse-body.js";
import type { ConnectionMemory } from "../exchange/connection-memory.js";
import type { EventSink, ExchangeEnd, RequestExchange } from "../exchange/exchange.js";
import { logTaskMetadata } from "../observability/task-metadata.js";
import type { OnAdmission } from "../runtime/types.js";
import { identifyCaller } from "./access-policy.js";
import type { InFlight, OpenAnswer, WaitingCaller } from "./in-flight.js";
import { logBackgroundEnd, logFault, type RequestRecord } from "./request-record.js";
import { toWord } from "./requests/safe-words.js";
import type { RouteContext } from "./server-options.js";
import { withNamedModel, withTerms } from "./turn-terms.js";

/** A request as it came. */
export interface TurnArrival {
  readonly requestId: string;
  /** Of the request, or of the handshake. */
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** Knows the token already. */
  readonly record: RequestRecord;
  readonly body: JsonBody;
  /** Tracked by `InFlight`. */
  readonly answer: OpenAnswer;
  /** What the connection remembers. Default: nothing. */
  readonly memory?: ConnectionMemory;
  /** No model is asked. Default: false. */
  readonly mayBeEmpty?: boolean;
}

/** Who takes it. */
export interface TurnHost {
  readonly dialect: Dialect;
  readonly context: RouteContext;
  readonly inFlight: InFlight;
}

/** A turn that is prepared, and its caller, who waits. */
export interface Visit {
  readonly requestId: string;
  readonly exchange: RequestExchange;
  readonly caller: WaitingCaller;
  readonly record: RequestRecord;
  readonly context: RouteContext;
}

/** Throws what is wrong with the request, before `reply` is called or from it. */
export async function receiveTurn(
  arrival: TurnArrival,
  host: TurnHost,
  reply: (visit: Visit) => void | Promise<void>,
): Promise<void> {
  const { requestId, headers, socket, record, answer, memory } = arrival;
  const { dialect, context, inFlight } = host;
  record.dialectRoute = dialect.route;
  const turn = await readTurn(arrival, host);
  const owner = record.token?.name ?? null;
  const exchange = context.exchanges.create(dialect, turn, {
    caller: identifyCaller(headers, socket, record.token),
    owner,
    requestId,
    ...(memory !== undefined && { memory }),
    onProgress: () => record.entry?.update(),
  });
  record.responseId = exchange.id;
  record.entry?.begin(exchange);
  noteTaskMetadata(requestId, turn, context);
  const leave = context.callerTurns.enter(record.token, turn.choices);
  const caller = inFlight.openTurn(answer, owner);
  let outlivesRequest = false;
  try {
    await exchange.prepare();
    outlivesRequest = turn.background;
    if (outlivesRequest) {
      void exchange.ended.then((end) => {
        leave();
        const nowMs = context.clock();
        logBackgroundEnd(context.logger, { requestId, record, exchange, end, nowMs });
      });
    }
    await reply({ requestId, exchange, caller, record, context });
  } finally {
    caller.close();
    if (!outlivesRequest) leave();
  }
}

async function readTurn(
  { body, headers, record, mayBeEmpty = false }: TurnArrival,
  host: TurnHost,
): Promise<DialectTurn> {
  const { loopShare, unsupportedParameters, runtime } = host.context;
  const { dialect } = host;
  const pace = loopShare.start();
  const turn = await dialect.decode(body, { pace, unsupportedParameters, mayBeEmpty });
  await pace.breathe();
  const { token, startedAtMs } = record;
  const request = withTerms(turn.request, { headers, token, startedAtMs });
  record.taskClass = turn.taskClass;
  record.asked = describeAsked({ ...turn, request }, startedAtMs);
  return {
    ...turn,
    request: await withNamedModel(request, { token, runtime, forDecisions: dialect.decides === true }),
  };
}

function describeAsked(turn: DialectTurn, startedAtMs: number): NonNullable<RequestRecord["asked"]> {
  const { model, effort, serviceTier, priority, deadlineAtMs } = turn.request;
  return {
    requestedModel: model ?? null,
    effort: effort ?? null,
    serviceTier: serviceTier ?? null,
    stream: turn.stream,
    background: turn.background,
    choices: turn.choices ?? 1,
    priority: priority ?? "interactive",
    timeoutMs: deadlineAtMs === undefined ? null : Math.round(deadlineAtMs - startedAtMs),
    ignoredParameters: turn.ignoredParameters,
    previousResponseId: turn.previousResponseId,
  };
}

function noteTaskMetadata(
  requestId: string,
  { metadata, taskClass }: DialectTurn,
  { logger, metadataLevel }: RouteContext,
): void {
  const bridge = metadata?.codexbridge;
  if (logger === undefined || !isJsonObject(bridge)) return;
  const fields = { event: "http.task_metadata", request_id: requestId, task_class: toWord(taskClass) };
  logTaskMetadata(logger, metadataLevel(), fields, bridge);
}

/** Where the events of an exchange go. */
export interface Destination {
  readonly sink: EventSink;
  /** Whether the head is sent: an error is then a part of the answer, and nothing else logs it. */
  readonly isOpen: boolean;
  readonly noteAdmission?: OnAdmission;
}

/** Runs an exchange to its end, or until the service interrupts it, and notes the end for the request's log line. */
export async function follow(visit: Visit, destination: Destination): Promise<ExchangeEnd> {
  const { requestId, exchange, caller, record, context } = visit;
  const { sink, noteAdmission } = destination;
  record.exchange = exchange;
  record.entry?.follow(exchange.ended);
  const ended = exchange.turn.background
    ? context.exchanges.runInBackground(exchange, sink)
    : exchange.run(sink, caller.signal, noteAdmission);
  const interrupted = caller.interrupted.then((error) => exchange.interrupt(error, sink));
  const end = await Promise.race([ended, interrupted]);
  record.outcome = end.ok ? exchange.outcome : "failed";
  // Of a turn that ended because its caller left, the error is no fault.
  if (!end.ok && !caller.hasLeft) record.fail(end.error);
  const unseen = end.ok ? end.unkept : destination.isOpen ? end.error : undefined;
  if (unseen !== undefined) logFault(context.logger, requestId, unseen);
  return end;
}
