import { alternatives } from "./alternatives.js";
import { chains } from "./chains.js";
import { coldStart } from "./cold-start.js";
import { cost } from "./cost.js";
import { ownCost } from "./own-cost.js";
import { scaleIdle } from "./scale-idle.js";
import { scaleRow } from "./scale-row.js";
import { scaleStreams } from "./scale-streams.js";
import type { Scenario } from "./scenario.js";
import { manyStreaming, streaming } from "./streaming.js";
import { turns } from "./turns.js";

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
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
