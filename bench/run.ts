/**
 * `npm run bench [-- --quick] [--only NAME] [--name FILE] [--no-results] [--install-peers]`, and
 * `npm run bench -- plan [--full] [--only NAME] …`. See bench/README.md.
 */
import { parseArgs } from "node:util";
import { keepResults } from "./report/keep-results.js";
import { readLoad, readMachineFacts, readVersionFacts } from "./report/machine.js";
import { renderScenario, renderVerdict } from "./report/render.js";
import { readServiceSettings } from "./report/service-settings.js";
import { installPeers } from "./rig/install-peers.js";
import { runScenarios } from "./run-scenarios.js";
import { suites } from "./scenarios/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    name: { type: "string" },
    "no-results": { type: "boolean", default: false },
    "install-peers": { type: "boolean", default: false },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const suite = suites.find(({ name }) => name === (positionals[0] ?? "cost"));
if (suite === undefined || positionals.length > 1) {
  say(
    `There is no benchmark ${positionals.join(" ")}. There are: ${suites.map(({ name }) => name).join(", ")}.`,
  );
  process.exit(2);
}
const { scenarios } = suite;
const quick = suite.isQuickByDefault ? !values.full : values.quick;
const chosen = scenarios.filter(({ name, quickSeconds }) =>
  values.only.length === 0 ? !quick || quickSeconds > 0 : values.only.includes(name),
);
const unknown = values.only.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  say(
    `There is no scenario ${unknown.join(", ")}. The scenarios: ${scenarios.map(({ name }) => name).join(", ")}.`,
  );
  process.exit(2);
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
}

if (values["install-peers"]) {
  say("Installing bench/peers ...");
  await installPeers();
}
const startedAt = new Date().toISOString();
const mode = quick ? "quick" : "full";
const loadBefore = readLoad();
say(
  `${mode} run of ${chosen.map(({ name }) => name).join(", ")}; load of the machine ${loadBefore.toFixed(1)}`,
);
const records = await runScenarios({
  scenarios: chosen,
  quick,
  budgetMs: 1_000 * (quick ? suite.quickBudgetSeconds : suite.fullBudgetSeconds),
  interrupted: interruption.signal,
  say: (line) => say(`  ${line}`),
  onScenario: (record) => say(`\n${renderScenario(record).join("\n")}\n\n(${record.seconds.toFixed(0)} s)\n`),
});
const run = {
  schema: 1,
  startedAt,
  mode,
  machine: readMachineFacts(loadBefore),
  versions: await readVersionFacts(),
  configuration: {
    summary: suite.configuration,
    service: readServiceSettings(),
  },
  scenarios: records,
} as const;
if (!values["no-results"] && !interruption.signal.aborted) {
  const stamp = startedAt.slice(0, 16).replace(":", "");
  const name = values.name ?? [stamp, ...positionals, mode].join("-");
  say(`Kept in ${(await keepResults(run, name)).join(" and ")}.`);
}
say(renderVerdict(records).join("\n"));
const failed = records.some(({ outcome }) => outcome.status === "failed");
// A call that never settles must not keep a finished run alive.
process.exit(interruption.signal.aborted ? 130 : failed ? 1 : 0);
