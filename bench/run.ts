/** `npm run bench [-- --quick] [--only NAME] [--name FILE] [--no-results] [--install-peers]`. See bench/README.md. */
import { parseArgs } from "node:util";
import { keepResults } from "./report/keep-results.js";
import { readLoad, readMachineFacts, readVersionFacts } from "./report/machine.js";
import { renderScenario, renderVerdict } from "./report/render.js";
import { readServiceSettings } from "./report/service-settings.js";
import { installPeers } from "./rig/install-peers.js";
import { runScenarios } from "./run-scenarios.js";
import { scenarios } from "./scenarios/index.js";

const quickBudgetMs = 170_000;
const fullBudgetMs = 870_000;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    name: { type: "string" },
    "no-results": { type: "boolean", default: false },
    "install-peers": { type: "boolean", default: false },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const chosen = scenarios.filter(({ name, quickSeconds }) =>
  values.only.length === 0 ? !values.quick || quickSeconds > 0 : values.only.includes(name),
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
const mode = values.quick ? "quick" : "full";
const loadBefore = readLoad();
say(
  `${mode} run of ${chosen.map(({ name }) => name).join(", ")}; load of the machine ${loadBefore.toFixed(1)}`,
);
const records = await runScenarios({
  scenarios: chosen,
  quick: values.quick,
  budgetMs: values.quick ? quickBudgetMs : fullBudgetMs,
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
    summary: "Default configuration, ChatGPT login, offline backend over WebSocket.",
    service: readServiceSettings(),
  },
  scenarios: records,
} as const;
if (!values["no-results"] && !interruption.signal.aborted) {
  const name = values.name ?? `${startedAt.slice(0, 16).replace(":", "")}-${mode}`;
  say(`Kept in ${(await keepResults(run, name)).join(" and ")}.`);
}
say(renderVerdict(records).join("\n"));
const failed = records.some(({ outcome }) => outcome.status === "failed");
// A call that never settles must not keep a finished run alive.
process.exit(interruption.signal.aborted ? 130 : failed ? 1 : 0);
