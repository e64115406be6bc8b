import { alternatives } from "./alternatives.js";
import { chains } from "./chains.js";
import { coldStart } from "./cold-start.js";
import { cost } from "./cost.js";
import { idle } from "./idle.js";
import { networkAt, pauses } from "./network.js";
import { ownCost } from "./own-cost.js";
import { planScenarios } from "./plan/index.js";
import { scaleIdle } from "./scale-idle.js";
import { scaleRow } from "./scale-row.js";
import { scaleStreams } from "./scale-streams.js";
import type { Scenario } from "./scenario.js";
import { manyStreaming, streaming } from "./streaming.js";
import { toolLoop } from "./tool-loop.js";
import { turns } from "./turns.js";

/** Scenarios that are run together. */
export interface Suite {
  readonly name: string;
  /** For a full run one has to ask. */
  readonly isQuickByDefault: boolean;
  readonly quickBudgetSeconds: number;
  readonly fullBudgetSeconds: number;
  /** What all its scenarios have in common, for whoever reads the results. */
  readonly configuration: string;
  /** In the order they run. */
  readonly scenarios: readonly Scenario[];
}

const costScenarios: readonly Scenario[] = [
  turns,
  ownCost,
  alternatives,
  streaming,
  manyStreaming,
  cost,
  chains,
  coldStart,
  scaleStreams,
  scaleIdle,
  scaleRow,
];

/** The first one runs where none is named. */
export const suites: readonly Suite[] = [
  {
    name: "cost",
    isQuickByDefault: false,
    quickBudgetSeconds: 170,
    fullBudgetSeconds: 870,
    configuration: "Default configuration, ChatGPT login, offline backend over WebSocket.",
    scenarios: costScenarios,
  },
  {
    name: "plan",
    isQuickByDefault: true,
    quickBudgetSeconds: 480,
    fullBudgetSeconds: 2_400,
    configuration:
      "ChatGPT login, offline backend over WebSocket whose account has limits; a queue timeout of half an hour.",
    scenarios: planScenarios,
  },
  {
    name: "network",
    isQuickByDefault: false,
    quickBudgetSeconds: 300,
    fullBudgetSeconds: 1_300,
    configuration:
      "Default configuration, ChatGPT login, offline backend over WebSocket behind a simulated network (a connection: two round trips).",
    scenarios: [...[60, 0, 30, 150].map(networkAt), pauses],
  },
  {
    name: "tools",
    isQuickByDefault: false,
    quickBudgetSeconds: 120,
    fullBudgetSeconds: 300,
    configuration:
      "Default configuration, ChatGPT login, offline backend over WebSocket behind a simulated network (a connection: two round trips).",
    scenarios: [toolLoop],
  },
  {
    name: "idle",
    isQuickByDefault: false,
    quickBudgetSeconds: 120,
    fullBudgetSeconds: 210,
    configuration: "Default configuration, ChatGPT login, offline backend over WebSocket.",
    scenarios: [idle],
  },
];
