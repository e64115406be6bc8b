import type { Scenario } from "./scenario.js";
import { turns } from "./turns.js";

/** In the order they run. */
export const scenarios: readonly Scenario[] = [turns];
