/**
 * `npm run soak:memory [-- --turns 5000 --chains 1000]`: what the app-server and this process weigh after many turns, and with many
 * live chains.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { pino } from "pino";
import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import { CodexNativeApiService } from "../../src/main/service.js";
import { createChatGptLogin, OfflineBackend, text } from "../support/offline-backend/index.js";

const { values } = parseArgs({
  options: { turns: { type: "string", default: "5000" }, chains: { type: "string", default: "1000" } },
});
const turns = Number(values.turns);
const chains = Number(values.chains);
const callers = 16;

const say = (line: string) => process.stdout.write(`${line}\n`);
const root = await mkdtemp(join(tmpdir(), "cna-memory-"));
const backend = await OfflineBackend.start({ maxRecorded: 0 });
backend.setDefaultReply(text("a short answer"));
const userHome = join(root, "codex");
await createChatGptLogin({ home: userHome, backend });
const environment = {
  ...backend.environment(),
  HOME: root,
  PATH: "/usr/bin:/bin",
  CODEX_HOME: userHome,
  CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
  CODEX_NATIVE_API_PORT: "0",
};
const loaded = loadConfig({ argv: [], env: environment, machine: readMachine() });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
const service = new CodexNativeApiService({
  config: loaded.config,
  logger: pino({ level: "silent" }),
  environment,
});
const { url } = await service.start();
while ((await fetch(`${url}/readyz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
const client = new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 2 });

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

await service.stop();
await backend.close();
await rm(root, { recursive: true, force: true });
