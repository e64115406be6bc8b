import { setTimeout as sleep } from "node:timers/promises";
import { usedUpFor } from "../../../test/support/offline-backend/index.js";
import type { CallerTurn } from "../../contestants/named-callers.js";
import { runCallers } from "../../measure/caller-load.js";
import { atLeast, atMost, type Figure, single } from "../../report/figure.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { openPlan, type PlanGround } from "./plan-ground.js";

const streams = 4;
const callers = 40;
const settings = {
  quick: { turnMs: 500, closedSeconds: 8 },
  full: { turnMs: 2_000, closedSeconds: 30 },
} as const;
/** Between two questions of somebody who does not read `Retry-After`. */
const askEveryMs = 200;

interface Opening {
  /** From the reset to the first turn that ran. */
  readonly lateMs: number;
  readonly refused: number;
  /** Of the backend, while it was closed and people asked. */
  readonly asked: number;
}

/** The plan's window is used up while callers wait, and opens again. */
export const usedUpWindow: Scenario = {
  name: "window",
  title: "A plan's window that closes while callers wait, and opens by itself",
  quickSeconds: 40,
  fullSeconds: 100,
  run: async (context) => {
    const { turnMs, closedSeconds } = context.quick ? settings.quick : settings.full;
    const plan = await openPlan(context, { turnMs, limits: { streams } });
    const load = runCallers({
      callers,
      turnsEach: 1,
      maxMs: 120_000,
      signal: context.signal,
      ask: (caller, signal) => plan.callers.ask(caller, signal),
    });
    await sleep(4 * turnMs, undefined, { signal: context.signal });
    const primary = usedUpFor(closedSeconds);
    await plan.backend.setLimits({ streams, usedUpUntil: primary.resetsAt }, { primary });
    const closedMs = performance.now();
    const { turns } = await load;
    const opening = await askUntilOpen(context, plan, primary.resetsAt);
    return {
      figures: report(turns, closedMs, turnMs, closedSeconds, opening),
      details: { turnMs, closedSeconds, opening, turns: turns.map((turn) => brief(turn, closedMs)) },
      remarks: [],
    };
  },
};

/** Somebody asks again and again, whatever the answers say. */
async function askUntilOpen(
  { signal }: ScenarioContext,
  { backend, callers: people }: PlanGround,
  resetsAt: number,
): Promise<Opening> {
  const before = await backend.readCounters();
  let refused = 0;
  let asked = 0;
  for (;;) {
    const turn = await people.ask("impatient", signal);
    if (turn.fault === null || Date.now() > resetsAt * 1_000 + 60_000) {
      const lateMs =
        turn.fault === null ? turn.startMs + performance.timeOrigin - resetsAt * 1_000 : Number.NaN;
      return { lateMs, refused, asked };
    }
    refused += 1;
    asked = (await backend.readCounters()).modelRequests - before.modelRequests;
    await sleep(askEveryMs, undefined, { signal });
  }
}

function report(
  turns: readonly CallerTurn[],
  closedMs: number,
  turnMs: number,
  closedSeconds: number,
  { lateMs, refused, asked }: Opening,
): readonly Figure[] {
  const told = turns.filter(({ status, fault }) => status === 429 && fault === "usage_limit_reached");
  const others = turns.filter(({ fault }) => fault !== null).length - told.length;
  const waits = told.map(({ endMs }) => endMs - closedMs);
  const [first, last] = [Math.min(...waits), Math.max(...waits)];
  const resets = told.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0);
  return [
    single("callers that had waited and were refused", "", told.length, atLeast(1)),
    single("refused for another reason", "", others, atMost(0)),
    single("from the first refusal to the last", "s", (last - first) / 1_000, atMost(1)),
    single("from the end of the window to the last refusal / one turn", "x", last / turnMs, atMost(2)),
    single("least Retry-After", "s", Math.min(...resets), atLeast(closedSeconds - (2 * turnMs) / 1_000 - 1)),
    single("greatest Retry-After", "s", Math.max(...resets), atMost(closedSeconds + 1)),
    single("refused at once while it was closed", "", refused, atLeast(1)),
    single("model requests of the backend meanwhile", "", asked, atMost(0)),
    single("from its reset to the first turn", "s", lateMs / 1_000, atMost(2)),
  ];
}

function brief({ status, fault, startMs, endMs, retryAfterSeconds }: CallerTurn, closedMs: number) {
  return { status, fault, fromMs: startMs - closedMs, toMs: endMs - closedMs, retryAfterSeconds };
}
