/**
 * `npm run soak [-- --minutes 10 --callers 6 --phases WORD --silence-minutes 10 --keep]`: normal callers at a steady pace, among callers and
 * faults that a service has to outlive, one kind after the other, in cycles of some ten minutes. A normal caller fails only as the phase
 * allows, none waits longer than the figure of its phase, each fault comes to its own outcomes, and what the service holds stays flat
 * from cycle to cycle. With `--silence-minutes` a model beside it says nothing for so long, and its callers get their answers all the
 * same. `--keep` writes `bench/results/soak.{md,json}`. Exit codes: 0 all as it should be, 1 findings, 130 interrupted.
 */
import { setMaxListeners } from "node:events";
import { parseArgs } from "node:util";
import { keepFiles } from "../../bench/report/keep-results.js";
import { readLoad } from "../../bench/report/machine.js";
import { usageBounds } from "./app-server-faults.js";
import { answerAsModel } from "./model.js";
import { renderRecord } from "./record.js";
import { say } from "./report.js";
import { ServiceProcess } from "./service-process.js";
import { runSilentModel } from "./silent-model.js";
import { Soak } from "./soak.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    callers: { type: "string", default: "6" },
    "silence-minutes": { type: "string", default: "0" },
    phases: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
  },
});
const silenceMinutes = Number(values["silence-minutes"]);

const serviceOptions = [
  ...["--workers", "2"],
  ...["--max-app-server-rss-bytes", String(usageBounds.maxRssBytes)],
  ...["--max-idle-cpu-percent", String(usageBounds.maxIdleCpuPercent)],
  ...["--idle-cpu-window-ms", String(usageBounds.idleCpuWindowMs)],
  // Within a cycle, so that each one ends with as many stored responses.
  ...["--continuation-ttl-ms", "180000"],
];

const interrupted = new AbortController();
setMaxListeners(0, interrupted.signal);
// Each time: the second Ctrl+C of an impatient user must not leave the service behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());

const loadBefore = readLoad();
const service = await ServiceProcess.start("chatgpt", serviceOptions);
let soak: Soak;
try {
  service.backend.setDefaultReply(answerAsModel());
  soak = new Soak(service, {
    minutes: Number(values.minutes),
    callers: Number(values.callers),
    selection: values.phases,
    interruption: interrupted.signal,
  });
} catch (error) {
  await service.stop();
  throw error;
}
const silent = silenceMinutes > 0 ? runSilentModel(silenceMinutes, interrupted.signal) : Promise.resolve([]);
const failure = await soak.run().then(
  () => null,
  (error: unknown) => `the soak itself failed: ${String(error)}`,
);
const record = await soak.finish(loadBefore, await silent, failure);
say(`\n${renderRecord(record)}`);
if (values.keep) {
  const files = { "soak.json": `${JSON.stringify(record, null, 2)}\n`, "soak.md": renderRecord(record) };
  say(`kept as ${(await keepFiles(files)).join(" and ")}`);
}
// Callers that were interrupted may still wait for answers that nobody gives any more.
process.exit(record.wasInterrupted ? 130 : record.findings.length > 0 ? 1 : 0);
