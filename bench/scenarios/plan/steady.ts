import {
  type CallerLoad,
  describeCallerFaults,
  faultsOf,
  runCallers,
  summariseWaits,
  unfairnessOf,
  type WaitSummary,
} from "../../measure/caller-load.js";
import { readLearnedLimit } from "../../measure/limit-watch.js";
import { atMost, type Figure, single } from "../../report/figure.js";
import { Resources } from "../../rig/resources.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { openPlan, readLimitChanges } from "./plan-ground.js";

/** What the account takes at once. */
const streams = 4;
/** Turns in which the limit is found; refusals count from there. */
const findingTurns = 20;

/** A run is cut at so many times its ideal. */
const mostOfIdeal = 5;

interface Steady {
  readonly callers: number;
  readonly turnsEach: number;
  readonly turnMs: number;
  /** The value of `turns.upstreamLimit`. */
  readonly limit: string;
}

interface MeasuredSteady extends Omit<CallerLoad, "turns"> {
  readonly setting: Steady;
  readonly completed: number;
  readonly failed: number;
  readonly idealMs: number;
  readonly waits: WaitSummary;
  readonly unfairness: number;
  readonly refusals: number;
  readonly lateRefusals: number;
  readonly peakAdmitted: number;
  readonly peakAsked: number;
  readonly learnedLimit: number;
  readonly limitChanges: unknown;
  readonly faults: readonly string[];
}

/** The issue's own numbers. */
const plain: Steady = { callers: 200, turnsEach: 5, turnMs: 2_000, limit: "auto" };
const small: Steady = { callers: 40, turnsEach: 5, turnMs: 500, limit: "auto" };
const compared: Steady = { callers: 16, turnsEach: 4, turnMs: 1_000, limit: "auto" };

/** Many callers, an account that takes four: what the learned limit makes of it. */
export const steady: Scenario = {
  name: "steady",
  title: "Many callers at an account that takes 4 at once: the learned limit",
  quickSeconds: 60,
  fullSeconds: 660,
  run: async (context) => {
    const measured = await measure(context, context.quick ? small : plain);
    return {
      figures: [...reportOne(measured, true), ...reportLearning(measured)],
      details: measured,
      remarks: measured.faults,
    };
  },
};

/** The same turns under fixed limits. The lowest one gets a quarter of them, since it takes four times as long. */
export const fixed: Scenario = {
  name: "fixed-limits",
  title: "The same with the learned limit against fixed ones",
  quickSeconds: 150,
  fullSeconds: 600,
  run: async (context) => {
    const base = context.quick ? compared : { ...compared, callers: 40, turnMs: 2_000 };
    const settings = [
      { ...base },
      { ...base, limit: "1", callers: base.callers / 4 },
      { ...base, limit: "4" },
      { ...base, limit: "16" },
      { ...base, limit: "none" },
    ];
    const measured: MeasuredSteady[] = [];
    for (const setting of settings) measured.push(await measure(context, setting));
    return {
      figures: measured.flatMap((one) => reportOne(one, false)),
      details: measured,
      remarks: measured.flatMap((one) => [
        ...one.faults,
        ...(one.isCut ? [`${nameOf(one.setting)}: cut after ${toSeconds(one.wallMs).toFixed(0)} s`] : []),
      ]),
    };
  },
};

async function measure(context: ScenarioContext, setting: Steady): Promise<MeasuredSteady> {
  const { callers, turnsEach, turnMs, limit } = setting;
  const resources = new Resources();
  await context.resources.defer(`service with limit ${limit}`, () => resources.close());
  const argv = ["--upstream-limit", limit];
  const plan = await openPlan({ resources }, { turnMs, limits: { streams }, argv });
  const idealMs = (callers * turnsEach * turnMs) / streams;
  const startedAt = Date.now();
  let refusedEarly: Promise<number> = Promise.resolve(Number.NaN);
  const load = await runCallers({
    callers,
    turnsEach,
    maxMs: mostOfIdeal * idealMs + 5_000,
    signal: context.signal,
    ask: (caller, signal) => plan.callers.ask(caller, signal),
    onTurn: (turns) => {
      if (turns === findingTurns)
        refusedEarly = plan.backend.readCounters().then(({ refusedStreams }) => refusedStreams);
    },
  });
  const counters = await plan.backend.readCounters();
  const learnedLimit = await readLearnedLimit(plan.service);
  const limitChanges = await readLimitChanges(plan.service, startedAt);
  const { turns } = load;
  const failed = faultsOf(turns).length;
  context.say(`${nameOf(setting)}: ${turns.length} turns in ${toSeconds(load.wallMs).toFixed(1)} s`);
  const faults = [
    ...describeCallerFaults(nameOf(setting), turns),
    ...(await resources.close()).map((fault) => `${nameOf(setting)}, at its end: ${fault}`),
  ];
  return {
    setting,
    wallMs: load.wallMs,
    isCut: load.isCut,
    completed: turns.length - failed,
    failed,
    // Of what was done, where it was cut.
    idealMs: ((turns.length - failed) * turnMs) / streams,
    waits: summariseWaits(turns, turnMs),
    unfairness: load.isCut ? Number.NaN : unfairnessOf(turns, turnMs),
    refusals: counters.refusedStreams,
    lateRefusals: counters.refusedStreams - (await refusedEarly),
    peakAdmitted: counters.peakAdmittedStreams,
    peakAsked: counters.peakOpenStreams,
    learnedLimit,
    limitChanges,
    faults,
  };
}

function reportOne(measured: MeasuredSteady, isJudged: boolean): readonly Figure[] {
  const { setting, wallMs, idealMs, failed, completed, refusals, waits, unfairness } = measured;
  const name = nameOf(setting);
  const judged = (value: number) => (isJudged ? atMost(value) : null);
  return [
    single(`${name}: errors seen by callers`, "", failed, judged(0)),
    single(`${name}: wall time / ideal`, "x", wallMs / idealMs, judged(1.1)),
    single(`${name}: refusals of the backend per 100 turns`, "", (100 * refusals) / (completed + failed)),
    single(`${name}: mean wait`, "s", toSeconds(waits.meanMs)),
    single(`${name}: longest caller's mean wait / mean of all`, "x", unfairness, judged(2)),
    single(`${name}: most requests open at the backend at once`, "", measured.peakAsked),
  ];
}

function reportLearning({ setting, ...measured }: MeasuredSteady): readonly Figure[] {
  const name = nameOf(setting);
  const after = measured.completed + measured.failed - findingTurns;
  const share = (100 * measured.lateRefusals) / after;
  return [
    single(`${name}: refusals after the first ${findingTurns} turns`, "%", share, atMost(3)),
    single(`${name}: most the account admitted at once`, "", measured.peakAdmitted),
    single(`${name}: learned limit at the end`, "", measured.learnedLimit),
  ];
}

function nameOf({ callers, turnsEach, turnMs, limit }: Steady): string {
  const which = limit === "auto" ? "learned" : limit === "none" ? "none" : `fixed ${limit}`;
  return `${which}, ${callers} callers x ${turnsEach} turns of ${toSeconds(turnMs)} s`;
}

function toSeconds(ms: number): number {
  return ms / 1_000;
}
