import { kindOfOutput, toFunctionOutput } from "../../workers/contract/client-tools.js";
import { itemTraits } from "../../workers/contract/item-chunk.js";
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import { ItemList, ItemPacker, visitItems } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeTurnRuntime,
  ToolOutput,
  ToolOutputPart,
} from "../runtime/types.js";
import { readChain } from "./chain.js";
import { findEchoes } from "./echoed-items.js";
import type { Owner } from "./owned-registry.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationIdentity,
  ContinuationRecord,
} from "./types.js";

/** How a turn continues what came before it. */
export interface TurnPlan {
  /** The response that is continued; null for the first of a chain. */
  readonly source: ContinuationRecord | null;
  /** The parked turn to continue, with the outputs of its calls; null where a turn is started. */
  readonly resume: { readonly turnId: string; readonly outputs: readonly ToolOutput[] } | null;
  /** A parked turn to abandon, since its chain continues in another way. */
  readonly abandonTurnId: string | null;
  /** What the chain holds up to the response that is continued. */
  readonly history: ItemList;
  /** Places of those items of the request that the history has already: they are no part of the turn. */
  readonly echoes: ReadonlySet<number>;
  /** This request's own items, for a thread that has seen the rest. */
  readonly ownItems: ItemList;
  /** The whole history for a thread of its own, this request's items last. */
  readonly items: ItemList;
}

export type ContinuationMode =
  /** The native turn or thread was continued. */
  | "native"
  /** The history was sent to the model on a new thread. */
  | "replayed"
  /** There was nothing to continue. */
  | null;

export interface PlanOptions {
  readonly previousResponseId: string | null;
  /** This request's own items. */
  readonly items: ItemList;
  /** Fingerprint of what a native thread keeps and a parked turn was told, with a whole history. */
  readonly settingsWith: (items: ItemList) => Promise<string>;
  /** As the request names it; one that names none takes any. */
  readonly model: string | undefined;
  readonly identity: ContinuationIdentity;
  /** Whose parked turns may be abandoned. */
  readonly owner: Owner;
  /** Unix time in milliseconds. */
  readonly now: number;
  readonly pace: Pace;
}

/** Throws what `readChain` throws. */
export async function planTurn(
  registry: Pick<CodexNativeApiContinuationRegistry, "get">,
  runtime: Pick<NativeTurnRuntime, "findParkedTurn">,
  options: PlanOptions,
): Promise<TurnPlan> {
  const { previousResponseId, items, identity, owner, now, pace } = options;
  if (previousResponseId === null) {
    const callIds = await answeredCallIds(items, pace);
    // The caller keeps its history itself: a turn parked on one of these calls would wait for nothing.
    const abandonTurnId = runtime.findParkedTurn(callIds, owner);
    const nothingBefore = { source: null, history: ItemList.empty, echoes: new Set<number>() };
    return { ...nothingBefore, resume: null, abandonTurnId, ownItems: items, items };
  }
  const chain = await readChain(registry, previousResponseId, identity, now, pace);
  const { head, items: history } = chain;
  const echoes = await findEchoes(chain, items, pace);
  const ownItems = await leaveOut(items, echoes, pace);
  const plan = { source: head, history, echoes, ownItems, items: history.concat([ownItems]) };
  const { parkedCallIds } = head;
  if (parkedCallIds.length === 0) return { ...plan, resume: null, abandonTurnId: null };
  const outputs = ownItems.length === parkedCallIds.length ? readToolOutputs([...ownItems]) : null;
  const settings = await options.settingsWith(plan.items);
  const isSame = head.threadSettings === settings && (options.model ?? head.model) === head.model;
  if (!isSame || outputs === null || !answersAll(outputs, parkedCallIds)) {
    return { ...plan, resume: null, abandonTurnId: head.nativeTurnId };
  }
  return { ...plan, resume: { turnId: head.nativeTurnId, outputs }, abandonTurnId: null };
}

async function leaveOut(items: ItemList, places: ReadonlySet<number>, pace: Pace): Promise<ItemList> {
  if (places.size === 0) return items;
  const packer = new ItemPacker();
  await visitItems(items, pace, (item, at) => {
    if (!places.has(at)) packer.add(item);
  });
  return packer.finish();
}

/** Runs a plan: continues natively where that is possible, and replays the history where it is not. */
export async function runPlannedTurn(
  runtime: NativeTurnRuntime,
  plan: TurnPlan,
  request: IsolatedTurnRequest,
  handlers: IsolatedTurnHandlers,
): Promise<{ readonly result: IsolatedTurnResult; readonly mode: ContinuationMode }> {
  if (plan.abandonTurnId !== null) runtime.abandonTurn(plan.abandonTurnId);
  const native = await continueNatively(runtime, plan, request, handlers);
  if (native !== null) return { result: native, mode: "native" };
  const result = await runtime.runIsolatedTurn({ ...request, items: plan.items }, handlers);
  return { result, mode: plan.source === null ? null : "replayed" };
}

function continueNatively(
  runtime: NativeTurnRuntime,
  { source, resume, abandonTurnId, ownItems }: TurnPlan,
  request: IsolatedTurnRequest,
  handlers: IsolatedTurnHandlers,
): Promise<IsolatedTurnResult | null> {
  if (resume !== null) return runtime.continueIsolatedTurn(resume.turnId, resume.outputs, handlers, request);
  // A thread whose turn was abandoned has not seen what the chain holds.
  if (source === null || abandonTurnId !== null || ownItems.length === 0) return Promise.resolve(null);
  const { nativeThreadId: threadId, nativeTurnId: turnId } = source;
  return runtime.continueThread({ threadId, turnId }, { ...request, items: ownItems }, handlers);
}

/** The outputs, if the items are nothing but outputs of tools that a parked turn can be given; else null. */
export function readToolOutputs(items: readonly JsonObject[]): readonly ToolOutput[] | null {
  const outputs: ToolOutput[] = [];
  for (const item of items) {
    const parts = kindOfOutput(item) === null ? null : readParts(toFunctionOutput(item).output);
    if (parts === null || typeof item.call_id !== "string") return null;
    outputs.push({ callId: item.call_id, parts });
  }
  return outputs;
}

function readParts(output: unknown): readonly ToolOutputPart[] | null {
  if (typeof output === "string") return [{ type: "text", text: output }];
  if (!Array.isArray(output)) return null;
  const parts: ToolOutputPart[] = [];
  for (const part of output) {
    if (!isJsonObject(part)) return null;
    if (part.type === "input_text" && typeof part.text === "string")
      parts.push({ type: "text", text: part.text });
    else if (part.type === "input_image" && typeof part.image_url === "string") {
      parts.push({ type: "image", imageUrl: part.image_url });
    } else return null;
  }
  return parts;
}

function answersAll(outputs: readonly ToolOutput[], callIds: readonly string[]): boolean {
  const answered = new Set(outputs.map((output) => output.callId));
  return outputs.length === callIds.length && callIds.every((callId) => answered.has(callId));
}

async function answeredCallIds(items: ItemList, pace: Pace): Promise<readonly string[]> {
  const callIds: string[] = [];
  const take = (item: JsonObject) => {
    if (kindOfOutput(item) !== null && typeof item.call_id === "string") callIds.push(item.call_id);
  };
  await visitItems(items, pace, take, itemTraits.call);
  return callIds;
}

/** Whose work a turn is that starts now. */
export function currentIdentity(runtime: Pick<NativeTurnRuntime, "health">): ContinuationIdentity {
  const { account, providerProfileId } = runtime.health();
  return { providerProfileId, accountId: account?.id ?? null };
}
