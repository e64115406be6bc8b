import type { LoopShare, Pace } from "../../workers/contract/pace.js";
import type { OwnedRegistry, Owner } from "../continuation/owned-registry.js";
import type { Answer, DialectTurn } from "../dialects/dialect.js";
import type { Tool } from "../dialects/tools/tool-schemas.js";
import type { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  NativeTurnRuntime,
  TurnStarted,
} from "../runtime/types.js";
import type { ConnectionMemory } from "./connection-memory.js";
import type { ItemIndex } from "./item-index.js";
import type { ParkedHistories } from "./parked-histories.js";

/** How one exchange continues what came before it, and what it leaves for the next. */
export interface Continuation {
  /** The request's own items, references resolved; empty before `prepare`. */
  readonly ownItems: ItemList;
  prepare(): Promise<void>;
  /** Continues natively where that is possible, else sends the model the whole history. */
  run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult>;
  /** Sends the model the whole history, and behind it what the turn has made so far. */
  replay(
    made: readonly JsonObject[],
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult>;
  /** False where the turn cannot be named again: one that is parked then waits for nothing. */
  keep(
    result: IsolatedTurnResult,
    outputItems: readonly JsonObject[],
    clientSignal: AbortSignal | null,
  ): Promise<boolean>;
  /** A turn without a result: one that failed and can be read all the same, or one that was not run and can be continued. */
  keepUnfinished(started: TurnStarted | null, outputItems: readonly JsonObject[]): Promise<void>;
}

/** What continuations need of a request and of the server. */
export interface ContinuationOptions {
  readonly turn: DialectTurn;
  readonly owner: Owner;
  readonly runtime: NativeTurnRuntime;
  /** The owner's part of it. */
  readonly registry: OwnedRegistry;
  /** Keeps what is not to be stored; null: nothing does. */
  readonly memory: ConnectionMemory | null;
  readonly itemIndex: ItemIndex;
  readonly parkedHistories: ParkedHistories;
  readonly loopShare: LoopShare;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** Whether a response of this owner's is being made, and will be stored. */
  readonly isRunning: (responseId: string) => boolean;
}

/** The same, and what the exchange adds. */
export interface ContinuationContext extends ContinuationOptions {
  /** Makes the exchange's turn whole with the tools that its history brought. Only of a turn that has `offerWith`. */
  readonly complete: (brought: readonly Tool[]) => DialectTurn;
  readonly answer: Answer;
  readonly pace: Pace;
  /** When the exchange began, on the wall clock. */
  readonly startedAtMs: number;
}
