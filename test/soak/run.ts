/**
 * `npm run soak [-- --minutes 3 --callers 6 --silence-minutes 10]`: normal callers at a steady pace, among callers and faults that a
 * service has to outlive, one kind after the other. No normal caller fails, and none waits longer than the figure of its phase. With
 * `--silence-minutes` a model beside it says nothing for so long, and its callers get their answers all the same. Ends with
 * tables, and with exit code 1 if anything of this was not so or was left behind.
 */
import { setMaxListeners } from "node:events";
import { parseArgs } from "node:util";
import { functionCall, lastUserText, reply, textInDeltas } from "../support/offline-backend/index.js";
import { longAnswer } from "./bad-callers.js";
import { runNormalCallers, type Wait, weatherQuestion } from "./normal-callers.js";
import { listPhases } from "./phases.js";
import { describeWeight, Findings, findJudge, type PhaseRun, say, tabulate } from "./report.js";
import { pause, ServiceProcess, type Weight } from "./service-process.js";
import { runSilentModel } from "./silent-model.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    callers: { type: "string", default: "6" },
    "silence-minutes": { type: "string", default: "0" },
    phases: { type: "string", default: "" },
  },
});
const minutes = Number(values.minutes);
const callers = Number(values.callers);
const silenceMinutes = Number(values["silence-minutes"]);

/** What a phase began is over, and its last waits are still its own. */
const settleMs = 2_000;
/** By then all that stays for the life of the process has been in use. */
const warmUpMs = 10_000;

const findings = new Findings();
const service = await ServiceProcess.start("chatgpt");
// Made once: this process is also the callers', and what it computes they wait for.
const long = textInDeltas("words and words ".repeat(60_000), 200);
service.backend.setDefaultReply((request) => {
  const said = lastUserText(request);
  if (said === longAnswer) return long;
  return said === weatherQuestion && request.fullInput.length === 1
    ? reply(functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: `call_${request.index}` }))
    : textInDeltas("a few words of an answer", 6, 15);
});
const silence = silenceMinutes > 0 ? runSilentModel(silenceMinutes) : null;

const phases = listPhases(service).filter(({ name }) => name.includes(values.phases));
const cycleSeconds = phases.reduce((sum, { seconds }) => sum + seconds + settleMs / 1_000, 0);
const cycles = Math.max(1, Math.floor((minutes * 60) / cycleSeconds));
const runs: PhaseRun[] = [];
const strays: Wait[] = [];

function onWait(wait: Wait): void {
  (findJudge(runs, wait)?.waits ?? strays).push(wait);
}

say(
  `soaking for ${Math.ceil((cycles * cycleSeconds) / 60)} minutes: ${cycles} times ${phases.length} phases`,
);
const end = new AbortController();
const normal = runNormalCallers({ url: service.url, callers, paceMs: 2_000, onWait }, end.signal);
await pause(warmUpMs);
const before = [await service.weigh(), await service.weighAppServer()] as const;
const cycleWeights: Weight[] = [];
let peakBytes = 0;
const scales = setInterval(() => {
  void service.weigh().then(({ memoryBytes }) => {
    peakBytes = Math.max(peakBytes, memoryBytes);
  });
}, 500);

for (let cycle = 0; cycle < cycles && service.isRunning; cycle += 1) {
  for (const phase of phases) {
    if (!service.isRunning) break;
    const run: PhaseRun = { phase, beganMs: performance.now(), waits: [], outcomes: new Map() };
    runs.push(run);
    const count = (outcome: string) => run.outcomes.set(outcome, (run.outcomes.get(outcome) ?? 0) + 1);
    const over = AbortSignal.timeout(phase.seconds * 1_000);
    // One listener for each request under way.
    setMaxListeners(0, over);
    await Promise.all([phase.run({ url: service.url, count }, over), pause(phase.seconds * 1_000)]);
    await pause(settleMs);
  }
  cycleWeights.push(await service.weigh());
}
end.abort();
await normal;
clearInterval(scales);
// What a parser, a socket or a stored response holds is given back within this time.
await pause(10_000);
const after = [await service.weigh(), await service.weighAppServer()] as const;
findings.check(service.isRunning, "the service ended by itself");
const stopped = await service.stop();
const silent = await silence;

tabulate(runs, strays, findings);
say(
  `memory         ${describeWeight(before, after)}; highest of the service ${Math.round(peakBytes / 2 ** 20)} MB`,
);
say(
  `after a cycle  ${cycleWeights.map(({ memoryBytes }) => `${Math.round(memoryBytes / 2 ** 20)} MB`).join(", ")}`,
);
// What the first cycle took, the allocator keeps; what each one takes is a leak.
const [first, ...others] = cycleWeights.map(({ memoryBytes }) => memoryBytes);
for (const bytes of others)
  findings.check(bytes < (first ?? 0) * 1.3 + 64 * 2 ** 20, "memory grew from cycle to cycle");
findings.check(after[0].descriptors <= before[0].descriptors + 16, "descriptors were left open");
say(`stopped        with code ${stopped.code} in ${(stopped.tookMs / 1_000).toFixed(1)} s`);
findings.check(stopped.code === 0, "the service did not stop cleanly");
say(`left behind    ${stopped.left.join(", ") || "nothing"}`);
findings.check(stopped.left.length === 0, "something was left behind");
for (const line of silent ?? []) {
  say(`silent model   ${line.text}`);
  findings.check(line.ok, `silent model: ${line.text}`);
}
process.exitCode = findings.say();
