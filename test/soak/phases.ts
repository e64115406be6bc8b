/** What goes wrong, one after the other. A cycle of all takes some nine minutes. */
import { listAppServerPhases } from "./app-server-faults.js";
import { listBackendPhases } from "./backend-faults.js";
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
import { listLoginPhases } from "./login-faults.js";
import { listNetworkPhases } from "./network-faults.js";
import { bursts } from "./one-shot-callers.js";
import type { Phase } from "./phase.js";
import type { ServiceProcess } from "./service-process.js";

const nothing: BadCaller = async () => {};

/** Which begins with what comes after the minute without requests that it ends with. */
export function listPhases(service: ServiceProcess): readonly Phase[] {
  const bombs = sizeBombs();
  const abandoned = abandonedBodies();
  const together = [halfEmojis, slowBodies, leavers, slowReaders, unansweredCalls];
  const allAtOnce: BadCaller = async (context, signal) =>
    void (await Promise.all([bombs, abandoned, ...together].map((run) => run(context, signal))));
  return [
    { name: "bursts of 100", seconds: 12, maxWaitMs: 30_000, run: bursts(100), outcomes: [/^answered$/] },
    { name: "nothing", seconds: 8, maxWaitMs: 10_000, run: nothing },
    { name: "size bombs", seconds: 20, maxWaitMs: 20_000, run: bombs },
    { name: "half emojis, deep JSON", seconds: 12, maxWaitMs: 15_000, run: halfEmojis },
    { name: "abandoned bodies", seconds: 12, maxWaitMs: 15_000, run: abandoned },
    { name: "slow bodies", seconds: 12, maxWaitMs: 15_000, run: slowBodies },
    { name: "callers that leave", seconds: 12, maxWaitMs: 15_000, run: leavers },
    { name: "callers that read nothing", seconds: 12, maxWaitMs: 15_000, run: slowReaders },
    ...listBackendPhases(service),
    ...listNetworkPhases(service),
    ...listLoginPhases(service),
    { name: "calls left unanswered", seconds: 12, maxWaitMs: 15_000, run: unansweredCalls },
    { name: "all bad callers at once", seconds: 20, maxWaitMs: 20_000, run: allAtOnce },
    ...listAppServerPhases(service),
    { name: "a minute without requests", seconds: 60, maxWaitMs: 10_000, run: nothing, isQuiet: true },
  ];
}
