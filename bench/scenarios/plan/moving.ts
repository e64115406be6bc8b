import { setTimeout as sleep } from "node:timers/promises";
import { describeCallerFaults, faultsOf, runCallers } from "../../measure/caller-load.js";
import { type Following, followPhase, LimitWatch, type Phase } from "../../measure/limit-watch.js";
import { atMost, type Figure, single } from "../../report/figure.js";
import type { Scenario } from "../scenario.js";
import { openPlan, readLimitChanges } from "./plan-ground.js";

const callers = 24;
const settings = {
  quick: { turnMs: 1_000, phaseMs: 20_000 },
  full: { turnMs: 2_000, phaseMs: 40_000 },
} as const;
const course = [4, 2, 8];

/** The account takes less, and then more, while callers wait. */
export const moving: Scenario = {
  name: "moving",
  title: "The account's limit goes from 4 to 2 and then to 8 in mid-run",
  quickSeconds: 75,
  fullSeconds: 150,
  run: async (context) => {
    const { turnMs, phaseMs } = context.quick ? settings.quick : settings.full;
    const plan = await openPlan(context, { turnMs, limits: { streams: course[0] ?? 1 } });
    const watch = new LimitWatch(plan.service, plan.backend);
    await context.resources.defer("watch", () => watch.stop());
    const startedAt = Date.now();
    const startMs = performance.now();
    const load = runCallers({
      callers,
      turnsEach: Number.POSITIVE_INFINITY,
      maxMs: phaseMs * course.length,
      signal: context.signal,
      ask: (caller, signal) => plan.callers.ask(caller, signal),
    });
    const phases: Phase[] = [];
    const refusals: number[] = [];
    for (const streams of course) {
      await plan.backend.setLimits({ streams });
      const fromMs = performance.now();
      await sleep(startMs + phaseMs * (phases.length + 1) - fromMs, undefined, { signal: context.signal });
      phases.push({ streams, fromMs, toMs: performance.now() });
      refusals.push((await plan.backend.readCounters()).refusedStreams);
      context.say(`${streams} at once: ${(phaseMs / 1_000).toFixed(0)} s`);
    }
    const { turns } = await load;
    await watch.stop();
    const followings = phases.map((phase) => followPhase(watch.readings, phase));
    return {
      figures: report(followings, refusals, faultsOf(turns).length),
      details: {
        turnMs,
        phases,
        followings,
        refusals,
        turns: turns.length,
        limitChanges: await readLimitChanges(plan.service, startedAt),
        readings: watch.readings.map(({ atMs, limit, inWork }) => [
          Math.round(atMs - startMs),
          limit,
          inWork,
        ]),
      },
      remarks: describeCallerFaults("moving", turns),
    };
  },
};

function report(
  followings: readonly Following[],
  refusals: readonly number[],
  failed: number,
): readonly Figure[] {
  return [
    single("errors seen by callers", "", failed, atMost(0)),
    ...followings.flatMap(({ streams, afterMs, use }, index) => {
      const former = followings[index - 1]?.streams;
      const what = former === undefined ? `start at ${streams}` : `${former} to ${streams}`;
      const target = former === undefined ? null : atMost(10);
      return [
        single(`${what}: until limit and turns in work are the account's`, "s", afterMs / 1_000, target),
        single(`${what}: use of the account from then on`, "%", 100 * use),
        single(
          `${what}: refusals of the backend`,
          "",
          (refusals[index] ?? Number.NaN) - (refusals[index - 1] ?? 0),
        ),
      ];
    }),
  ];
}
