import { coldStart } from "./cold-start.js";
import type { Scenario } from "./scenario.js";
import { manyStreaming, streaming } from "./streaming.js";
import { turns } from "./turns.js";

/** In the order they run. */
export const scenarios: readonly Scenario[] = [turns, streaming, manyStreaming, coldStart];
