import { createHash } from "node:crypto";
import {
  type ContinuationMode,
  currentIdentity,
  planTurn,
  runPlannedTurn,
  type TurnPlan,
} from "../continuation/plan-turn.js";
import type { CodexNativeApiContinuationRegistry, NewContinuationRecord } from "../continuation/types.js";
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
import type { ItemIndex } from "./item-index.js";

export interface ChainContext extends ContinuationContext {
  /** The owner's part of it. */
  readonly registry: CodexNativeApiContinuationRegistry;
  readonly itemIndex: ItemIndex;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** When the exchange began, on the wall clock. */
  readonly startedAtMs: number;
  readonly isRunning: (responseId: string) => boolean;
}

/** For callers that name the response before theirs: this service keeps the history, in records of a registry. */
export class ChainContinuation implements Continuation {
  readonly #context: ChainContext;
  #plan: TurnPlan | null = null;
  #fingerprint: string | null = null;

  constructor(context: ChainContext) {
    this.#context = context;
  }

  get ownItems(): ItemList {
    return this.#plan?.ownItems ?? ItemList.empty;
  }

  async prepare(): Promise<void> {
    const { turn, registry, owner, itemIndex, pace } = this.#context;
    const items = await itemIndex.resolve(turn.request.items, { registry, owner, pace });
    const plan = await this.#planTurn(items);
    if (!turn.isPaired) await refuseUnpairedCalls(plan.history, items, pace, plan.echoes);
    this.#plan = plan;
    this.#describe(plan, plan.resume === null ? "replayed" : "native");
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const plan = this.#plan;
    if (plan === null) throw new Error("A turn is planned before it is run.");
    const { source } = plan;
    // What continues an account's work runs under that account or not at all.
    const owned = source === null ? request : { ...request, accountId: source.activeAccountId };
    const { result, mode } = await runPlannedTurn(this.#context.runtime, plan, owned, handlers);
    this.#describe(plan, mode);
    return result;
  }

  async keep(result: IsolatedTurnResult, outputItems: readonly JsonObject[]): Promise<boolean> {
    const { turn, registry, itemIndex, pace } = this.#context;
    const { outcome } = result;
    if (!turn.store || (outcome.status === "cancelled" && !turn.background)) return false;
    const parkedCallIds = outcome.status === "parked" ? outcome.callIds : [];
    const record = this.#record(result, outputItems, parkedCallIds);
    const { status } = await registry.put(record);
    if (status === "stored") await itemIndex.add(record, pace);
    return status === "stored";
  }

  /** It is no one's ancestor that the model would answer on. */
  async keepFailed(started: TurnStarted | null, outputItems: readonly JsonObject[]): Promise<void> {
    const { registry, runtime, turn } = this.#context;
    const { providerProfileId, accountId } = currentIdentity(runtime);
    const nowhere: TurnStarted = {
      threadId: "",
      turnId: "",
      model: turn.request.model ?? "",
      target: { providerProfileId, providerKind: "", accountId, workerId: "", appServerGeneration: 0 },
    };
    await registry.put(this.#record(started ?? nowhere, outputItems, []));
  }

  async #planTurn(items: ItemList): Promise<TurnPlan> {
    const { turn, runtime, registry, owner, wallClock, isRunning, pace } = this.#context;
    const { previousResponseId } = turn;
    const settings = this.#threadSettings;
    await pace.breathe();
    // Asked before the registry is: what runs is stored a moment before it counts as ended.
    const isMadeYet = previousResponseId !== null && isRunning(previousResponseId);
    try {
      return await planTurn(registry, runtime, {
        previousResponseId,
        items,
        settings,
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
          },
    );
  }

  /** Made once, since tools may be megabytes. */
  get #threadSettings(): string {
    this.#fingerprint ??= fingerprintThread(this.#context.turn.request);
    return this.#fingerprint;
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

/**
 * What a native thread keeps for its life, and what a parked turn was told, as one word: a turn goes on there only if these
 * are equal. The model is compared by itself, since a request need not name one.
 */
function fingerprintThread(request: IsolatedTurnRequest): string {
  const { instructions = "", tools = [], webSearch = false, verbosity = null, directives = [] } = request;
  const lengths = tools.map(({ name, description }) => [name, description.length]);
  // Long texts as they are: written as JSON once more they would be escaped once more.
  const hash = createHash("sha256")
    .update(JSON.stringify([instructions.length, lengths, webSearch, verbosity, directives]))
    .update(instructions);
  for (const { description, parameters } of tools) {
    hash.update(description).update(JSON.stringify(parameters));
  }
  return hash.digest("base64url");
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
