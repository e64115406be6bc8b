import type { Scenario } from "../scenario.js";
import { interactive } from "./interactive.js";
import { moving } from "./moving.js";
import { fixed, steady } from "./steady.js";
import { thousand } from "./thousand.js";
import { usedUpWindow } from "./window.js";

/** Many callers at one account whose limits they share, in the order they run. */
export const planScenarios: readonly Scenario[] = [
  steady,
  fixed,
  moving,
  usedUpWindow,
  thousand,
  interactive,
];
