/** What a phase of the soak is: something that goes wrong for a while, and all that callers may see of it. */
import type { CodexNativeApiErrorCode } from "../../src/main/errors.js";
import type { BadCaller } from "./bad-callers.js";
import type { Wait } from "./normal-callers.js";

/** One way in which a normal caller's request may fail. */
export interface LawfulFailure {
  /** In the table. */
  readonly shown: string;
  readonly code: CodexNativeApiErrorCode;
  /**
   * `cut`: only an answer whose output its reader had begun to see. `chain`: only a request that continues an earlier one. `any`: any
   * request.
   */
  readonly of: "cut" | "chain" | "any";
}

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** The longest that a normal caller may wait for one answer that it asked for in this phase. */
  readonly maxWaitMs: number;
  readonly run: BadCaller;
  /** How a normal caller, whose client tries each request three times, may fail. Default: in no way. */
  readonly lawful?: readonly LawfulFailure[];
  /** What the phase's own callers and faults may come to. Default: anything but an internal error and a failed upstream. */
  readonly outcomes?: readonly RegExp[];
  /** Normal callers ask for nothing meanwhile. */
  readonly isQuiet?: boolean;
}

/** An answer that a reader has seen a part of cannot be made again under its eyes. */
export const cutBy = (code: CodexNativeApiErrorCode): LawfulFailure => ({
  shown: `streams cut in their output, ${code}`,
  code,
  of: "cut",
});

const chained: readonly string[] = [
  "chained response",
  "function output",
  "chained response over a WebSocket",
];

/** The way in which this phase allows the failure; undefined if it does not. */
export function findLawful({ lawful = [] }: Phase, wait: Wait): LawfulFailure | undefined {
  const { failure } = wait;
  if (failure === null || failure.flaw !== null) return undefined;
  return lawful.find(
    ({ code, of }) =>
      code === failure.code && (of === "any" || (of === "cut" ? wait.wasCut : chained.includes(wait.what))),
  );
}

/** Whether the phase's own callers and faults may come to this. */
export function isLawfulOutcome({ outcomes }: Phase, outcome: string): boolean {
  if (outcomes === undefined) return !/^(?:cut: )?50[02]|hung|\(/.test(outcome);
  return outcomes.some((pattern) => pattern.test(outcome));
}
