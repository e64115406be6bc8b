import type { ScenarioResult } from "../scenarios/scenario.js";
import type { MachineFacts, VersionFacts } from "./machine.js";
import type { ServiceSettings } from "./service-settings.js";

export type ScenarioOutcome =
  | { readonly status: "done"; readonly result: ScenarioResult }
  | { readonly status: "failed"; readonly reason: string }
  | { readonly status: "skipped"; readonly reason: string };

export interface ScenarioRecord {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly outcome: ScenarioOutcome;
  /** What could not be ended properly. */
  readonly leftovers: readonly string[];
}

/** One run, as it is kept in `bench/results`. */
export interface RunRecord {
  readonly schema: 1;
  readonly startedAt: string;
  readonly mode: "quick" | "full";
  readonly machine: MachineFacts;
  readonly versions: VersionFacts;
  readonly configuration: { readonly summary: string; readonly service: ServiceSettings };
  readonly scenarios: readonly ScenarioRecord[];
}
