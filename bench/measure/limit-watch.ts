import { setTimeout as sleep } from "node:timers/promises";
import { isJsonObject } from "../../src/workers/contract/json.js";
import type { BackendProcess } from "../rig/backend-process.js";
import type { ServiceProcess } from "../rig/service-process.js";

/** What the service believed and what the backend had in work at one moment. */
export interface LimitReading {
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
  /** Turns at once that the service takes the account for. */
  readonly limit: number;
  /** Turns in work at the backend. */
  readonly inWork: number;
}

const intervalMs = 100;

/** Reads both until told to stop. */
export class LimitWatch {
  readonly readings: LimitReading[] = [];
  readonly #service: ServiceProcess;
  readonly #backend: BackendProcess;
  readonly #stopped = new AbortController();
  readonly #done: Promise<void>;

  constructor(service: ServiceProcess, backend: BackendProcess) {
    this.#service = service;
    this.#backend = backend;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const [limit, { openStreams }] = await Promise.all([
          readLearnedLimit(this.#service),
          this.#backend.readCounters(),
        ]);
        this.readings.push({ atMs: performance.now(), limit, inWork: openStreams });
        await sleep(intervalMs, undefined, { signal });
      } catch {
        // A reading that was missed, or the end: the next one tells as much.
        await sleep(intervalMs);
      }
    }
  }
}

/** The limit of the account as a whole; NaN before the first turn. */
export async function readLearnedLimit(service: ServiceProcess): Promise<number> {
  const { upstream_limits: upstream } = await service.readRuntimeHealth();
  const limits: readonly unknown[] =
    isJsonObject(upstream) && Array.isArray(upstream.limits) ? upstream.limits : [];
  const ofAccount = limits.filter(isJsonObject).find(({ model }) => model === null);
  return typeof ofAccount?.limit === "number" ? ofAccount.limit : Number.NaN;
}

export interface Phase {
  /** What the account took from then on. */
  readonly streams: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Following {
  readonly streams: number;
  /** From the change until the learned limit was the account's and the turns in work were, but for one; NaN: never. */
  readonly afterMs: number;
  /** From then on, the part of the account that was in use, as a mean. */
  readonly use: number;
}

export function followPhase(readings: readonly LimitReading[], phase: Phase): Following {
  const { streams, fromMs, toMs } = phase;
  const inPhase = readings.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const first = inPhase.findIndex(
    ({ limit, inWork }) => limit === streams && Math.abs(inWork - streams) <= 1,
  );
  const reached = inPhase[first];
  if (reached === undefined) return { streams, afterMs: Number.NaN, use: Number.NaN };
  const after = inPhase.slice(first);
  const used = after.reduce((sum, { inWork }) => sum + Math.min(inWork, streams), 0);
  return { streams, afterMs: reached.atMs - fromMs, use: used / (after.length * streams) };
}
