import { access } from "node:fs/promises";
import { join } from "node:path";
import { CodexExecContestant } from "../contestants/codex-exec.js";
import type { Contestant } from "../contestants/contestant.js";
import { PeerContestant, peersDirectory } from "../contestants/peer-contestant.js";
import { describeFaults, type LoadResult } from "../measure/load.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { ratioSpread, spreadOf } from "../measure/statistics.js";
import { peers } from "../peers/registry.js";
import { atLeast, type Figure } from "../report/figure.js";
import { type CodexTools, findCodexTools } from "../rig/codex-tools.js";
import { callService, layGround, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext } from "./scenario.js";
import { runShortTurns, shortReply } from "./short-turn.js";

const codexExec = "codex exec";

/** The service is a process that runs for days; the others start a process for each turn, or have nothing to warm. */
const warmUp = { turns: 150, atOnce: 4, maxMs: 10_000 };

/** One turn at a time, as a user would have it without this service. */
export const alternatives: Scenario = {
  name: "alternatives",
  title: "Fresh turns, one at a time: this service against what a user would pick instead",
  quickSeconds: 25,
  fullSeconds: 50,
  run: async (context) => {
    const remarks: string[] = [];
    const contestants = await enter(context, remarks);
    const turns = context.quick ? 3 : 6;
    const maxMs = context.quick ? 2_000 : 4_000;
    const rounds = await alternate(contestants, context.quick ? 2 : 4, context, (contestant) =>
      runShortTurns(contestant, { atOnce: 1, turns, maxMs }, context),
    );
    remarks.push(...describeFaults(rounds.flat()));
    const ours = ofThing(rounds, 0);
    const figures = contestants.flatMap(({ name }, index) =>
      compare(name, ofThing(rounds, index), index === 0 ? null : ours),
    );
    return { figures, details: rounds, remarks };
  },
};

async function enter(context: ScenarioContext, remarks: string[]): Promise<readonly Contestant[]> {
  const { resources } = context;
  const ground = await layGround(resources);
  await ground.backend.setReply(shortReply);
  const service = await startService(resources, ground);
  const { json } = await callService(resources, service);
  await runShortTurns(json, warmUp, context);
  const setting = await findCodexTools(ground, await service.readDefaultModel());
  const entered: Contestant[] = [];
  const others = await openPeers(setting, context, remarks);
  for (const contestant of [json, new CodexExecContestant(setting), ...others]) {
    // Whoever cannot do one turn is named with the reason, and does not take part.
    const { completed, firstFailure } = await runShortTurns(
      contestant,
      { atOnce: 1, turns: 1, maxMs: 0 },
      context,
    );
    if (completed > 0) entered.push(contestant);
    else remarks.push(`${contestant.name} does not run: ${firstFailure ?? "no reason given"}`);
  }
  return entered;
}

async function openPeers(
  tools: CodexTools,
  context: ScenarioContext,
  remarks: string[],
): Promise<readonly Contestant[]> {
  const names = Object.keys(peers);
  const isInstalled = await access(join(peersDirectory, "node_modules")).then(
    () => true,
    () => false,
  );
  if (!isInstalled) {
    remarks.push(...names.map((name) => `${name} is not installed: run with --install-peers`));
    return [];
  }
  const opened: Contestant[] = [];
  for (const name of names) {
    try {
      opened.push(await PeerContestant.open(context.resources, { name, packages: peersDirectory, ...tools }));
    } catch (error) {
      remarks.push(`${name} does not open: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return opened;
}

/** How many times faster the service is. */
function compare(
  name: string,
  theirs: readonly LoadResult[],
  ours: readonly LoadResult[] | null,
): readonly Figure[] {
  const p50 = (result: LoadResult) => result.totalP50Ms;
  const figures: Figure[] = [
    { what: `${name}: p50`, unit: "ms", spread: spreadOf(theirs.map(p50)), target: null },
  ];
  if (ours !== null) {
    figures.push({
      what: `${name}: p50 vs. the service's`,
      unit: "x",
      spread: ratioSpread(theirs.map(p50), ours.map(p50)),
      target: name === codexExec ? atLeast(8) : null,
    });
  }
  return figures;
}
