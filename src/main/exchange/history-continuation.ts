import { kindOfOutput } from "../../workers/contract/client-tools.js";
import { itemTraits, readChunk } from "../../workers/contract/item-chunk.js";
import type { Pace } from "../../workers/contract/pace.js";
import { currentIdentity, readToolOutputs } from "../continuation/plan-turn.js";
import { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  ToolOutput,
} from "../runtime/types.js";
import type { Continuation, ContinuationContext } from "./continuation.js";
import { fingerprintHistory } from "./fingerprints.js";

/** The history that a parked turn must have seen for this request to continue it, and the outputs of its calls. */
interface Resumption {
  readonly fingerprint: string;
  readonly outputs: readonly ToolOutput[];
}

/**
 * For callers that send the whole history each time: nothing of it is kept here but, of a turn that waits for its functions' outputs,
 * what it has seen. A request that repeats exactly that and brings the outputs continues the turn.
 */
export class HistoryContinuation implements Continuation {
  readonly #context: ContinuationContext;
  /** The calls that were answered last: a parked turn may wait for them. */
  #callIds: readonly string[] = [];
  #isWaitedFor = false;
  #resumption: Resumption | null = null;

  constructor(context: ContinuationContext) {
    this.#context = context;
  }

  get ownItems(): ItemList {
    return ItemList.empty;
  }

  async prepare(): Promise<void> {
    const { turn, runtime, owner, loopShare, pace } = this.#context;
    await pace.breathe();
    // Whatever came after them: no earlier call can still wait, for an answer followed it.
    const outputs = await readLastOutputs(turn.request.items, true, loopShare.start());
    this.#callIds = outputs.flatMap(({ call_id: id }) => (typeof id === "string" ? [id] : []));
    this.#isWaitedFor = runtime.findParkedTurn(this.#callIds, owner) !== null;
    if (this.#isWaitedFor) this.#resumption = await this.#readResumption();
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const { runtime, owner, answer, parkedHistories } = this.#context;
    // Nothing may come between finding a parked turn and taking it: another request may ask for the same.
    const turnId = this.#isWaitedFor ? runtime.findParkedTurn(this.#callIds, owner) : null;
    if (turnId === null) return runtime.runIsolatedTurn(request, handlers);
    const seen = parkedHistories.take(turnId);
    const resumption = this.#resumption;
    const isSame = resumption !== null && resumption.fingerprint === seen?.fingerprint;
    const source = {
      previousResponseId: null,
      threadId: isSame ? seen.threadId : null,
      turnId,
      routeKind: "chat_completions",
    } as const;
    if (!isSame) runtime.abandonTurn(turnId);
    else {
      answer.setContinuation({ mode: "native", ...source });
      const result = await runtime.continueIsolatedTurn(turnId, resumption.outputs, handlers, request);
      if (result !== null) return result;
    }
    answer.setContinuation({ mode: "replayed", ...source });
    return runtime.runIsolatedTurn(request, handlers);
  }

  replay(
    made: readonly JsonObject[],
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult> {
    const { runtime, turn } = this.#context;
    const items = turn.request.items.concat([ItemList.of(made)]);
    return runtime.runIsolatedTurn({ ...request, items }, handlers);
  }

  /** False where its client has left, so that no one will answer the calls. */
  async keep(
    result: IsolatedTurnResult,
    outputItems: readonly JsonObject[],
    clientSignal: AbortSignal | null,
  ): Promise<boolean> {
    if (result.outcome.status !== "parked") return false;
    const { turn, answer, parkedHistories, loopShare } = this.#context;
    const { request } = turn;
    const { providerProfileId, accountId } = result.target;
    const seen = {
      request,
      items: request.items,
      count: request.items.length,
      more: answer.historyItems?.() ?? outputItems,
      identity: { providerProfileId, accountId },
    };
    const fingerprint = await fingerprintHistory(seen, loopShare.start());
    if (clientSignal?.aborted === true) return false;
    parkedHistories.remember(result.turnId, { fingerprint, threadId: result.threadId });
    return true;
  }

  /** Nobody can name it. */
  async keepUnfinished(): Promise<void> {}

  /** Null where no parked turn can be told what this request asks. */
  async #readResumption(): Promise<Resumption | null> {
    const { turn, runtime, loopShare } = this.#context;
    // Only a new turn can be told, after the outputs, that a tool must be called.
    if (turn.obligations.some(({ kind }) => kind === "tool_call")) return null;
    const pace = loopShare.start();
    const { request } = turn;
    const { items } = request;
    const lastOutputs = await readLastOutputs(items, false, pace);
    const outputs = readToolOutputs(lastOutputs);
    if (outputs === null || outputs.length === 0) return null;
    const count = items.length - lastOutputs.length;
    const seen = { request, items, count, more: [], identity: currentIdentity(runtime) };
    return { fingerprint: await fingerprintHistory(seen, pace), outputs };
  }
}

/** The last outputs of a history that follow one another; none where other items follow them and `mayBeFollowed` is false. */
async function readLastOutputs(
  items: ItemList,
  mayBeFollowed: boolean,
  pace: Pace,
): Promise<readonly JsonObject[]> {
  const backwards: JsonObject[] = [];
  for (const chunk of items.chunks.toReversed()) {
    const mayHoldOutputs = (chunk.traits & itemTraits.call) !== 0;
    if (!mayHoldOutputs && (backwards.length > 0 || !mayBeFollowed)) break;
    for (const item of mayHoldOutputs ? readChunk(chunk).toReversed() : []) {
      if (isOutput(item)) backwards.push(item);
      else if (backwards.length > 0 || !mayBeFollowed) return backwards.reverse();
    }
    if (pace.isDue) await pace.rest();
  }
  return backwards.reverse();
}

function isOutput(item: JsonObject): boolean {
  return kindOfOutput(item) !== null;
}
