import { spawn } from "node:child_process";
import { once } from "node:events";
import { alternate, ofThing } from "../measure/rounds.js";
import { spreadOf } from "../measure/statistics.js";
import { atMost, type Figure } from "../report/figure.js";
import { Resources } from "../rig/resources.js";
import { type Ground, layGround, startService } from "../rig/rig.js";
import type { Scenario } from "./scenario.js";

interface Start {
  readonly listeningMs: number;
  readonly readyMs: number;
}

type Kind = "bare node" | "first start" | "later start";

const kinds: readonly Kind[] = ["bare node", "first start", "later start"];

/** From exec to listening and to ready; bare Node is the part of it that nobody can take away. */
export const coldStart: Scenario = {
  name: "cold-start",
  title: "Cold start: from exec to listening and to ready",
  quickSeconds: 15,
  fullSeconds: 30,
  run: async (context) => {
    const ground = await layGround(context.resources);
    let last = 0;
    await start(ground, "later", context.resources);
    const rounds = await alternate(kinds, context.quick ? 3 : 7, context, async (kind): Promise<Start> => {
      if (kind === "bare node") return startBareNode(ground);
      return start(ground, kind === "first start" ? `first-${++last}` : "later", context.resources);
    });
    return {
      figures: kinds.flatMap((kind, index) => report(kind, ofThing(rounds, index))),
      details: rounds,
      remarks: [],
    };
  },
};

/** Starts the service on a state directory of this name, and stops it again. */
async function start(ground: Ground, name: string, outer: Resources): Promise<Start> {
  const resources = new Resources();
  // Also when the scenario is given up in the middle.
  await outer.defer("service of one start", () => resources.close());
  const { execToListeningMs, execToReadyMs } = await startService(resources, ground, name);
  const faults = await resources.close();
  if (faults.length > 0) throw new Error(faults.join("; "));
  return { listeningMs: execToListeningMs, readyMs: execToReadyMs };
}

async function startBareNode({ environment }: Ground): Promise<Start> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ["--eval", "0"], { env: environment, stdio: "ignore" });
  await once(child, "exit");
  const ms = performance.now() - startMs;
  return { listeningMs: ms, readyMs: ms };
}

function report(kind: Kind, starts: readonly Start[]): readonly Figure[] {
  const listening = spreadOf(starts.map(({ listeningMs }) => listeningMs));
  if (kind === "bare node") {
    return [{ what: "bare Node: exec to exit", unit: "ms", spread: listening, target: null }];
  }
  const ready = spreadOf(starts.map(({ readyMs }) => readyMs));
  const where = kind === "first start" ? "first start on a machine" : "later start";
  return [
    { what: `${where}: exec to listening`, unit: "ms", spread: listening, target: atMost(300) },
    { what: `${where}: exec to ready`, unit: "ms", spread: ready, target: atMost(1_500) },
  ];
}
