/**
 * `npm run test:clients [-- WORD …]`: programs of others, unmodified and at stated versions, against this service; of those, the ones
 * whose name has one of the words in it. They are installed from npm on first use. Prints what works, and exits with 1 if something
 * does not.
 */
import { capabilities, type Outcome } from "./capabilities.js";
import { type Client, clients } from "./clients.js";
import { type ClientsService, startClientsService } from "./service.js";

interface Row {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  /** Why the client did not run at all. */
  readonly skipped: string | null;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runClient({ name, install, run }: Client, service: ClientsService): Promise<Row> {
  try {
    await install();
  } catch (error) {
    return { name, outcomes: [], skipped: String(error) };
  }
  const outcomes = await run(service);
  try {
    await service.untilIdle();
  } catch {
    const reason = "a turn runs although its client has gone";
    return {
      name,
      outcomes: [...outcomes, { capability: "abort", result: "failed", reason }],
      skipped: null,
    };
  }
  return { name, outcomes, skipped: null };
}

const words = process.argv.slice(2);
const wanted = clients.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);
const rows: Row[] = [];
const service = await startClientsService();
try {
  for (const client of wanted) {
    const row = await runClient(client, service);
    rows.push(row);
    say(`# ${row.name}${row.skipped === null ? "" : `: skipped, ${row.skipped}`}`);
    for (const { capability, result, reason } of row.outcomes) say(`${result} ${capability} ${reason}`);
  }
} finally {
  await service.close();
}

say(`\n| Program | ${capabilities.join(" | ")} |\n|---|${"---|".repeat(capabilities.length)}`);
for (const { name, outcomes, skipped } of rows) {
  const cells = capabilities.map((capability) => {
    const results = outcomes.filter((each) => each.capability === capability).map(({ result }) => result);
    if (results.length === 0) return skipped === null ? "–" : "skipped";
    return results.find((result) => result !== "ok") ?? "ok";
  });
  say(`| ${name} | ${cells.join(" | ")} |`);
}
if (rows.length === 0) say("There is no such client.");
const failed = rows.some(({ outcomes }) => outcomes.some(({ result }) => result === "failed"));
process.exitCode = failed || rows.length === 0 ? 1 : 0;
