/** One `response.create`: the same exchange as of a `POST`, its events as frames, and its line in the log. */
import type { ConnectionMemory } from "../../exchange/connection-memory.js";
import type { EventSink, RequestExchange } from "../../exchange/exchange.js";
import { toApiError } from "../error-reply.js";
import { HeldHead } from "../held-head.js";
import type { OpenAnswer } from "../in-flight.js";
import type { MetricsSink } from "../metrics-sink.js";
import { logFault, logRequest, RequestRecord } from "../request-record.js";
import { RequestTrace } from "../requests/request-trace.js";
import { follow, receiveTurn, type TurnArrival, type TurnHost, type Visit } from "../turn-visit.js";
import type { CreateMessage } from "./client-event.js";
import { describeErrorEvent, type ErrorEvent } from "./error-event.js";

/** What a turn needs of its connection. */
export interface TurnConnection extends Pick<TurnArrival, "headers" | "socket"> {
  readonly memory: ConnectionMemory;
  /** The token under the rules in force now. Throws what refuses the request. */
  readonly admit: () => RequestRecord["token"];
  readonly isOpen: boolean;
}

export interface SocketTurnHost extends TurnHost {
  readonly metrics: MetricsSink | undefined;
}

/** The answer to one message, while it is made. */
export class SocketAnswer implements OpenAnswer {
  writableFinished = false;
  /** No response was begun for the client: this is its answer. */
  refusal: ErrorEvent | null = null;
}

export interface SocketTurn {
  readonly requestId: string;
  readonly message: CreateMessage;
  readonly answer: SocketAnswer;
  readonly connection: TurnConnection;
  /** Takes events of the wire; a returned promise holds the turn back. */
  readonly send: EventSink;
  /** Its response begins to be made. */
  readonly onBegun: (exchange: RequestExchange) => void;
}

/** Runs it to its last event. Never rejects. Resolves with how its turn ended; null where it did not come so far. */
export async function runSocketTurn(
  turn: SocketTurn,
  host: SocketTurnHost,
): Promise<RequestRecord["outcome"]> {
  const { requestId, message, answer, connection, send } = turn;
  const { context, inFlight, metrics } = host;
  const record = new RequestRecord(context.clock());
  const { route } = host.dialect;
  record.entry = new RequestTrace(
    record,
    { requestId, method: "WS", route, transport: "websocket" },
    context,
  );
  metrics?.noteRequest?.();
  inFlight.begin(answer, () => observe(turn, host, record, answer.refusal?.status ?? 200));
  try {
    record.token = connection.admit();
    const { headers, socket, memory } = connection;
    const { body, generate } = message;
    const from = { requestId, headers, socket, memory };
    await receiveTurn({ ...from, record, answer, body, mayBeEmpty: !generate }, host, (visit) =>
      reply(visit, turn),
    );
  } catch (error) {
    const fault = toApiError(error);
    const refusal = describeErrorEvent(fault, message.previousResponseId);
    answer.refusal = refusal;
    record.fail(fault, refusal.error.code);
    logFault(context.logger, requestId, fault);
    await send([refusal]);
  } finally {
    answer.writableFinished = connection.isOpen;
    inFlight.end(answer);
  }
  return record.outcome;
}

/** Throws the turn's error where nothing was sent yet: it is the answer then. */
async function reply(visit: Visit, { message, send, onBegun }: SocketTurn): Promise<void> {
  const { exchange, caller, record, context } = visit;
  onBegun(exchange);
  if (!message.generate) {
    record.exchange = exchange;
    const end = await exchange.warmUp(send);
    record.outcome = end.ok ? exchange.outcome : "failed";
    if (!end.ok) throw end.error;
    return;
  }
  const head = new HeldHead(exchange.answer, context.streamHeadHoldMs, send);
  const end = await follow(visit, {
    sink: (events) => head.push(events),
    get isOpen() {
      return head.isOpen;
    },
    noteAdmission: (isAdmitted) => head.noteAdmission(isAdmitted),
  });
  head.stop();
  if (head.isOpen || caller.hasLeft) return;
  if (!end.ok) throw end.error;
  await head.open();
}

/** `status`: that an answer over HTTP would have had. */
function observe(
  { requestId, answer }: SocketTurn,
  host: SocketTurnHost,
  record: RequestRecord,
  status: number,
): void {
  const { dialect, context, metrics } = host;
  const observation = {
    route: dialect.route,
    method: "WS",
    status: answer.writableFinished ? status : null,
    errorCode: record.errorCode,
    caller: record.token?.name ?? null,
    durationMs: context.clock() - record.startedAtMs,
  };
  metrics?.observeRequest(observation);
  record.entry?.end(observation);
  if (context.logger !== undefined) logRequest(context.logger, { requestId, record, observation });
}
