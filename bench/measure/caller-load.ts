import { setMaxListeners } from "node:events";
import type { CallerTurn } from "../contestants/named-callers.js";
import { quantile } from "./statistics.js";

export interface CallerLoadPlan {
  readonly callers: number;
  readonly turnsEach: number;
  /** What is still under way then is given up, and is no turn of the result. */
  readonly maxMs: number;
  readonly signal: AbortSignal;
  readonly ask: (caller: string, signal: AbortSignal) => Promise<CallerTurn>;
  /** Called after each turn with how many there were. */
  readonly onTurn?: (turns: number) => void;
}

export interface CallerLoad {
  readonly turns: readonly CallerTurn[];
  readonly wallMs: number;
  /** It was out of time before all turns were over. */
  readonly isCut: boolean;
}

/** All callers begin at once; each starts its next turn when its last one ended. Rejects only when aborted. */
export async function runCallers(plan: CallerLoadPlan): Promise<CallerLoad> {
  const turns: CallerTurn[] = [];
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(new Error("out of time")), plan.maxMs);
  const signal = AbortSignal.any([plan.signal, cut.signal]);
  // Each caller listens.
  setMaxListeners(0, signal);
  const startMs = performance.now();
  const call = async (_: unknown, index: number): Promise<void> => {
    for (let turn = 0; turn < plan.turnsEach && !signal.aborted; turn += 1) {
      try {
        turns.push(await plan.ask(`caller-${index}`, signal));
      } catch {
        // Given up, here or by the whole run, which is looked at below.
        return;
      }
      plan.onTurn?.(turns.length);
    }
  };
  await Promise.all(Array.from({ length: plan.callers }, call));
  clearTimeout(timer);
  plan.signal.throwIfAborted();
  return { turns, wallMs: performance.now() - startMs, isCut: cut.signal.aborted };
}

/** What of a turn was not the model's own time, in milliseconds. */
export function waitOf({ startMs, endMs }: CallerTurn, turnMs: number): number {
  return endMs - startMs - turnMs;
}

/** Turns that failed or lost text. */
export function faultsOf(turns: readonly CallerTurn[]): readonly CallerTurn[] {
  return turns.filter(({ fault }) => fault !== null);
}

/** How often each fault came, in words. */
export function describeCallerFaults(what: string, turns: readonly CallerTurn[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { status, fault } of faultsOf(turns)) {
    const name = `HTTP ${status} ${fault}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${what}: ${count} times ${name}`);
}

/** The mean wait of the caller that waited longest, against the mean of all callers. */
export function unfairnessOf(turns: readonly CallerTurn[], turnMs: number): number {
  const waits = new Map<string, number[]>();
  for (const turn of turns) {
    const own = waits.get(turn.caller) ?? [];
    own.push(waitOf(turn, turnMs));
    waits.set(turn.caller, own);
  }
  const means = [...waits.values()].map(meanOf);
  return Math.max(...means) / meanOf(means);
}

export interface WaitSummary {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export function summariseWaits(turns: readonly CallerTurn[], turnMs: number): WaitSummary {
  const waits = turns.map((turn) => waitOf(turn, turnMs));
  return {
    meanMs: meanOf(waits),
    p50Ms: quantile(waits, 0.5),
    p95Ms: quantile(waits, 0.95),
    maxMs: quantile(waits, 1),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
