import { describeCallerFaults, faultsOf, runCallers, summariseWaits } from "../../measure/caller-load.js";
import { readLearnedLimit } from "../../measure/limit-watch.js";
import { atMost, single } from "../../report/figure.js";
import type { Scenario } from "../scenario.js";
import { openPlan, readLimitChanges } from "./plan-ground.js";

const callers = 1_000;
const connections = 32;
const streams = 24;
/** Each turn needs a new connection, and new ones are paced: shorter turns would measure the pace. */
const turnsMs = { quick: 1_600, full: 2_000 } as const;

/** A thousand callers come at the same moment. */
export const thousand: Scenario = {
  name: "thousand",
  title: "1,000 callers at once, 32 connections, an account that takes 24 turns",
  quickSeconds: 90,
  fullSeconds: 200,
  run: async (context) => {
    const turnMs = context.quick ? turnsMs.quick : turnsMs.full;
    const plan = await openPlan(context, {
      turnMs,
      limits: { streams, connections },
      argv: ["--upstream-connections", String(connections)],
    });
    const startedAt = Date.now();
    const load = await runCallers({
      callers,
      turnsEach: 1,
      maxMs: 240_000,
      signal: context.signal,
      ask: (caller, signal) => plan.callers.ask(caller, signal),
      onTurn: (turns) => turns % 250 === 0 && context.say(`${turns} turns`),
    });
    const counters = await plan.backend.readCounters();
    const { turns, wallMs, isCut } = load;
    const idealMs = (callers * turnMs) / streams;
    const waits = summariseWaits(turns, turnMs);
    const learned = await readLearnedLimit(plan.service);
    const failed = faultsOf(turns).length + callers - turns.length;
    return {
      figures: [
        single("errors seen by callers", "", failed, atMost(0)),
        single("most WebSockets open at once", "", counters.peakOpenWebsockets, atMost(connections)),
        single("upgrades refused", "", counters.refusedUpgrades, atMost(0)),
        single("model requests that fell back to SSE", "", counters.sseRequests),
        single("wall time / ideal", "x", wallMs / idealMs),
        single("refusals of the backend per 100 turns", "", (100 * counters.refusedStreams) / callers),
        single("longest wait", "s", waits.maxMs / 1_000),
        single("most the account admitted at once", "", counters.peakAdmittedStreams),
        single("learned limit at the end", "", learned),
      ],
      details: {
        turnMs,
        wallMs,
        isCut,
        waits,
        counters,
        limitChanges: await readLimitChanges(plan.service, startedAt),
      },
      remarks: describeCallerFaults("1,000 callers", turns),
    };
  },
};
