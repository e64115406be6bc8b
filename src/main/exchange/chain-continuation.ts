import {
  type ContinuationMode,
  currentIdentity,
  planTurn,
  runPlannedTurn,
  type TurnPlan,
} from "../continuation/plan-turn.js";
import type { NewContinuationRecord } from "../continuation/types.js";
import type { DialectTurn } from "../dialects/dialect.js";
import { readBroughtTools } from "../dialects/tools/brought-tools.js";
import { refuseUnpairedCalls } from "../dialects/tools/call-pairs.js";
import { CodexNativeApiError } from "../errors.js";
import { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  TurnStarted,
} from "../runtime/types.js";
import type { Continuation, ContinuationContext } from "./continuation.js";
import { fingerprintThread } from "./fingerprints.js";

/** For callers that name the response before theirs: this service keeps the history, in records of a registry. */
export class ChainContinuation implements Continuation {
  readonly #context: ContinuationContext;
  #plan: TurnPlan | null = null;
  #turn: DialectTurn;
  /** Whether the turn has the tools that its history brought. */
  #isWhole: boolean;
  #fingerprint: string | null = null;

  constructor(context: ContinuationContext) {
    this.#context = context;
    this.#turn = context.turn;
    this.#isWhole = context.turn.offerWith === null;
  }

  get ownItems(): ItemList {
    return this.#plan?.ownItems ?? ItemList.empty;
  }

  async prepare(): Promise<void> {
    const { turn, registry, owner, itemIndex, pace } = this.#context;
    const items = await itemIndex.resolve(turn.request.items, { registry, owner, pace });
    const plan = await this.#planTurn(items);
    await this.#completeTurn(plan.items);
    if (!turn.isPaired) await refuseUnpairedCalls(plan.history, items, pace, plan.echoes);
    this.#plan = plan;
    this.#describe(plan, plan.resume === null ? "replayed" : "native");
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const plan = this.#requirePlan();
    const owned = withAccount(request, plan);
    const { result, mode } = await runPlannedTurn(this.#context.runtime, plan, owned, handlers);
    this.#describe(plan, mode);
    return result;
  }

  replay(
    made: readonly JsonObject[],
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult> {
    const plan = this.#requirePlan();
    const items = plan.items.concat([ItemList.of(made)]);
    return this.#context.runtime.runIsolatedTurn({ ...withAccount(request, plan), items }, handlers);
  }

  async keep(result: IsolatedTurnResult, outputItems: readonly JsonObject[]): Promise<boolean> {
    const { turn } = this.#context;
    const { outcome } = result;
    if (outcome.status === "cancelled" && !turn.background) return false;
    const parkedCallIds = outcome.status === "parked" ? outcome.callIds : [];
    return this.#put(this.#record(result, outputItems, parkedCallIds));
  }

  async keepUnfinished(started: TurnStarted | null, outputItems: readonly JsonObject[]): Promise<void> {
    const { runtime, turn } = this.#context;
    const { providerProfileId, accountId } = currentIdentity(runtime);
    const nowhere: TurnStarted = {
      threadId: "",
      turnId: "",
      model: turn.request.model ?? "",
      target: { providerProfileId, providerKind: "", accountId, workerId: "", appServerGeneration: 0 },
    };
    await this.#put(this.#record(started ?? nowhere, outputItems, []));
  }

  /** Stored, or remembered by the connection. False where it is neither. */
  async #put(record: NewContinuationRecord): Promise<boolean> {
    const { turn, registry, memory, itemIndex, pace } = this.#context;
    if (!turn.store) return (await memory?.put(record))?.status === "stored";
    const { status } = await registry.put(record);
    if (status === "stored") await itemIndex.add(record, pace);
    return status === "stored";
  }

  #requirePlan(): TurnPlan {
    if (this.#plan === null) throw new Error("A turn is planned before it is run.");
    return this.#plan;
  }

  async #planTurn(items: ItemList): Promise<TurnPlan> {
    const { turn, runtime, registry, owner, wallClock, isRunning, pace } = this.#context;
    const { previousResponseId } = turn;
    await pace.breathe();
    // Asked before the registry is: what runs is stored a moment before it counts as ended.
    const isMadeYet = previousResponseId !== null && isRunning(previousResponseId);
    try {
      return await planTurn(registry, runtime, {
        previousResponseId,
        items,
        settingsWith: async (whole) => {
          await this.#completeTurn(whole);
          return this.#threadSettings;
        },
        model: turn.request.model,
        identity: currentIdentity(runtime),
        owner,
        now: wallClock(),
        pace,
      });
    } catch (error) {
      if (isMadeYet && CodexNativeApiError.fromUnknown(error).code === "continuation_not_found") {
        throw inProgress(previousResponseId);
      }
      throw error;
    }
  }

  #describe({ source }: TurnPlan, mode: ContinuationMode): void {
    this.#context.answer.setContinuation(
      source === null
        ? null
        : {
            mode,
            previousResponseId: source.responseId,
            threadId: source.nativeThreadId,
            turnId: source.nativeTurnId,
            routeKind: source.routeKind,
          },
    );
  }

  /** Made once, since tools may be megabytes. */
  get #threadSettings(): string {
    this.#fingerprint ??= fingerprintThread(this.#turn.request);
    return this.#fingerprint;
  }

  async #completeTurn(history: ItemList): Promise<void> {
    if (this.#isWhole) return;
    this.#turn = this.#context.complete(await readBroughtTools(history, this.#context.pace));
    this.#isWhole = true;
  }

  #record(
    started: TurnStarted,
    outputItems: readonly JsonObject[],
    parkedCallIds: readonly string[],
  ): NewContinuationRecord {
    const { answer, owner, startedAtMs } = this.#context;
    return {
      responseId: answer.id,
      previousResponseId: this.#plan?.source?.responseId ?? null,
      nativeThreadId: started.threadId,
      nativeTurnId: started.turnId,
      activeAccountId: started.target.accountId,
      providerProfileId: started.target.providerProfileId,
      model: started.model,
      owner,
      routeKind: "responses",
      startedAt: startedAtMs,
      threadSettings: this.#threadSettings,
      inputItems: this.ownItems,
      outputItems,
      parkedCallIds,
      response: { ...answer.body },
    };
  }
}

/** What continues an account's work runs under that account or not at all. */
function withAccount(request: IsolatedTurnRequest, { source }: TurnPlan): IsolatedTurnRequest {
  return source === null ? request : { ...request, accountId: source.activeAccountId };
}

/** How long a caller waits before it asks again whether the response before is there, in milliseconds. */
const inProgressRetryMs = 2_000;

function inProgress(responseId: string): CodexNativeApiError {
  return new CodexNativeApiError(
    "response_in_progress",
    `Response '${responseId.slice(0, 64)}' is still being made. Continue it when it has ended.`,
    { param: "previous_response_id", retryAfterMs: inProgressRetryMs },
  );
}
