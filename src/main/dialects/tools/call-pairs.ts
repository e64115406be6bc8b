/**
 * Calls and outputs of a history, paired by order and count. Codex drops an output without a call, and answers a call without an
 * output in the function's place ("aborted"); OpenAI refuses both, as well as a second output and two open calls of one id.
 */
import { type ClientToolKind, kindOfCall, kindOfOutput } from "../../../workers/contract/client-tools.js";
import { itemTraits } from "../../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { type Items, visitItems } from "../../history/item-list.js";
import { fieldError } from "../requests/schema-fault.js";

/** A call or an output, and where the request has it. */
export interface CallStep {
  readonly step: "call" | "output";
  readonly callId: string;
  /** Null for an output that answers calls of every kind. */
  readonly kind: ClientToolKind | null;
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

  /** @throws CodexNativeApiError `invalid_request` for a step that breaks the rule */
  take(step: CallStep): void {
    const { callId, kind, param } = step;
    const call = this.#open.get(callId);
    if (step.step === "call") {
      if (call !== undefined) {
        throw fieldError(param, `call ${quote(callId)} is open already, since ${call.param}`);
      }
      this.#open.set(callId, step);
      return;
    }
    if (call === undefined) throw fieldError(param, whyNoCall(callId, this.#answered));
    if (kind !== null && kind !== call.kind) {
      const of = call.kind === null ? "tool" : kindNames[call.kind];
      const message = `call ${quote(callId)} is one of a ${of}, and this output is of a ${kindNames[kind]}`;
      throw fieldError(param, message);
    }
    this.#open.delete(callId);
    this.#answered.add(callId);
  }

  /** @throws CodexNativeApiError `invalid_request` for a call that has no output after the last step */
  finish(): void {
    for (const { callId, kind, param } of this.#open.values()) {
      const of = kind === null ? "tool" : kindNames[kind];
      throw fieldError(param, `no tool output found for ${of} call ${quote(callId)}`);
    }
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

/** For messages. */
const kindNames: Readonly<Record<ClientToolKind, string>> = {
  function: "function",
  custom: "custom tool",
  local_shell: "local shell",
  shell: "shell",
  apply_patch: "apply_patch",
};

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
  pairs.finish();
}

/** @param at the item's place in the request; null for one of the history before it. */
export function takeStep(pairs: CallPairs, item: JsonObject, at: number | null): void {
  if (typeof item.call_id !== "string") return;
  const called = kindOfCall(item);
  const kind = called ?? kindOfOutput(item);
  if (kind === null) return;
  const step = called === null ? "output" : "call";
  pairs.take({ step, callId: item.call_id, kind, param: at === null ? "input" : `input[${at}].call_id` });
}
