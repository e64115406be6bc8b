import { runLoad } from "../measure/load.js";
import { readResidentBytes } from "../measure/process-usage.js";
import { atLeast, type Figure, single } from "../report/figure.js";
import { callService, layGround, startService } from "../rig/rig.js";
import { toMb } from "./scale-streams.js";
import type { Scenario } from "./scenario.js";
import { shortReply, shortTurn } from "./short-turn.js";

const wanted = 10_000;
const callers = 16;
/** Between two readings of memory. */
const turnsAStep = 500;
/** Steps after which caches are full and the memory ought to stay as it is. */
const warmSteps = 4;

interface Reading {
  readonly turns: number;
  readonly failed: number;
  readonly supervisorMb: number;
  readonly appServerMb: number;
}

/** Many turns, one after the other: what stays in memory. */
export const scaleRow: Scenario = {
  name: "10000-turns",
  title: "10,000 turns in a row: memory",
  quickSeconds: 0,
  fullSeconds: 400,
  run: async ({ resources, signal, timeLeftMs, say }) => {
    const ground = await layGround(resources);
    await ground.backend.setReply(shortReply);
    const service = await startService(resources, ground);
    const { json } = await callService(resources, service);
    const readings: Reading[] = [];
    let [turns, failed, stepMs] = [0, 0, 0];
    while (turns + failed < wanted && timeLeftMs() > stepMs) {
      const result = await runLoad(json, {
        ...shortTurn,
        atOnce: callers,
        turns: turnsAStep,
        maxMs: Math.max(0, timeLeftMs()),
        signal,
      });
      stepMs = Math.max(stepMs, result.wallMs);
      turns += result.completed - result.damaged;
      failed += result.failed + result.damaged;
      const supervisorMb = toMb(await readResidentBytes(service.pid));
      const appServerMb = toMb(await readResidentBytes(json.appServerPid));
      readings.push({ turns, failed, supervisorMb, appServerMb });
      if (readings.length % 5 === 0) say(`${turns} turns`);
    }
    return { figures: report(readings), details: readings, remarks: [] };
  },
};

function report(readings: readonly Reading[]): readonly Figure[] {
  const last = readings.at(-1);
  const warm = readings[Math.min(warmSteps, readings.length) - 1];
  const after = `after ${warm?.turns ?? 0}`;
  return [
    single("turns completed", "", last?.turns, atLeast(wanted)),
    single("turns failed", "", last?.failed),
    single(`supervisor ${after}`, "MB", warm?.supervisorMb),
    single("supervisor at the end", "MB", last?.supervisorMb),
    single(`app-server ${after}`, "MB", warm?.appServerMb),
    single("app-server at the end", "MB", last?.appServerMb),
  ];
}
