import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { NamedToken } from "../config/named-token.js";
import type { CodexNativeApiError } from "../errors.js";
import type { ExchangeEnd, RequestExchange } from "../exchange/exchange.js";
import type { IsolatedTurnResult, TokenUsage, TurnPriority } from "../runtime/types.js";
import type { IncomingBody } from "./body/incoming-body.js";
import type { RequestObservation } from "./metrics-sink.js";
import { toId, toWord } from "./requests/safe-words.js";

/** What a request asks for, as its body, its headers and its token say it. */
export interface AskedTurn {
  readonly requestedModel: string | null;
  readonly effort: string | null;
  readonly serviceTier: string | null;
  readonly stream: boolean;
  readonly background: boolean;
  readonly choices: number;
  readonly priority: TurnPriority;
  readonly timeoutMs: number | null;
  readonly ignoredParameters: readonly string[];
  readonly previousResponseId: string | null;
}

/** Keeps the entry of one request in the request log up to date. */
export interface EntryKeeper {
  /** It asks for a turn, which is to be prepared. */
  begin(exchange: RequestExchange): void;
  /** Its turn has come a step further. */
  update(): void;
  /** Its turn runs: the entry does not end before that does. */
  follow(ended: Promise<ExchangeEnd>): void;
  /** Its answer is over. */
  end(observation: RequestObservation): void;
}

/**
 * What is known of a request when it is over, for its one log line. Ids and numbers only: no text of a prompt, no header. A message on
 * a WebSocket that asks for a response is a request too.
 */
export class RequestRecord {
  readonly startedAtMs: number;
  /** The token that the request came with; null where none is needed, and before the check. */
  token: NamedToken | null = null;
  responseId: string | null = null;
  taskClass: string | null = null;
  /** Of the dialect that it asks for a turn in. Null: it asks for none, or was refused before its body was read. */
  dialectRoute: string | null = null;
  /** Null until its body was understood. */
  asked: AskedTurn | null = null;
  /** Set once its turn begins to run. */
  exchange: Pick<RequestExchange, "turn" | "started" | "firstEventAtMs" | "fileAccess" | "progress"> | null =
    null;
  /** How its turn ended. */
  outcome: IsolatedTurnResult["outcome"]["status"] | "failed" | null = null;
  errorCode: string | null = null;
  /** The error of that code; one over a WebSocket may have another there. */
  error: CodexNativeApiError | null = null;
  /** Null: the request log is not to have it. */
  entry: EntryKeeper | null = null;

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }

  /** `code`: as the caller is told. */
  fail(error: CodexNativeApiError, code: string = error.code): void {
    this.error = error;
    this.errorCode = code;
  }
}

/** The same of a request with a body of its own. */
export class HttpRequestRecord extends RequestRecord {
  readonly body: IncomingBody;
  /** Its connection was handed over to a WebSocket. */
  isUpgraded = false;

  constructor(startedAtMs: number, body: IncomingBody) {
    super(startedAtMs);
    this.body = body;
  }
}

export const recordKey = "record";

export function recordOf(request: FastifyRequest): HttpRequestRecord {
  return request.getDecorator<HttpRequestRecord>(recordKey);
}

/** What metrics learn of a request. Its status is null if the caller left: nothing else ends an answer before it is sent. */
export function observationOf(
  request: FastifyRequest,
  { raw }: FastifyReply,
  nowMs: number,
): RequestObservation {
  const record = recordOf(request);
  const sent = raw.writableFinished ? raw.statusCode : null;
  return {
    route: request.routeOptions.url ?? null,
    method: request.method,
    status: record.isUpgraded ? 101 : sent,
    errorCode: record.errorCode,
    caller: record.token?.name ?? null,
    durationMs: nowMs - record.startedAtMs,
  };
}

/** A request that is over. */
export interface EndedRequest {
  readonly requestId: string;
  readonly record: RequestRecord;
  readonly observation: RequestObservation;
  /** It comes so often that its line is for debugging, unless it failed. Default: false. */
  readonly isPoll?: boolean;
}

/** One line for each request. The logger leaves undefined fields out. */
export function logRequest(logger: Logger, ended: EndedRequest): void {
  const { requestId, record, observation, isPoll = false } = ended;
  const { route, method, status, errorCode, durationMs } = observation;
  const { token, responseId, taskClass, exchange, outcome, startedAtMs } = record;
  const turn = exchange?.started;
  const choices = exchange?.turn.choices ?? 1;
  const files = exchange?.fileAccess;
  const firstEventAtMs = exchange?.firstEventAtMs ?? null;
  const fields = {
    event: "http.request",
    request_id: requestId,
    method,
    route,
    status,
    caller: token?.name,
    // That of a path is whatever the caller wrote there.
    response_id: toId(responseId) ?? undefined,
    task_class: toWord(taskClass) ?? undefined,
    choices: choices > 1 ? choices : undefined,
    thread_id: turn?.threadId,
    turn_id: turn?.turnId,
    model: turn?.model,
    worker_id: turn?.target.workerId,
    app_server_generation: turn?.target.appServerGeneration,
    thread_kind: turn?.thread?.kind,
    files_readable: files?.readable,
    files_unreadable_reason: files?.reason ?? undefined,
    files_read: files?.read.length,
    files_refused: files?.refused.length,
    first_event_ms: firstEventAtMs === null ? undefined : round(firstEventAtMs - startedAtMs),
    total_ms: round(durationMs),
    ...describeTokens(exchange?.progress.usage ?? null),
    outcome: status === null ? "client_left" : (outcome ?? undefined),
    error_code: errorCode ?? undefined,
  };
  if (isPoll && errorCode === null) logger.debug(fields, "request");
  else if (status !== null && status >= 500) logger.warn(fields, "request");
  else logger.info(fields, "request");
}

/** What became of a background response, whose request was over long before. */
export interface EndedResponse {
  readonly requestId: string;
  readonly record: RequestRecord;
  readonly exchange: RequestExchange;
  readonly end: ExchangeEnd;
  readonly nowMs: number;
}

/** One line for each background response. */
export function logBackgroundEnd(
  logger: Logger | undefined,
  { requestId, record, exchange, end, nowMs }: EndedResponse,
): void {
  const { started, progress, outcome } = exchange;
  const fields = {
    event: "http.background_response",
    request_id: requestId,
    caller: record.token?.name,
    response_id: exchange.id,
    task_class: toWord(record.taskClass) ?? undefined,
    thread_id: started?.threadId,
    turn_id: started?.turnId,
    model: started?.model,
    thread_kind: progress.threadKind ?? undefined,
    total_ms: round(nowMs - record.startedAtMs),
    ...describeTokens(progress.usage),
    outcome: end.ok ? (outcome ?? undefined) : "failed",
    error_code: end.ok ? undefined : end.error.code,
  };
  logger?.info(fields, "background response");
}

function describeTokens(usage: TokenUsage | null): Readonly<Record<string, number>> {
  if (usage === null) return {};
  return {
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
    reasoning_output_tokens: usage.reasoningOutputTokens,
  };
}

/** Logs an unexpected error. All others are for the caller to read, and the request's line has their code. */
export function logFault(logger: Logger | undefined, requestId: string, error: CodexNativeApiError): void {
  if (error.code !== "internal_error") return;
  const err = error.cause ?? error;
  logger?.error({ event: "http.fault", request_id: requestId, err }, "request failed");
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
