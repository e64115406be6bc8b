/** What makes a dialect: it reads a request into a `DialectTurn` and writes a turn's events as its own. All of it is pure. */
import type { Pace } from "../../workers/contract/pace.js";
import type { CodexNativeApiError } from "../errors.js";
import type { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  TokenUsage,
  TurnEvent,
  TurnStarted,
} from "../runtime/types.js";
import type { ContinuationFacts } from "./answers/native-api.js";
import type { Obligation } from "./answers/obligations.js";
import type { UnsupportedParameterPolicy } from "./requests/fields.js";
import type { JsonBody } from "./requests/parse-body.js";

/** One line of the table of dialects. */
export interface Dialect<Turn extends DialectTurn = DialectTurn> {
  /** Path of its `POST` route. */
  readonly route: string;
  /** How its callers go on: they name the response before, or they send the whole history again. */
  readonly continuesBy: "response_id" | "history";
  readonly errors: ErrorShape;
  /** @throws CodexNativeApiError for a body that is at fault or asks for what the dialect refuses. */
  decode(body: JsonBody, decoding: Decoding): Promise<Turn>;
  encode(turn: Turn, encoding: Encoding): Answer;
}

export interface Decoding {
  /** A body may be long: the event loop goes on between two steps. */
  readonly pace: Pace;
  readonly unsupportedParameters: UnsupportedParameterPolicy;
}

export interface Encoding {
  readonly routePath: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** A new id with the given prefix, never used before. */
  readonly newId: (prefix: string) => string;
}

/** How a dialect tells an error. */
export interface ErrorShape {
  /** The body of an answer with the error's status. */
  describe(error: CodexNativeApiError): object;
  /** The last event of a stream that breaks off for a reason outside of its turn, as text. */
  encodeLast(error: CodexNativeApiError, sequenceNumber: number): string;
}

/** A request, checked: the turn to run, and what its answer needs to know. Dialects add what their answers repeat. */
export interface DialectTurn {
  /** Its `items` are what the caller sent. They may hold references to stored items (`itemTraits.reference`). */
  readonly request: IsolatedTurnRequest & { readonly items: ItemList };
  /** Checked against what the model made, by `unmetObligations`. */
  readonly obligations: readonly Obligation[];
  readonly ignoredParameters: readonly string[];
  /** The caller's own, for the log. */
  readonly metadata: JsonObject | null;
  readonly taskClass: string | null;
  readonly stream: boolean;
  /** The answer is kept under its id. */
  readonly store: boolean;
  /** It is made without its caller, who reads it later. Only of a dialect that stores. */
  readonly background: boolean;
  readonly previousResponseId: string | null;
  /** Whether its calls are known to have their outputs, and the outputs their calls. */
  readonly isPaired: boolean;
}

/** What of an event a stream's head needs to know: the head waits for output. */
export type EventKind =
  /** Says only that the turn has begun. */
  | "preamble"
  | "output"
  /** Says that the turn failed. */
  | "failure";

/** One answer: takes a turn's events and gives the dialect's. Each method that gives events gives none once it has ended. */
export interface Answer<Event = unknown> {
  readonly id: string;
  /** What a caller gets who did not ask for a stream: the answer as it stands, and final once it has ended. */
  readonly body: object;
  /** What ends a stream that went well, behind its last event. */
  readonly endOfStream: string;
  /** The turn goes on with another's work, or repeats it. */
  setContinuation(continuation: ContinuationFacts | null): void;
  /** The beginning of a background answer, which exists before its turn does. Only of dialects that have those. */
  queue?(): readonly Event[];
  /** Codex took the turn on. A turn that is run again elsewhere starts twice. */
  start(started: TurnStarted): readonly Event[];
  push(event: TurnEvent): readonly Event[];
  /** The turn begins anew. Only where the client has had no event. */
  forget(): void;
  /** @param unmet parameters that turned out to have no effect. */
  end(end: TurnEnd): readonly Event[];
  fail(error: CodexNativeApiError): readonly Event[];
  /** The body of an answer whose head said that all is well, and then its turn failed. */
  failedBody(error: CodexNativeApiError): object;
  /** The answer as items of the history that its caller sends next time. Default: what the model made. */
  historyItems?(): readonly JsonObject[];
  /** Events as server-sent text. */
  encode(events: readonly Event[]): string;
  kindOf(event: Event): EventKind;
}

/** How a turn ended, for its answer. */
export interface TurnEnd {
  readonly outcome: IsolatedTurnResult["outcome"];
  /** Sum over the turn's model calls; null where Codex reported none. */
  readonly usage: TokenUsage | null;
  /** Parameters that turned out to have no effect. */
  readonly unmet: readonly string[];
}
