/** The entry of a request as it stands: of callers' texts only short names, unless content is asked for. */
import type { ExchangeEnd, RequestExchange } from "../../exchange/exchange.js";
import type { TurnProgress } from "../../exchange/turn-progress.js";
import type {
  RequestEntry,
  RequestFailure,
  RequestOutcome,
  RequestState,
  RequestThread,
  RequestTimings,
} from "../../observability/requests/types.js";
import type { TurnStarted } from "../../runtime/types.js";
import type { RequestObservation } from "../metrics-sink.js";
import type { RequestRecord } from "../request-record.js";
import { cutText, describeContent } from "./request-content.js";
import { toId, toParam, toParameterNames, toWord } from "./safe-words.js";

/** Where a request came in. */
export interface RequestPlace {
  readonly requestId: string;
  readonly transport: RequestEntry["transport"];
  readonly method: string;
  /** Pattern of the route; null where none matched. */
  readonly route: string | null;
}

export interface EntryEnd {
  readonly observation: RequestObservation;
  /** Null: no turn was run. */
  readonly turn: ExchangeEnd | null;
  /** On the growing clock. */
  readonly atMs: number;
}

/** What does not change from the time that the request was understood. */
export type EntryFacts = Pick<
  RequestEntry,
  | "caller"
  | "dialect"
  | "requestedModel"
  | "serviceTier"
  | "stream"
  | "background"
  | "choices"
  | "taskClass"
  | "priority"
  | "timeoutMs"
  | "ignoredParameters"
  | "previousResponseId"
>;

export interface EntrySource {
  readonly id: string;
  readonly place: RequestPlace;
  readonly record: RequestRecord;
  readonly facts: EntryFacts;
  /** Null: none was made. */
  readonly exchange: RequestExchange | null;
  /** Unix time in milliseconds. */
  readonly startedAtMs: number;
  readonly hasContent: boolean;
  /** Null while it goes on. */
  readonly end: EntryEnd | null;
}

export function describeFacts({ token, dialectRoute, asked, taskClass }: RequestRecord): EntryFacts {
  return {
    caller: token?.name ?? null,
    dialect: dialectRoute === null ? null : nameDialect(dialectRoute),
    requestedModel: toWord(asked?.requestedModel ?? null),
    serviceTier: toWord(asked?.serviceTier ?? null),
    stream: asked?.stream ?? false,
    background: asked?.background ?? false,
    choices: asked?.choices ?? 1,
    taskClass: toWord(taskClass),
    priority: asked?.priority ?? null,
    timeoutMs: asked?.timeoutMs ?? null,
    ignoredParameters: toParameterNames(asked?.ignoredParameters ?? []),
    previousResponseId: toId(asked?.previousResponseId ?? null),
  };
}

/** Five times in a turn, so that it must be cheap. */
export function describeEntry(source: EntrySource): RequestEntry {
  const { id, place, record, facts, exchange, startedAtMs, hasContent, end } = source;
  const started = exchange?.started ?? null;
  const progress = exchange?.progress ?? null;
  const atOffset = offsetsFrom(record.startedAtMs);
  return {
    id,
    state: stateOf(progress, end),
    startedAtMs,
    transport: place.transport,
    method: place.method,
    route: place.route,
    status: end?.observation.status ?? null,
    ...facts,
    model: toWord(started?.model ?? null),
    reasoningEffort: toWord(started?.effort ?? record.asked?.effort ?? null),
    promptForm: started?.promptForm ?? null,
    outcome: outcomeOf(source),
    error: describeFailure(source),
    timings: describeTimings(progress, atOffset, end),
    thread: started === null ? null : describeThread(started, progress),
    attempts: progress?.attempts ?? 0,
    retries: (progress?.retries ?? []).map(({ code, atMs }) => ({ code, atMs: atOffset(atMs) ?? 0 })),
    ignoredParameters: withUnmet(facts.ignoredParameters, progress?.unmet ?? []),
    usage: describeUsage(progress),
    responseId: toId(record.responseId),
    content: hasContent && exchange !== null ? describeContent(exchange) : null,
  };
}

function stateOf(progress: TurnProgress | null, end: EntryEnd | null): RequestState {
  if (end !== null) return "ended";
  return progress === null || progress.admittedAtMs === null ? "waiting" : "running";
}

function withUnmet(ignored: readonly string[], unmet: readonly string[]): readonly string[] {
  return unmet.length === 0 ? ignored : toParameterNames([...ignored, ...unmet]);
}

/** `/v1/chat/completions` → `chat_completions`. */
function nameDialect(route: string): string {
  return route.replace(/^\/v1\//, "").replaceAll("/", "_");
}

/** How a background answer's request ended says nothing of its turn. */
function outcomeOf({ record, exchange, end }: EntrySource): RequestOutcome | null {
  if (end === null) return null;
  const isAlone = record.asked?.background === true && end.turn !== null;
  if (end.observation.status === null && !isAlone) return "client_left";
  const code = record.errorCode ?? (end.turn?.ok === false ? end.turn.error.code : null);
  // It was cancelled before it had begun.
  if (code === "turn_cancelled") return "cancelled";
  if (code !== null) return "failed";
  const outcome = exchange?.outcome ?? null;
  return outcome === "parked" || outcome === "handed_over" ? "calls" : outcome;
}

function describeFailure({ record, hasContent, end }: EntrySource): RequestFailure | null {
  if (end === null) return null;
  const hasLeft = end.observation.status === null && record.asked?.background !== true;
  const error = record.error ?? (end.turn?.ok === false && !hasLeft ? end.turn.error : null);
  if (error === null) return null;
  return {
    code: record.errorCode ?? error.code,
    param: toParam(error.param),
    retryable: error.retryable,
    message: hasContent ? cutText(error.message) : null,
  };
}

function describeTimings(
  progress: TurnProgress | null,
  atOffset: (atMs: number | null) => number | null,
  end: EntryEnd | null,
): RequestTimings {
  return {
    preparedMs: atOffset(progress?.preparedAtMs ?? null),
    admittedMs: atOffset(progress?.admittedAtMs ?? null),
    threadReadyMs: atOffset(progress?.threadReadyAtMs ?? null),
    turnStartedMs: atOffset(progress?.turnStartedAtMs ?? null),
    firstOutputMs: atOffset(progress?.firstOutputAtMs ?? null),
    outputEndedMs: atOffset(progress?.outputEndedAtMs ?? null),
    endedMs: atOffset(end?.atMs ?? null),
  };
}

/** To a tenth of a millisecond. */
function offsetsFrom(startedAtMs: number): (atMs: number | null) => number | null {
  return (atMs) => (atMs === null ? null : Math.max(0, Math.round((atMs - startedAtMs) * 10) / 10));
}

function describeThread(
  { threadId, turnId, target }: TurnStarted,
  progress: TurnProgress | null,
): RequestThread {
  return {
    kind: progress?.threadKind ?? null,
    threadId: threadId.slice(0, 128),
    turnId: turnId.slice(0, 128),
    workerId: target.workerId,
    appServerGeneration: target.appServerGeneration,
  };
}

function describeUsage(progress: TurnProgress | null): RequestEntry["usage"] {
  const usage = progress?.usage ?? null;
  if (usage === null) return null;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens, totalTokens } = usage;
  return { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens, totalTokens };
}
