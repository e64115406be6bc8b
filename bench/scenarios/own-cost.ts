import { ScriptedAppServer, type ScriptedTurn } from "../../test/support/scripted-app-server/index.js";
import type { Contestant } from "../contestants/contestant.js";
import { describeFaults, type LoadResult } from "../measure/load.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { spreadOf } from "../measure/statistics.js";
import { cpuPerTurn } from "../report/cpu-per-turn.js";
import { atMost, type Figure } from "../report/figure.js";
import { callService, layGround, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext } from "./scenario.js";
import { runShortTurns, shortReply } from "./short-turn.js";

const atOnce = 8;
const warmUp = { atOnce, turns: 1_500, maxMs: 10_000 };

/**
 * What the service takes by itself. Beside the real Codex it shares two cores and their caches with a process that does ten times as much,
 * and is charged for what it finds gone from them.
 */
export const ownCost: Scenario = {
  name: "own-cost",
  title: "The service by itself: fresh turns before an app-server that answers at once",
  quickSeconds: 25,
  fullSeconds: 30,
  run: async (context) => {
    const contestants = await enter(context);
    for (const contestant of contestants) await runShortTurns(contestant, warmUp, context);
    const load = { atOnce, turns: context.quick ? 500 : 2_000, maxMs: 5_000 };
    const rounds = await alternate(contestants, context.quick ? 2 : 3, context, (contestant) =>
      runShortTurns(contestant, load, context),
    );
    const figures = contestants.flatMap(({ name }, which) => report(name, ofThing(rounds, which)));
    return { figures, details: rounds, remarks: describeFaults(rounds.flat()) };
  },
};

async function enter({ resources }: ScenarioContext): Promise<readonly Contestant[]> {
  const ground = await layGround(resources);
  const stops: (() => unknown)[] = [];
  await resources.defer("scripted app-server", () => Promise.all(stops.map((stop) => stop())));
  const appServer = await ScriptedAppServer.start({ teardown: (stop) => stops.push(stop) }, answerAtOnce);
  const service = await startService(resources, ground, "service", ["--app-server", appServer.url]);
  const { json, sse } = await callService(resources, service);
  return [json, sse];
}

function answerAtOnce(turn: ScriptedTurn): void {
  const delta = "a".repeat(shortReply.charactersPerDelta);
  const text = delta.repeat(shortReply.deltas);
  turn.itemStarted();
  for (let sent = 0; sent < shortReply.deltas; sent += 1) turn.delta(delta);
  turn.itemCompleted(text);
  turn.rawItem(text);
  turn.modelCallCompleted();
  turn.completed(text);
}

function report(name: string, results: readonly LoadResult[]): readonly Figure[] {
  const failed = results.reduce((sum, one) => sum + one.failed + one.damaged, 0);
  return [
    {
      what: `${name}, ${atOnce} at once: throughput`,
      unit: "turns/s",
      spread: spreadOf(results.map(({ turnsPerSecond }) => turnsPerSecond)),
      target: null,
    },
    ...cpuPerTurn(
      `${name}, ${atOnce} at once: supervisor and workers CPU per turn`,
      results,
      ({ serviceCpuMs }) => serviceCpuMs,
    ),
    { what: `${name}: failed or damaged turns`, unit: "", spread: spreadOf([failed]), target: atMost(0) },
  ];
}
