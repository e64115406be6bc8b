import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuBetween, readCpuMs } from "../measure/process-usage.js";
import { atMost, type Figure, single } from "../report/figure.js";
import { FloorAppServers } from "../rig/floor-app-server.js";
import { type Ground, layGround, startService } from "../rig/rig.js";
import type { ServiceProcess } from "../rig/service-process.js";
import type { Scenario, ScenarioContext } from "./scenario.js";
import { shortReply } from "./short-turn.js";

/** Until what a start or a turn leaves to do is done. */
const settleMs = 30_000;
const turns = 8;
/** What the service has by default on a machine of five cores or more. */
const manyWorkers = 4;

/** Processes by name. */
type Pids = ReadonlyMap<string, number | null>;
type Shares = ReadonlyMap<string, number>;

/** What it costs to have the service run while nobody asks: CPU, and requests to the backend. */
export const idle: Scenario = {
  name: "idle",
  title: "Nobody asks: CPU of a core, and what reaches the backend",
  quickSeconds: 110,
  fullSeconds: 200,
  run: async (context) => {
    const { resources } = context;
    const ground = await layGround(resources);
    await ground.backend.setReply(shortReply);
    const byDefault = await startService(resources, ground);
    const withWorkers = await startService(resources, ground, "workers", ["--workers", `${manyWorkers}`]);
    const pids = new Map([
      ...(await describe("default", byDefault)),
      ...(await describe(`${manyWorkers} workers`, withWorkers)),
      ["alone", await startAlone(context, ground)],
    ]);
    const start = await watch(context, ground, pids);
    for (const service of [byDefault, withWorkers]) {
      for (let turn = 0; turn < turns; turn += 1) await service.readDefaultModel();
    }
    const later = await watch(context, ground, pids);
    return {
      figures: [...report("after its start", start), ...report(`after ${turns} turns`, later)],
      details: { start: toDetails(start), later: toDetails(later) },
      remarks: [],
    };
  },
};

async function describe(name: string, service: ServiceProcess): Promise<readonly [string, number | null][]> {
  return [
    [`${name}: service`, service.pid],
    [`${name}: app-server`, await service.readAppServerPid()],
  ];
}

/** An app-server as the service has it, with one connection on which nothing is asked. */
async function startAlone({ resources }: ScenarioContext, ground: Ground): Promise<number | null> {
  const { userHome, environment, directory } = ground;
  const floor = await FloorAppServers.open(resources, {
    stateDir: join(directory, "floor"),
    userHome,
    environment,
    model: "none",
  });
  return (await floor.startOnSocket()).appServerPid;
}

interface Watched {
  readonly shares: Shares;
  readonly arrivals: number;
}

async function watch({ quick, signal }: ScenarioContext, ground: Ground, pids: Pids): Promise<Watched> {
  await sleep(settleMs, undefined, { signal });
  const { arrivals } = await ground.backend.readCounters();
  const before = await readAll(pids);
  const startMs = performance.now();
  await sleep(quick ? 20_000 : 60_000, undefined, { signal });
  const after = await readAll(pids);
  const percent = (performance.now() - startMs) / 100;
  const share = (name: string) =>
    (cpuBetween(before.get(name) ?? null, after.get(name) ?? null) ?? Number.NaN) / percent;
  return {
    shares: new Map([...pids.keys()].map((name) => [name, share(name)])),
    arrivals: (await ground.backend.readCounters()).arrivals - arrivals,
  };
}

async function readAll(pids: Pids): Promise<ReadonlyMap<string, number | null>> {
  return new Map(
    await Promise.all([...pids].map(async ([name, pid]) => [name, await readCpuMs(pid)] as const)),
  );
}

function report(when: string, { shares, arrivals }: Watched): readonly Figure[] {
  const sumOf = (name: string) =>
    (shares.get(`${name}: service`) ?? Number.NaN) + (shares.get(`${name}: app-server`) ?? Number.NaN);
  const ofService = (name: string, prefix: string): readonly Figure[] => [
    single(`${when}${prefix}: service`, "%", shares.get(`${name}: service`)),
    single(`${when}${prefix}: app-server`, "%", shares.get(`${name}: app-server`)),
    single(`${when}${prefix}: both`, "%", sumOf(name), atMost(0.3)),
  ];
  return [
    ...ofService("default", ""),
    ...ofService(`${manyWorkers} workers`, `, ${manyWorkers} workers`),
    single(`${when}: app-server without the service`, "%", shares.get("alone")),
    single(`${when}: requests and frames to the backend`, "", arrivals, atMost(0)),
  ];
}

function toDetails({ shares, arrivals }: Watched) {
  return { percentOfCore: Object.fromEntries(shares), arrivals };
}
