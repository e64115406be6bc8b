/** `npm run bench:neighbours [-- --only NAME]`: what bad neighbours cost other callers. See bench/README.md. */
import { parseArgs } from "node:util";
import { renderScenario, renderVerdict } from "./report/render.js";
import { runScenarios } from "./run-scenarios.js";
import { neighbours } from "./scenarios/neighbours.js";

const budgetMs = 1_200_000;

const { values } = parseArgs({ options: { only: { type: "string", multiple: true, default: [] } } });
const say = (line: string) => process.stdout.write(`${line}\n`);
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
}
const records = await runScenarios({
  scenarios: neighbours.filter(({ name }) => values.only.length === 0 || values.only.includes(name)),
  quick: false,
  budgetMs,
  interrupted: interruption.signal,
  say: (line) => say(`  ${line}`),
  onScenario: (record) => say(`\n${renderScenario(record).join("\n")}\n`),
});
say(renderVerdict(records).join("\n"));
const failed = records.some(({ outcome }) => outcome.status === "failed");
// A call that never settles must not keep a finished run alive.
process.exit(interruption.signal.aborted ? 130 : failed ? 1 : 0);
