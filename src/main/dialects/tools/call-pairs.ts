/**
 * Calls and outputs of a history, paired by order and count. Codex drops an output without a call, and answers a call without an
 * output in the function's place ("aborted"); OpenAI refuses both, as well as a second output and two open calls of one id.
 */
import { CodexNativeApiError } from "../../errors.js";

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
 * Each output answers the call of its id that is open at that point, and each call is answered in the end. An id may come again
 * once it was answered.
 *
 * @throws CodexNativeApiError `invalid_request` that names the first step which breaks this.
 */
export function refuseUnpairedSteps(steps: Iterable<CallStep>): void {
  const open = new Map<string, CallStep>();
  const answered = new Set<string>();
  for (const step of steps) {
    const { callId } = step;
    const call = open.get(callId);
    if (step.step === "call") {
      if (call !== undefined) throw fault(step, `call ${quote(callId)} is open already, since ${call.param}`);
      open.set(callId, step);
      continue;
    }
    if (call === undefined) throw fault(step, whyNoCall(callId, answered));
    if (step.kind !== null && step.kind !== call.kind) {
      throw fault(
        step,
        `call ${quote(callId)} is one of a ${call.kind}, and this output is of a ${step.kind}`,
      );
    }
    open.delete(callId);
    answered.add(callId);
  }
  for (const call of open.values()) {
    throw fault(call, `no tool output found for ${call.kind} call ${quote(call.callId)}`);
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
