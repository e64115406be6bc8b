import type { ScenarioOutcome, ScenarioRecord } from "./report/run-record.js";
import { Resources } from "./rig/resources.js";
import type { Scenario } from "./scenarios/scenario.js";

export interface RunOptions {
  readonly scenarios: readonly Scenario[];
  readonly quick: boolean;
  readonly budgetMs: number;
  /** The user's Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
  /** Told as soon as it is known. */
  readonly onScenario: (record: ScenarioRecord) => void;
}

/** A scenario with less than this cannot do anything. */
const leastMs = 5_000;

/** Runs the scenarios one after the other. One that fails or hangs costs its own time and nothing else. */
export async function runScenarios(options: RunOptions): Promise<readonly ScenarioRecord[]> {
  const endMs = performance.now() + options.budgetMs;
  const records: ScenarioRecord[] = [];
  for (const scenario of options.scenarios) {
    if (options.interrupted.aborted) break;
    const record = await runScenario(scenario, endMs, options);
    records.push(record);
    options.onScenario(record);
  }
  return records;
}

async function runScenario(scenario: Scenario, endMs: number, options: RunOptions): Promise<ScenarioRecord> {
  const { name, title } = scenario;
  const startMs = performance.now();
  const leftMs = endMs - startMs;
  if (leftMs < leastMs) {
    const reason = "the run was out of time";
    return { name, title, seconds: 0, outcome: { status: "skipped", reason }, leftovers: [] };
  }
  const quickSeconds = scenario.quickSeconds > 0 ? scenario.quickSeconds : scenario.fullSeconds;
  const plannedMs = 1_000 * (options.quick ? quickSeconds : scenario.fullSeconds);
  const softMs = Math.min(plannedMs, leftMs);
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new Error("it was given up: out of time")),
    Math.min(2 * plannedMs, leftMs),
  );
  const signal = AbortSignal.any([deadline.signal, options.interrupted]);
  const resources = new Resources();
  const result = scenario.run({
    quick: options.quick,
    resources,
    signal,
    timeLeftMs: () => startMs + softMs - performance.now(),
    say: options.say,
  });
  const outcome = await settle(result, signal);
  clearTimeout(timer);
  const leftovers = await resources.close();
  return { name, title, seconds: (performance.now() - startMs) / 1_000, outcome, leftovers };
}

/** Waits for the result, and no longer than the signal lets it. */
async function settle(result: ReturnType<Scenario["run"]>, signal: AbortSignal): Promise<ScenarioOutcome> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return { status: "done", result: await Promise.race([result, aborted]) };
  } catch (error) {
    // Given up: what it still says is of no use to anybody.
    result.catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "failed", reason };
  }
}
