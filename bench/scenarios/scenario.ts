import type { Figure } from "../report/figure.js";
import type { Resources } from "../rig/resources.js";

export interface ScenarioContext {
  readonly quick: boolean;
  /** Everything a scenario starts is deferred here, and ended after it. */
  readonly resources: Resources;
  /** Aborted at the scenario's deadline and when the run is interrupted. */
  readonly signal: AbortSignal;
  /** Until the scenario should be done; rounds stop early when it gets short. */
  readonly timeLeftMs: () => number;
  /** A line for whoever waits. */
  readonly say: (line: string) => void;
}

export interface ScenarioResult {
  readonly figures: readonly Figure[];
  /** What was measured, round by round, for the JSON file. */
  readonly details: unknown;
  /** What could not be measured, by name and with its reason; what failed, and how. */
  readonly remarks: readonly string[];
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** Planned time, in seconds. Rounds are cut when it is used up; twice of it ends the scenario. 0: not in a quick run. */
  readonly quickSeconds: number;
  readonly fullSeconds: number;
  run(context: ScenarioContext): Promise<ScenarioResult>;
}
