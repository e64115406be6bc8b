/** What goes wrong, one after the other, and how long a normal caller may wait for one answer meanwhile. */
import {
  abandonedBodies,
  type BadCaller,
  halfEmojis,
  leavers,
  sizeBombs,
  slowBodies,
  slowReaders,
  unansweredCalls,
} from "./bad-callers.js";
import { pause, type ServiceProcess } from "./service-process.js";

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** The longest that a normal caller may wait for one answer that it asked for in this phase. */
  readonly maxWaitMs: number;
  readonly run: BadCaller;
}

const nothing: BadCaller = async () => {};

export function listPhases(service: ServiceProcess): readonly Phase[] {
  const bombs = sizeBombs();
  const abandoned = abandonedBodies();
  const together = [halfEmojis, slowBodies, leavers, slowReaders, unansweredCalls];
  const allAtOnce: BadCaller = async (context, signal) =>
    void (await Promise.all([bombs, abandoned, ...together].map((run) => run(context, signal))));
  return [
    { name: "nothing", seconds: 10, maxWaitMs: 10_000, run: nothing },
    { name: "size bombs", seconds: 25, maxWaitMs: 20_000, run: bombs },
    { name: "half emojis, deep JSON", seconds: 12, maxWaitMs: 15_000, run: halfEmojis },
    { name: "abandoned bodies", seconds: 15, maxWaitMs: 15_000, run: abandoned },
    { name: "slow bodies", seconds: 15, maxWaitMs: 15_000, run: slowBodies },
    { name: "callers that leave", seconds: 12, maxWaitMs: 15_000, run: leavers },
    { name: "callers that read nothing", seconds: 12, maxWaitMs: 15_000, run: slowReaders },
    { name: "calls left unanswered", seconds: 12, maxWaitMs: 15_000, run: unansweredCalls },
    { name: "app-server stopped", seconds: 45, maxWaitMs: 40_000, run: stopAppServer(service) },
    { name: "all callers at once", seconds: 20, maxWaitMs: 20_000, run: allAtOnce },
  ];
}

/** Stops the app-server as a debugger would, so that it hangs and holds its connections, and waits for its successor. */
function stopAppServer(service: ServiceProcess): BadCaller {
  return async ({ count }, signal) => {
    const pid = await service.appServerPid();
    if (pid === null) {
      count("no app-server to stop");
      return;
    }
    const beganMs = performance.now();
    process.kill(pid, "SIGSTOP");
    for (let isReplaced = false; !isReplaced && !signal.aborted; ) {
      await pause(200);
      const now = await service.appServerPid();
      isReplaced = now !== null && now !== pid;
    }
    count(`replaced after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
  };
}
