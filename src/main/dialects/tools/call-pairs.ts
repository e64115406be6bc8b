/**
 * Calls and outputs of a history, paired by order and count. Codex drops an output without a call, and answers a call without an
 * output in the function's place ("aborted"); OpenAI refuses both, as well as a second output and two open calls of one id.
 */
import { itemTraits } from "../../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { CodexNativeApiError } from "../../errors.js";
import { type Items, visitItems } from "../../history/item-list.js";

export type CallKind = "function" | "custom tool";

/** A call or an output, and where the request has it. */
export interface CallStep {
  readonly step: "call" | "output";
  readonly callId: string;
  /** Null for an output that answers calls of every kind. */
  readonly kind: CallKind | null;
  /** Path of the id, for the error. */
  readonly param: string;
}

/**
 * Takes a history's steps one after another. Each output answers the call of its id that is open at that point, and each call is
 * answered in the end. An id may come again once it was answered.
 */
export class CallPairs {
  readonly #open = new Map<string, CallStep>();
  readonly #answered = new Set<string>();
  #fault: CodexNativeApiError | null = null;

  /** After the first fault there is nothing more to find. */
  take(step: CallStep): void {
    this.#fault ??= this.#check(step);
  }

  get fault(): CodexNativeApiError | null {
    return this.#fault;
  }

  /** The first step that breaks the rule, when there are no more; null where none does. */
  finish(): CodexNativeApiError | null {
    if (this.#fault !== null) return this.#fault;
    for (const call of this.#open.values()) {
      return fault(call, `no tool output found for ${call.kind} call ${quote(call.callId)}`);
    }
    return null;
  }

  #check(step: CallStep): CodexNativeApiError | null {
    const { callId } = step;
    const call = this.#open.get(callId);
    if (step.step === "call") {
      if (call !== undefined)
        return fault(step, `call ${quote(callId)} is open already, since ${call.param}`);
      this.#open.set(callId, step);
      return null;
    }
    if (call === undefined) return fault(step, whyNoCall(callId, this.#answered));
    if (step.kind !== null && step.kind !== call.kind) {
      return fault(
        step,
        `call ${quote(callId)} is one of a ${call.kind}, and this output is of a ${step.kind}`,
      );
    }
    this.#open.delete(callId);
    this.#answered.add(callId);
    return null;
  }
}

function whyNoCall(callId: string, answered: ReadonlySet<string>): string {
  return answered.has(callId)
    ? `call ${quote(callId)} has its output already`
    : `no tool call found before it for the output of call ${quote(callId)}`;
}

function quote(callId: string): string {
  return `'${callId.slice(0, 64)}'`;
}

function fault({ param }: CallStep, message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `'${param}': ${message}.`, { param });
}

const kinds: ReadonlyMap<unknown, readonly [step: CallStep["step"], kind: CallKind]> = new Map([
  ["function_call", ["call", "function"]],
  ["function_call_output", ["output", "function"]],
  ["custom_tool_call", ["call", "custom tool"]],
  ["custom_tool_call_output", ["output", "custom tool"]],
]);

const noEchoes: ReadonlySet<number> = new Set();

/**
 * @param history items that come before the request's own: those of the responses it continues.
 * @param input the request's items, as it numbers them.
 * @param echoes the places of those of them that are in the history already.
 * @throws CodexNativeApiError `invalid_request` for the first call or output that has no partner.
 */
export async function refuseUnpairedCalls(
  history: Items,
  input: Items,
  pace: Pace,
  echoes = noEchoes,
): Promise<void> {
  const pairs = new CallPairs();
  await visitItems(history, pace, (item) => takeStep(pairs, item, null), itemTraits.call);
  await visitItems(
    input,
    pace,
    (item, at) => {
      if (!echoes.has(at)) takeStep(pairs, item, at);
    },
    itemTraits.call,
  );
  const fault = pairs.finish();
  if (fault !== null) throw fault;
}

/** @param at the item's place in the request; null for one of the history before it. */
export function takeStep(pairs: CallPairs, item: JsonObject, at: number | null): void {
  const found = kinds.get(item.type);
  if (found === undefined || typeof item.call_id !== "string") return;
  const [step, kind] = found;
  pairs.take({ step, callId: item.call_id, kind, param: at === null ? "input" : `input[${at}].call_id` });
}
