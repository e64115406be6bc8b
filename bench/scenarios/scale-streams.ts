import { type LoadResult, runLoad } from "../measure/load.js";
import { readPeakResidentBytes } from "../measure/process-usage.js";
import { atLeast, atMost, type Figure, single } from "../report/figure.js";
import { charactersOf, type ReplyPlan } from "../rig/backend-messages.js";
import { boundlessAccount, callService, layGround, startService } from "../rig/rig.js";
import type { Scenario } from "./scenario.js";

const streams = 1_000;
/** Thirty seconds, a delta a second. */
const reply: ReplyPlan = { deltas: 31, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 1_000 };
const supervisorLimitMb = 400;

/** All callers come at once: the last ones wait while the first ones are started. */
const settings = ["--queue-timeout-ms", "180000", ...boundlessAccount];

/** A thousand slow streams. */
export const scaleStreams: Scenario = {
  name: "1000-streams",
  title: "1,000 streams of 30 seconds, all at once",
  quickSeconds: 0,
  fullSeconds: 80,
  run: async ({ resources, signal }) => {
    const ground = await layGround(resources);
    await ground.backend.setReply(reply);
    const service = await startService(resources, ground, "service", settings);
    const { sse } = await callService(resources, service);
    const plan = { prompt: "Tell me slowly.", expectedCharacters: charactersOf(reply), maxMs: 0, signal };
    const result = await runLoad(sse, { ...plan, atOnce: streams, turns: streams });
    const peakOpen = await ground.backend.readPeakStreams();
    const supervisor = await readPeakResidentBytes(service.pid);
    const appServer = await readPeakResidentBytes(sse.appServerPid);
    return {
      figures: report(result, peakOpen, supervisor, appServer),
      details: { reply, result, peakOpen, supervisor, appServer },
      remarks: result.firstFailure === null ? [] : [`first failure: ${result.firstFailure}`],
    };
  },
};

function report(
  result: LoadResult,
  peakOpen: number,
  supervisor: number | null,
  appServer: number | null,
): readonly Figure[] {
  const { completed, damaged, firstDeltaP50Ms, firstDeltaP99Ms, serviceCpuMs } = result;
  return [
    single("completed", "", completed, atLeast(streams)),
    single("streams that lost text", "", damaged, atMost(0)),
    single("most of them open at once at the backend", "", peakOpen),
    single("first delta p50, waiting included", "ms", firstDeltaP50Ms),
    single("first delta p99, waiting included", "ms", firstDeltaP99Ms),
    single("supervisor, most memory", "MB", toMb(supervisor), atMost(supervisorLimitMb)),
    single("app-server, most memory", "MB", toMb(appServer)),
    single("supervisor and workers CPU", "ms", serviceCpuMs),
  ];
}

export function toMb(bytes: number | null): number {
  return bytes === null ? Number.NaN : bytes / 1024 / 1024;
}
