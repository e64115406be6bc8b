import type { Contestant } from "../contestants/contestant.js";
import { describeFaults, type LoadResult, runLoad } from "../measure/load.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { differenceSpread, median, ratioSpread, spreadOf } from "../measure/statistics.js";
import { atMost, type Figure } from "../report/figure.js";
import { charactersOf, type ReplyPlan } from "../rig/backend-messages.js";
import type { BackendProcess } from "../rig/backend-process.js";
import { boundlessAccount, callService, layGround, openFloor, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext, ScenarioResult } from "./scenario.js";

type Compare = (
  plan: StreamPlan,
  floor: readonly LoadResult[],
  service: readonly LoadResult[],
) => readonly Figure[];

/** One kind of stream, how many of them, and what of them counts. */
interface StreamPlan {
  readonly title: string;
  readonly compare: Compare;
  readonly reply: ReplyPlan;
  readonly atOnce: number;
  readonly turns: number;
  /** That are not counted, by each contestant before the first round. */
  readonly warmUpTurns: number;
  readonly rounds: number;
  readonly maxMs: number;
}

interface Measured {
  readonly plan: StreamPlan;
  readonly rounds: readonly (readonly LoadResult[])[];
}

const prompt = "Tell me a story.";

const warmUpAtOnce = 4;

/** Hundreds of callers at once wait for longer than the default on a slow machine; here they are to wait and not to fail. */
const settings = ["--queue-timeout-ms", "120000", ...boundlessAccount];

/** The pace of a fast model: some hundred deltas a second, each on its own. */
const firstDelta: StreamPlan = {
  title: "first delta",
  compare: compareFirst,
  reply: { deltas: 20, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 5 },
  atOnce: 1,
  turns: 15,
  warmUpTurns: 60,
  rounds: 7,
  maxMs: 6_000,
};

/** As fast as the chain takes it. */
const oneStream: StreamPlan = {
  title: "one stream",
  compare: compareRates,
  reply: { deltas: 10_000, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 0 },
  atOnce: 1,
  turns: 1,
  warmUpTurns: 2,
  rounds: 5,
  maxMs: 5_000,
};

const manyStreams: StreamPlan = {
  title: "256 streams",
  compare: compareRates,
  reply: { deltas: 500, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 40 },
  atOnce: 256,
  turns: 256,
  warmUpTurns: 0,
  rounds: 1,
  maxMs: 20_000,
};

/** At a pace, and as fast as it goes. */
export const streaming: Scenario = {
  name: "streaming",
  title: "One stream: time to the first delta, deltas per second, CPU per 1,000 deltas",
  quickSeconds: 25,
  fullSeconds: 50,
  run: (context) =>
    run(
      context.quick
        ? [
            { ...firstDelta, turns: 8, rounds: 3 },
            { ...oneStream, rounds: 2 },
          ]
        : [firstDelta, oneStream],
      context,
    ),
};

export const manyStreaming: Scenario = {
  name: "256-streams",
  title: "256 streams at once: deltas per second, CPU per 1,000 deltas",
  quickSeconds: 0,
  fullSeconds: 75,
  run: (context) => run([manyStreams], context),
};

async function run(plans: readonly StreamPlan[], context: ScenarioContext): Promise<ScenarioResult> {
  const { contestants, backend } = await enter(context);
  const measured: Measured[] = [];
  const remarks: string[] = [];
  for (const plan of plans) {
    if (measured.length > 0 && context.timeLeftMs() < plan.maxMs) {
      remarks.push(`${plan.title} not measured: out of time`);
      continue;
    }
    await backend.setReply(plan.reply);
    for (const contestant of plan.warmUpTurns === 0 ? [] : contestants) {
      await measure(contestant, { ...plan, atOnce: warmUpAtOnce, turns: plan.warmUpTurns }, context);
    }
    const rounds = await alternate(contestants, plan.rounds, context, (contestant) =>
      measure(contestant, plan, context),
    );
    measured.push({ plan, rounds });
    context.say(`${plan.title}: ${rounds.length} rounds`);
  }
  remarks.push(...describeFaults(measured.flatMap(({ rounds }) => rounds.flat())));
  return { figures: measured.flatMap(report), details: measured, remarks };
}

async function enter(context: ScenarioContext): Promise<{
  readonly contestants: readonly Contestant[];
  readonly backend: BackendProcess;
}> {
  const { resources } = context;
  const ground = await layGround(resources);
  const service = await startService(resources, ground, "service", settings);
  const floors = await openFloor(resources, ground, service);
  const contestants = [await floors.startOnSocket(), (await callService(resources, service)).sse];
  return { contestants, backend: ground.backend };
}

function measure(
  contestant: Contestant,
  { reply, atOnce, turns, maxMs }: StreamPlan,
  { signal }: ScenarioContext,
): Promise<LoadResult> {
  const expectedCharacters = charactersOf(reply);
  return runLoad(contestant, { atOnce, turns, maxMs, prompt, expectedCharacters, signal });
}

function report({ plan, rounds }: Measured): readonly Figure[] {
  const floor = ofThing(rounds, 0);
  const service = ofThing(rounds, 1);
  return [
    ...plan.compare(plan, floor, service),
    {
      what: `${plan.title}: service CPU per 1,000 deltas`,
      unit: "ms",
      spread: spreadOf(service.map((result) => cpuPerThousand(plan, result))),
      target: plan.reply.deltas >= 500 ? atMost(25) : null,
    },
    lossOf(plan, "service", service),
    lossOf(plan, "floor", floor),
  ];
}

function compareFirst(
  { title }: StreamPlan,
  floor: readonly LoadResult[],
  service: readonly LoadResult[],
): readonly Figure[] {
  const first = (result: LoadResult) => result.firstDeltaP50Ms ?? Number.NaN;
  const [ours, theirs] = [service.map(first), floor.map(first)];
  return [
    { what: `${title}, floor: p50`, unit: "ms", spread: spreadOf(theirs), target: null },
    { what: `${title}, service: p50`, unit: "ms", spread: spreadOf(ours), target: null },
    {
      what: `${title}, service: added to the floor's, p50`,
      unit: "ms",
      spread: differenceSpread(ours, theirs),
      target: atMost(Math.max(3, 0.05 * median(theirs))),
    },
  ];
}

function compareRates(
  plan: StreamPlan,
  floor: readonly LoadResult[],
  service: readonly LoadResult[],
): readonly Figure[] {
  // Deltas of the model: how a client gets them cut is no measure of what was carried.
  const rate = ({ completed, wallMs }: LoadResult) => (completed * plan.reply.deltas * 1_000) / wallMs;
  const [ours, theirs] = [service.map(rate), floor.map(rate)];
  const { title } = plan;
  return [
    { what: `${title}, floor: throughput`, unit: "deltas/s", spread: spreadOf(theirs), target: null },
    { what: `${title}, service: throughput`, unit: "deltas/s", spread: spreadOf(ours), target: null },
    {
      what: `${title}, service: throughput vs. floor`,
      unit: "x",
      spread: ratioSpread(ours, theirs),
      target: null,
    },
  ];
}

function cpuPerThousand({ reply }: StreamPlan, { serviceCpuMs, completed }: LoadResult): number {
  return ((serviceCpuMs ?? Number.NaN) * 1_000) / (completed * reply.deltas);
}

function lossOf({ title }: StreamPlan, who: "service" | "floor", results: readonly LoadResult[]): Figure {
  const broken = results.reduce((sum, { failed, damaged }) => sum + failed + damaged, 0);
  return {
    what: `${title}, ${who}: streams that failed or lost text`,
    unit: "",
    spread: spreadOf([broken]),
    target: who === "service" ? atMost(0) : null,
  };
}
