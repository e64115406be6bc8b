import type { Pace } from "../../workers/contract/pace.js";
import type { Owner } from "../continuation/owned-registry.js";
import type { Answer, DialectTurn } from "../dialects/dialect.js";
import type { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  NativeTurnRuntime,
  TurnStarted,
} from "../runtime/types.js";

/** How one exchange takes up what came before it, and what it leaves for the next. */
export interface Continuation {
  /** The request's own items, references resolved; empty before `prepare`. */
  readonly ownItems: ItemList;
  prepare(): Promise<void>;
  /** Goes on natively where that is possible, and puts the history before the model where it is not. */
  run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult>;
  /** False where the turn cannot be named again: one that is parked then waits for nothing. */
  keep(
    result: IsolatedTurnResult,
    outputItems: readonly JsonObject[],
    clientSignal: AbortSignal | null,
  ): Promise<boolean>;
  /** An answer that failed and can be read all the same. */
  keepFailed(started: TurnStarted | null, outputItems: readonly JsonObject[]): Promise<void>;
}

/** What every continuation needs of its exchange. */
export interface ContinuationContext {
  readonly turn: DialectTurn;
  readonly answer: Answer;
  readonly runtime: NativeTurnRuntime;
  readonly owner: Owner;
  readonly pace: Pace;
}
