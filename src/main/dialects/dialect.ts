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
import type { FileAccess } from "./answers/wire-types.js";
import type { Operation } from "./operation.js";
import type { JsonBody } from "./requests/parse-body.js";
import type { BridgeTask, Capabilities } from "./requests/turn-request.js";
import type { Tool } from "./tools/tool-schemas.js";

/** One line of the table of dialects. */
export interface Dialect<Turn extends DialectTurn = DialectTurn> {
  /** Path of its `POST` route. */
  readonly route: string;
  /** How its callers continue a conversation: they name the response before, or send the whole history again. */
  readonly continuesBy: "response_id" | "history";
  readonly errors: ErrorShape;
  /** Of its `POST` route. */
  readonly operation: Operation;
  /** Its route is a WebSocket too, whose messages are its requests. Default: it is none. */
  readonly overWebSocket?: Operation;
  /** Its requests are decisions, which have a model and an effort of their own by default. Default: false. */
  readonly decides?: boolean;
  /** @throws CodexNativeApiError for a body that is at fault or asks for what the dialect refuses. */
  decode(body: JsonBody, decoding: Decoding): Promise<Turn>;
  encode(turn: Turn, encoding: Encoding): Answer;
  /** For turns with more than one of `choices`, and only of dialects that have those. */
  encodeChoices?(turn: Turn, encoding: Encoding): ChoicesAnswer;
}

export interface Decoding {
  /** Pauses between two steps of a long body, so that the event loop can run. */
  readonly pace: Pace;
  /** Whether parameters that Codex has no place for are left out or refused. */
  readonly unsupportedParameters: "ignore" | "reject";
  /** For a request that no model is asked with: it need not hold anything. Default: false. */
  readonly mayBeEmpty?: boolean;
}

export interface Encoding {
  readonly routePath: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** A new id with the given prefix, never used before. */
  readonly newId: (prefix: string) => string;
  /** Whether a stream ends with `endMarker` also where OpenAI's does not. Default: true. */
  readonly streamDone?: boolean;
  /** The model of a request that names none, as far as it is known before its turn has started. Default: it is not. */
  readonly defaultModel?: () => string | null;
}

/** The end of a stream, for clients that wait for it. No event: it is no JSON. */
export const endMarker = "data: [DONE]\n\n";

/** A dialect's form of an error. */
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
  /**
   * Set where a chat bridge asks. Its answer is the final message and the calls alone: commentary and reasoning go into the history,
   * and not to the caller. Its turn may read files, if the service has folders for that.
   */
  readonly bridgeTask: BridgeTask | null;
  readonly stream: boolean;
  /** The answer is kept under its id. */
  readonly store: boolean;
  /** The caller does not wait for it and reads it later. Only in a dialect that stores answers. */
  readonly background: boolean;
  readonly previousResponseId: string | null;
  /** How many answers to the same request it asks for, each made by a turn of its own. Default: 1. */
  readonly choices?: number;
  /** Whether its calls are known to have their outputs, and the outputs their calls. */
  readonly isPaired: boolean;
  /**
   * What its request asks for of its tools, once the tools are known that items of its history brought. Null where the request alone
   * says it: then `request` and `obligations` have it.
   *
   * @throws CodexNativeApiError `invalid_request` for a choice of a tool that is in neither.
   */
  readonly offerWith: ((brought: readonly Tool[]) => Capabilities) | null;
}

/** How an event counts for a stream's head, which waits for output. */
export type EventKind =
  /** The turn has begun; no output yet. */
  | "preamble"
  | "output"
  /** The turn failed. */
  | "failure";

/** What is sent of an answer. Each method that gives events gives none once it has ended. */
export interface SentAnswer<Event = unknown> {
  readonly id: string;
  /** The answer to a caller that asked for no stream: as far as it is made, and final once it has ended. */
  readonly body: object;
  /** The text after the last event of a stream, whose turn ended well or failed. */
  endOfStream(ok: boolean): string;
  fail(error: CodexNativeApiError): readonly Event[];
  /** The body of an answer whose head said that all is well, and then its turn failed. */
  failedBody(error: CodexNativeApiError): object;
  /** Events as server-sent text. */
  encode(events: readonly Event[]): string;
  kindOf(event: Event): EventKind;
}

/** One answer: takes a turn's events and gives the dialect's. */
export interface Answer<Event = unknown> extends SentAnswer<Event> {
  /** The caller has had all that it asked for, and what its turn still makes is no part of it. Default: false. */
  readonly isSatisfied?: boolean;
  /** The model's items, as far as the caller gets them. Default: all. */
  asShown?(items: readonly JsonObject[]): readonly JsonObject[];
  /** The turn continues another's work, or replays it. */
  setContinuation(continuation: ContinuationFacts | null): void;
  /** What the turn may read, and has read so far. Only of dialects that chat bridges speak. */
  setFileAccess?(access: FileAccess): void;
  /** The beginning of a background answer, which exists before its turn does. Only of dialects that have those. */
  queue?(): readonly Event[];
  /** Codex took the turn on. A turn that is run again elsewhere starts twice. */
  start(started: TurnStarted): readonly Event[];
  push(event: TurnEvent): readonly Event[];
  /** The turn starts over. Only where the client has had no event. */
  forget(): void;
  /** @param unmet parameters that turned out to have no effect. */
  end(end: TurnEnd): readonly Event[];
  /** The answer as items of the history that its caller sends next time. Default: what the model made. */
  historyItems?(): readonly JsonObject[];
}

/** Several answers that are sent as one. */
export interface ChoicesAnswer<Event = unknown> extends SentAnswer<Event> {
  /** Each takes the events of a turn of its own. What one of them gives is sent as it comes, and is no part of its failure. */
  readonly choices: readonly Answer<Event>[];
  /** All of them have ended. */
  end(): readonly Event[];
}

/** How a turn ended, for its answer. */
export interface TurnEnd {
  readonly outcome: IsolatedTurnResult["outcome"];
  /** Sum over the turn's model calls; null where Codex reported none. */
  readonly usage: TokenUsage | null;
  /** Parameters that turned out to have no effect. */
  readonly unmet: readonly string[];
}
