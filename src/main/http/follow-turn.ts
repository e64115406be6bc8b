import type { FastifyReply, FastifyRequest } from "fastify";
import type { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnResult, TurnStarted } from "../runtime/types.js";
import { toApiError } from "./error-reply.js";
import type { TurnExchange } from "./in-flight.js";
import type { RequestRecord } from "./request-record.js";
import type { RouteContext } from "./server-options.js";

/** Takes what a run tells. A returned promise holds the turn back. */
export type Sink<Part> = (parts: readonly Part[]) => void | Promise<void>;

/** How a run ended. Its sink has had the error too, as the dialect's last event. */
export type TurnEnd = { readonly ok: true } | { readonly ok: false; readonly error: CodexNativeApiError };

/** One request's turn, of whatever dialect. */
export interface FollowedRun<Part, End extends TurnEnd> {
  readonly started: TurnStarted | null;
  readonly outcome: IsolatedTurnResult["outcome"]["status"] | null;
  /** Ends the answer now, whatever the turn does. */
  interrupt(error: CodexNativeApiError, sink: Sink<Part>): Promise<End>;
}

/** One request for an answer and all that belongs to it. */
export interface Exchange<Run> {
  readonly request: FastifyRequest;
  readonly run: Run;
  readonly inFlight: TurnExchange;
  readonly record: RequestRecord;
}

/** Where a run's events go. */
export interface Destination<Part> {
  readonly sink: Sink<Part>;
  /** Whether the client has a part of the answer: an error is then told there and nowhere else. */
  readonly isOpen: boolean;
}

/** Of an answer that is sent whole, when all of it is there; its head may be out before. */
export function wholeAnswer(reply: FastifyReply): Destination<unknown> {
  return {
    sink: () => {},
    get isOpen() {
      return reply.raw.headersSent;
    },
  };
}

/** Runs a turn to its end, or to the server's, and notes how it went for the request's log line. */
export async function followTurn<Part, End extends TurnEnd>(
  exchange: Exchange<FollowedRun<Part, End>>,
  context: RouteContext,
  destination: Destination<Part>,
  start: (sink: Sink<Part>) => Promise<End>,
): Promise<End> {
  const { run, inFlight, record } = exchange;
  const { sink } = destination;
  const observed: Sink<Part> = (parts) => {
    record.turn = run.started;
    // A background response is queued before its turn has begun.
    if (run.started !== null) record.firstEventAtMs ??= context.clock();
    return sink(parts);
  };
  const interrupted = inFlight.interrupted.catch((error: unknown) => run.interrupt(toApiError(error), sink));
  const end = await Promise.race([start(observed), interrupted]);
  noteEnd(end, destination.isOpen, exchange, context);
  return end;
}

function noteEnd(
  end: TurnEnd,
  isTold: boolean,
  { run, record, request, inFlight }: Exchange<Pick<FollowedRun<never, never>, "started" | "outcome">>,
  { logger }: RouteContext,
): void {
  record.turn = run.started;
  if (end.ok) {
    record.outcome = run.outcome;
    return;
  }
  const { error } = end;
  record.outcome = "failed";
  // That it was given up is what its client did, and no fault.
  if (!inFlight.clientLeft) record.errorCode = error.code;
  // Only what nobody foresaw: the rest is the caller's to read, and its code is in the request's line.
  if (!isTold || error.code !== "internal_error") return;
  const err = error.cause ?? error;
  logger?.error({ event: "http.fault", request_id: request.id, err }, "request failed");
}
