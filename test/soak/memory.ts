/**
 * `npm run soak:memory [-- --turns 5000 --chains 1000]`: what the app-server and this process weigh after many turns, and with many
 * live chains.
 */
import { parseArgs } from "node:util";
import { text } from "../support/offline-backend/index.js";
import { startSoakService } from "./start-service.js";

const { values } = parseArgs({
  options: { turns: { type: "string", default: "5000" }, chains: { type: "string", default: "1000" } },
});
const turns = Number(values.turns);
const chains = Number(values.chains);
const callers = 16;

const say = (line: string) => process.stdout.write(`${line}\n`);
const { backend, service, client, close } = await startSoakService();
backend.setDefaultReply(text("a short answer"));

async function inParallel(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async () => {
    for (let index = next++; index < count; index = next++) await run(index);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function report(what: string): Promise<number> {
  // Codex unloads threads a moment after they were let go.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const { rssBytes, loadedThreads } = service.health()?.appServer ?? {};
  const megabytes = (rssBytes ?? 0) / 1024 / 1024;
  const own = process.memoryUsage().rss / 1024 / 1024;
  say(
    `${what.padEnd(34)}app-server ${megabytes.toFixed(0)} MB, ${loadedThreads} threads loaded; supervisor ${own.toFixed(0)} MB`,
  );
  return megabytes;
}

const firstTurns = Math.round(turns / 10);
const ask = async (store: boolean) => void (await client.responses.create({ input: "hello", store }));

await report("at start");
await inParallel(firstTurns, () => ask(false));
const early = await report(`after ${firstTurns} turns`);
await inParallel(turns - firstTurns, () => ask(false));
const late = await report(`after ${turns} turns`);
say(`ratio                             ${(late / early).toFixed(2)}`);

const heads: string[] = [];
await inParallel(chains, async () => {
  heads.push((await client.responses.create({ input: "hello" })).id);
});
await report(`with ${chains} live chains`);
await inParallel(heads.length, async (index) => {
  await client.responses.create({ input: "go on", previous_response_id: heads[index] ?? null });
});
const withChains = await report(`each of them continued once`);
say(`ratio                             ${(withChains / early).toFixed(2)}`);

await close();
