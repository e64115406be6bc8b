import type { Contestant, TurnSample } from "../contestants/contestant.js";
import { cpuBetween, readCpuMs } from "./process-usage.js";
import { quantile } from "./statistics.js";

export interface LoadPlan {
  /** Callers, each of which starts its next turn when its last one ended. */
  readonly atOnce: number;
  readonly turns: number;
  /** After this no turn is started, so that a busy machine makes fewer turns and not a longer run. */
  readonly maxMs: number;
  readonly prompt: string;
  /** What every answer must be long, in characters; another length is a damaged answer. */
  readonly expectedCharacters: number;
  readonly signal: AbortSignal;
}

export interface LoadResult {
  readonly contestant: string;
  readonly atOnce: number;
  readonly completed: number;
  readonly damaged: number;
  readonly failed: number;
  readonly firstFailure: string | null;
  readonly wallMs: number;
  readonly turnsPerSecond: number;
  readonly totalP50Ms: number;
  readonly totalP95Ms: number;
  /** Null for one that does not stream. */
  readonly firstDeltaP50Ms: number | null;
  readonly firstDeltaP99Ms: number | null;
  readonly deltas: number;
  /** Of the service's process with all its threads; null for one that has none. */
  readonly serviceCpuMs: number | null;
  readonly appServerCpuMs: number | null;
}

/** Runs the turns in a closed loop and says how they went. Rejects only when aborted. */
export async function runLoad(contestant: Contestant, plan: LoadPlan): Promise<LoadResult> {
  const samples: TurnSample[] = [];
  const failures: unknown[] = [];
  let started = 0;
  let startMs = performance.now();
  const mayStart = () =>
    started < plan.turns && (started < plan.atOnce || performance.now() - startMs < plan.maxMs);
  const caller = async (): Promise<void> => {
    while (mayStart()) {
      started++;
      plan.signal.throwIfAborted();
      try {
        samples.push(await contestant.runTurn(plan.prompt));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const cpuBefore = await readBoth(contestant);
  startMs = performance.now();
  await Promise.all(Array.from({ length: plan.atOnce }, caller));
  const wallMs = performance.now() - startMs;
  const cpuAfter = await readBoth(contestant);
  plan.signal.throwIfAborted();
  const totals = samples.map(({ totalMs }) => totalMs);
  const firsts = samples.flatMap(({ firstDeltaMs }) => (firstDeltaMs === null ? [] : [firstDeltaMs]));
  return {
    contestant: contestant.name,
    atOnce: plan.atOnce,
    completed: samples.length,
    damaged: samples.filter(({ characters }) => characters !== plan.expectedCharacters).length,
    failed: failures.length,
    firstFailure: failures.length === 0 ? null : describe(failures[0]),
    wallMs,
    turnsPerSecond: (samples.length / wallMs) * 1_000,
    totalP50Ms: quantile(totals, 0.5),
    totalP95Ms: quantile(totals, 0.95),
    firstDeltaP50Ms: firsts.length === 0 ? null : quantile(firsts, 0.5),
    firstDeltaP99Ms: firsts.length === 0 ? null : quantile(firsts, 0.99),
    deltas: samples.reduce((sum, { deltas }) => sum + deltas, 0),
    serviceCpuMs: cpuBetween(cpuBefore.service, cpuAfter.service),
    appServerCpuMs: cpuBetween(cpuBefore.appServer, cpuAfter.appServer),
  };
}

/** What went wrong, one line a load. */
export function describeFaults(results: readonly LoadResult[]): readonly string[] {
  return results
    .filter(({ failed, damaged }) => failed + damaged > 0)
    .map(
      ({ contestant, atOnce, failed, damaged, firstFailure }) =>
        `${contestant}, ${atOnce} at once: ${failed} failed (${firstFailure ?? "none"}), ${damaged} lost text`,
    );
}

async function readBoth({ servicePid, appServerPid }: Contestant) {
  const [service, appServer] = await Promise.all([readCpuMs(servicePid), readCpuMs(appServerPid)]);
  return { service, appServer };
}

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
