import type { Contestant } from "../contestants/contestant.js";
import { describeFaults, type LoadResult } from "../measure/load.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { ratioSpread, spreadOf } from "../measure/statistics.js";
import { cpuPerTurn } from "../report/cpu-per-turn.js";
import { atLeast, atMost, type Figure } from "../report/figure.js";
import { boundlessAccount, callService, layGround, openFloor, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext, ScenarioResult } from "./scenario.js";
import { runShortTurns, shortReply } from "./short-turn.js";

interface Level {
  readonly atOnce: number;
  readonly rounds: number;
  readonly turns: number;
  /** Of one contestant in one round. */
  readonly maxMs: number;
  /** Others than those the targets are about, too. */
  readonly withOthers: boolean;
}

interface MeasuredLevel {
  readonly level: Level;
  readonly contestants: readonly Contestant[];
  readonly rounds: readonly (readonly LoadResult[])[];
}

/**
 * The service is a process that runs for days: what counts is what it does once V8 has compiled what a turn runs through, which takes
 * some hundreds of turns.
 */
const warmUps = {
  quick: { atOnce: 8, turns: 100, maxMs: 6_000 },
  full: { atOnce: 8, turns: 150, maxMs: 8_000 },
} as const;

const quickLevels: readonly Level[] = [
  { atOnce: 1, rounds: 3, turns: 20, maxMs: 2_000, withOthers: false },
  { atOnce: 8, rounds: 1, turns: 32, maxMs: 2_000, withOthers: false },
  { atOnce: 32, rounds: 2, turns: 64, maxMs: 3_000, withOthers: false },
  { atOnce: 128, rounds: 1, turns: 192, maxMs: 8_000, withOthers: false },
];

/** With many at once the beginning and the end of a load are unlike its middle, so that it has to be long. */
const fullLevels: readonly Level[] = [
  { atOnce: 1, rounds: 5, turns: 25, maxMs: 2_000, withOthers: true },
  { atOnce: 8, rounds: 2, turns: 48, maxMs: 3_000, withOthers: true },
  { atOnce: 32, rounds: 3, turns: 160, maxMs: 8_000, withOthers: false },
  { atOnce: 128, rounds: 2, turns: 320, maxMs: 14_000, withOthers: false },
];

/** In what `enter` gives, those that the targets are about come first: the floor and the plain clients of the service. */
const judgedCount = 3;

/** Fresh isolated turns: this service against the floor. */
export const turns: Scenario = {
  name: "turns",
  title: "Fresh isolated turns: this service against a direct client of the app-server (the floor)",
  quickSeconds: 75,
  fullSeconds: 240,
  run: async (context) => {
    const contestants = await enter(context);
    const warmUp = context.quick ? warmUps.quick : warmUps.full;
    for (const contestant of contestants) await runShortTurns(contestant, warmUp, context);
    const levels = context.quick ? quickLevels : fullLevels;
    const measured: MeasuredLevel[] = [];
    const remarks: string[] = [];
    for (const level of levels) {
      const entered = level.withOthers ? contestants : contestants.slice(0, judgedCount);
      const leastMs = entered.length * level.maxMs;
      if (measured.length > 0 && context.timeLeftMs() < leastMs) {
        remarks.push(`${level.atOnce} at once not measured: out of time`);
        continue;
      }
      const rounds = await alternate(entered, level.rounds, context, (contestant) =>
        runShortTurns(contestant, level, context),
      );
      measured.push({ level, contestants: entered, rounds });
      context.say(`${level.atOnce} at once: ${rounds.length} rounds`);
    }
    const faults = describeFaults(measured.flatMap(({ rounds }) => rounds.flat()));
    return { ...report(measured), remarks: [...remarks, ...faults] };
  },
};

async function enter(context: ScenarioContext): Promise<readonly Contestant[]> {
  const { resources } = context;
  const ground = await layGround(resources);
  await ground.backend.setReply(shortReply);
  const service = await startService(resources, ground, "service", boundlessAccount);
  const floors = await openFloor(resources, ground, service);
  const floor = await floors.startOnSocket();
  const { json, sse, openAiJson, openAiSse } = await callService(resources, service);
  if (context.quick) return [floor, json, sse];
  const injecting = await floors.startOnSocket("injected");
  return [floor, json, sse, injecting, await floors.startOnStdio(), openAiJson, openAiSse];
}

function report(measured: readonly MeasuredLevel[]): Omit<ScenarioResult, "remarks"> {
  const figures: Figure[] = [];
  for (const { level, contestants, rounds } of measured) {
    const floor = ofThing(rounds, 0);
    for (const [which, { name }] of contestants.entries()) {
      figures.push(...compare(name, level.atOnce, ofThing(rounds, which), which === 0 ? null : floor));
    }
  }
  const all = measured.flatMap(({ rounds }) => rounds.flat());
  return {
    figures: [...figures, ...countFaults(all)],
    details: { reply: shortReply, measured: measured.map(({ level, rounds }) => ({ level, rounds })) },
  };
}

/** One contestant at one level. With one caller latency counts, with more of them what gets through. */
function compare(
  name: string,
  atOnce: number,
  ours: readonly LoadResult[],
  floor: readonly LoadResult[] | null,
): readonly Figure[] {
  const subject = `${name}, ${atOnce} at once`;
  const isService = name.startsWith("service");
  // The official client's own work is no work of ours.
  const isJudged = isService && !name.endsWith("client");
  const figures: Figure[] = [];
  if (atOnce === 1) {
    const p50 = (result: LoadResult) => result.totalP50Ms;
    figures.push({ what: `${subject}: p50`, unit: "ms", spread: spreadOf(ours.map(p50)), target: null });
    if (floor !== null) {
      const spread = ratioSpread(ours.map(p50), floor.map(p50));
      figures.push({
        what: `${subject}: p50 vs. floor`,
        unit: "x",
        spread,
        target: isJudged ? atMost(0.9) : null,
      });
    }
  } else {
    const rate = (result: LoadResult) => result.turnsPerSecond;
    figures.push({
      what: `${subject}: throughput`,
      unit: "turns/s",
      spread: spreadOf(ours.map(rate)),
      target: null,
    });
    if (floor !== null) {
      const spread = ratioSpread(ours.map(rate), floor.map(rate));
      const target = isJudged && atOnce >= 32 ? atLeast(0.95) : null;
      figures.push({ what: `${subject}: throughput vs. floor`, unit: "x", spread, target });
    }
  }
  const cpu = (result: LoadResult) => result.appServerCpuMs;
  figures.push(...cpuPerTurn(`${subject}: app-server CPU per turn`, ours, cpu));
  if (isService) {
    const own = cpuPerTurn(
      `${subject}: supervisor and workers CPU per turn`,
      ours,
      (one) => one.serviceCpuMs,
    );
    figures.push(...own.map((figure) => ({ ...figure, target: isJudged ? atMost(3) : null })));
  }
  return figures;
}

function countFaults(results: readonly LoadResult[]): readonly Figure[] {
  const count = (what: string, isMine: (name: string) => boolean) => ({
    what,
    unit: "" as const,
    spread: spreadOf([
      results
        .filter(({ contestant }) => isMine(contestant))
        .reduce((sum, { failed, damaged }) => sum + failed + damaged, 0),
    ]),
  });
  return [
    { ...count("service: failed or damaged turns", (name) => name.startsWith("service")), target: atMost(0) },
    { ...count("floor: failed or damaged turns", (name) => name.startsWith("floor")), target: null },
  ];
}
