/**
 * `npm run soak:churn [-- --minutes 10 --callers 16]`: mixed load over HTTP, random faults, changes of login. Ends with a table, and
 * with exit code 1 if anything hung or was left behind.
 */
import { parseArgs } from "node:util";
import OpenAI from "openai";
import {
  functionCall,
  lastUserText,
  logout,
  reply,
  switchAccount,
  textInDeltas,
} from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { operations, toolInput } from "./churn-operations.js";
import { Resources } from "./resources.js";
import { startSoakService } from "./start-service.js";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, callers: { type: "string", default: "16" } },
});
const durationMs = Number(values.minutes) * 60_000;
const callers = Number(values.callers);
/** An operation that takes longer counts as hung. */
const hangMs = 60_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = (bytes: number | null | undefined) => `${Math.round((bytes ?? 0) / 1024 / 1024)} MB`;

say(`soaking for ${values.minutes} minutes with ${callers} callers`);
// What a first start loads for the life of the process is no leak.
await (await startSoakService()).close();
const before = Resources.count();
const { root, userHome, backend, service, client, close } = await startSoakService();
backend.setDefaultReply((request) =>
  request.fullInput.length === 1 && lastUserText(request) === toolInput
    ? reply(functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: `call_${request.index}` }))
    : textInDeltas("a few words of an answer", 6, 15),
);

const counts = new Map<string, Map<string, number>>();
let requests = 0;
let hangs = 0;
const faults = new Map<string, number>();
const deadlineMs = performance.now() + durationMs;
/** By then everything has been in use for a while. */
const warmUpMs = 10_000;
let memoryAtStart = "not taken";

function count(table: Map<string, number>, key: string): void {
  table.set(key, (table.get(key) ?? 0) + 1);
}

async function caller(): Promise<void> {
  while (performance.now() < deadlineMs) {
    const operation = operations[Math.floor(Math.random() * operations.length)];
    if (operation === undefined) return;
    requests += 1;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), hangMs);
    const outcome = await operation.run(client, abort.signal).catch(describeError);
    clearTimeout(timer);
    if (abort.signal.aborted) hangs += 1;
    const table = counts.get(operation.name) ?? new Map<string, number>();
    counts.set(operation.name, table);
    count(table, outcome);
  }
}

function describeError(error: unknown): string {
  if (error instanceof OpenAI.APIError) return String(error.code ?? error.name);
  return error instanceof Error ? error.name : String(error);
}

const strikes: readonly [name: string, strike: () => Promise<void> | void][] = [
  [
    "app-server killed",
    () => {
      const pid = service.health()?.appServer?.pid;
      if (typeof pid === "number") process.kill(pid, "SIGKILL");
    },
  ],
  [
    "account switched",
    async () => {
      await switchAccount(userHome, { backend, accountId: `acct-${Date.now()}` });
    },
  ],
  [
    "app-server hung",
    () => {
      const pid = service.health()?.appServer?.pid;
      if (typeof pid === "number") process.kill(pid, "SIGSTOP");
    },
  ],
  [
    "logged out and in",
    async () => {
      await logout(userHome);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await switchAccount(userHome, { backend, accountId: `acct-${Date.now()}` });
    },
  ],
  ["access tokens revoked", () => backend.tokens.revokeAccessTokens()],
];

async function troublemaker(): Promise<void> {
  while (performance.now() < deadlineMs - 15_000) {
    await new Promise((resolve) => setTimeout(resolve, 10_000 + Math.random() * 15_000));
    const [name, strike] = strikes[Math.floor(Math.random() * strikes.length)] ?? ["none", () => {}];
    await strike();
    count(faults, name);
  }
}

async function takeMemoryAtStart(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.min(warmUpMs, durationMs / 2)));
  memoryAtStart = describeMemory();
}

function describeMemory(): string {
  const { rssBytes } = service.health()?.appServer ?? {};
  return `supervisor ${megabytes(process.memoryUsage().rss)}, app-server ${megabytes(rssBytes)}`;
}

await Promise.all([troublemaker(), takeMemoryAtStart(), ...Array.from({ length: callers }, caller)]);
const memoryAtEnd = describeMemory();
const { loadedThreads, restarts } = service.health()?.appServer ?? {};
await close();
const processes = await findProcessesOf(root);
// undici's own keep-alive sockets of this client end shortly after their servers.
for (let wait = 0; wait < 100 && before.leaked().total > 0; wait += 1) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const leaked = before.leaked();
say("");
say(`requests            ${requests}`);
for (const [name, table] of [...counts].sort()) {
  say(`  ${name.padEnd(18)}${[...table].map(([outcome, number]) => `${outcome} ${number}`).join(", ")}`);
}
say(`faults              ${[...faults].map(([name, number]) => `${name} ${number}`).join(", ") || "none"}`);
say(`app-server restarts ${restarts ?? 0}`);
say(`hangs               ${hangs}`);
say(`leaked processes    ${processes.length}`);
for (const [kind, number] of leaked.kinds) say(`leaked ${kind.padEnd(13)}${number}`);
say(`loaded threads      ${loadedThreads ?? "unknown"}`);
say(`memory after start  ${memoryAtStart}`);
say(`memory at the end   ${memoryAtEnd}`);
process.exitCode = hangs > 0 || processes.length > 0 || leaked.total > 0 ? 1 : 0;
