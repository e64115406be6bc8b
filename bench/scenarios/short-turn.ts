import type { Contestant } from "../contestants/contestant.js";
import { type LoadPlan, type LoadResult, runLoad } from "../measure/load.js";
import { charactersOf, type ReplyPlan } from "../rig/backend-messages.js";
import type { ScenarioContext } from "./scenario.js";

/** A short answer, all at once: what is measured is the way to the model and back. */
export const shortReply: ReplyPlan = { deltas: 20, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 0 };

/** A typical side task, answered by `shortReply`. */
export const shortTurn: Pick<LoadPlan, "prompt" | "expectedCharacters"> = {
  prompt: "Is this message a question? Answer yes or no: what time is it?",
  expectedCharacters: charactersOf(shortReply),
};

export function runShortTurns(
  contestant: Contestant,
  { atOnce, turns, maxMs }: Pick<LoadPlan, "atOnce" | "turns" | "maxMs">,
  { signal }: Pick<ScenarioContext, "signal">,
): Promise<LoadResult> {
  return runLoad(contestant, { ...shortTurn, atOnce, turns, maxMs, signal });
}
