import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { AppServerProcess } from "../../../../src/main/codex/process/app-server-process.js";
import { PidLedger } from "../../../../src/main/codex/process/pid-ledger.js";
import { readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import { makeDirectory, type Script, scriptedSpawn, type WithTeardown, waitUntil } from "../fixtures.js";

interface Setting {
  readonly process: AppServerProcess;
  readonly socketPath: string;
  readonly ledger: string;
}

async function setUp(
  t: WithTeardown,
  script: Script,
  options: { readonly startTimeoutMs?: number; readonly stopStepMs?: number } = {},
): Promise<Setting> {
  const ledger = await makeDirectory(t);
  const socketPath = join(await makeDirectory(t), "g1.sock");
  const process = new AppServerProcess({
    spawn: scriptedSpawn(script, options),
    socketPath,
    ledger: new PidLedger({ directory: ledger, stopStepMs: 1_000 }),
    startTimeoutMs: options.startTimeoutMs ?? 20_000,
  });
  t.teardown(() => process.destroy());
  return { process, socketPath, ledger };
}

async function isGone(pid: number | null): Promise<boolean> {
  return pid === null || (await readProcessIdentity(pid)) === null;
}

t.test(
  "it is ready when its socket accepts a connection, and in the ledger until it has exited",
  async (t) => {
    const { process, socketPath, ledger } = await setUp(t, "listen");
    await process.start();
    await process.start();
    t.ok((await lstat(socketPath)).isSocket());
    t.same(await readdir(ledger), [`${process.pid}.json`]);
    const exit = await process.close();
    t.match(exit, { code: 0, signal: null, errorCode: null, stderrTail: "scripted app-server listening" });
    t.ok(await isGone(process.pid));
    t.same(await readdir(ledger), []);
    await t.rejects(lstat(socketPath), { code: "ENOENT" });
    t.same(await process.close(), exit, "closing again joins the first");
  },
);

t.test("it runs in a session of its own, so that Ctrl-C does not reach it", async (t) => {
  const { process: child } = await setUp(t, "listen");
  await child.start();
  const fields = (await readFile(`/proc/${child.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  t.equal(Number(fields[3]), child.pid, "session id");
});

t.test("a process with a running turn gets SIGTERM twice and is not killed", async (t) => {
  const { process } = await setUp(t, "drain", { stopStepMs: 300 });
  await process.start();
  t.match(await process.close(), { code: 0, signal: null });
});

t.test("a process that ignores SIGTERM is killed", async (t) => {
  const { process } = await setUp(t, "deaf", { stopStepMs: 200 });
  await process.start();
  t.match(await process.close(), { code: null, signal: "SIGKILL" });
});

t.test("destroy kills at once, and cuts a running close short", async (t) => {
  const { process } = await setUp(t, "deaf", { stopStepMs: 60_000 });
  await process.start();
  const closing = process.close();
  t.match(await process.destroy(), { signal: "SIGKILL" });
  await closing;
});

t.test(
  "a process that dies during its start fails the start at once, with its stderr in the cause",
  async (t) => {
    const { process, ledger } = await setUp(t, "die");
    await t.rejects(process.start(), {
      code: "native_runtime_unavailable",
      message: "The Codex app-server ended while it started.",
      cause: { code: 7, stderrTail: "no such luck" },
    });
    t.same(await readdir(ledger), []);
  },
);

t.test("a process that never listens is ended after the start timeout", async (t) => {
  const { process } = await setUp(t, "silent", { startTimeoutMs: 500 });
  await t.rejects(process.start(), { message: "The Codex app-server did not become ready in time." });
  t.ok(await isGone(process.pid));
});

t.test("a process that continues with defaults after an invalid configuration is ended", async (t) => {
  const { process } = await setUp(t, "refuse");
  await t.rejects(process.start(), {
    code: "native_runtime_unavailable",
    message: "Codex refused its configuration.",
    cause: "Model provider `nope` not found",
  });
  t.ok(await isGone(process.pid));
});

t.test("a missing command fails the start", async (t) => {
  const directory = await makeDirectory(t);
  const process = new AppServerProcess({
    spawn: { ...scriptedSpawn("listen"), command: "/no/such/codex" },
    socketPath: join(directory, "g1.sock"),
    ledger: new PidLedger({ directory, stopStepMs: 1_000 }),
    startTimeoutMs: 5_000,
  });
  await t.rejects(process.start(), { code: "native_runtime_unavailable", cause: { errorCode: "ENOENT" } });
  t.match(await process.exited, { code: null, errorCode: "ENOENT" });
  await process.close();
});

t.test("closing during the start ends the process and fails the start", async (t) => {
  const { process } = await setUp(t, "silent");
  const starting = process.start();
  const failed = t.rejects(starting, { message: "The service is closing." });
  await waitUntil(() => process.pid !== null);
  await process.close();
  await failed;
  t.ok(await isGone(process.pid));
});

t.test("closing before anything was spawned spawns nothing", async (t) => {
  const { process } = await setUp(t, "listen");
  const starting = process.start();
  const failed = t.rejects(starting);
  await process.close();
  await failed;
  t.equal(process.pid, null);
});

t.test("its children are killed together with it", async (t) => {
  const { process } = await setUp(t, "with-child");
  await process.start();
  const child = Number(/child (\d+)/.exec(process.stderrTail)?.[1]);
  t.ok(child > 0);
  t.notOk(await isGone(child));
  await process.destroy();
  await waitUntil(() => isGone(child));
});

t.test("children that it left behind when it exited by itself are killed too", async (t) => {
  const { process } = await setUp(t, "with-child");
  await process.start();
  const child = Number(/child (\d+)/.exec(process.stderrTail)?.[1]);
  await process.close();
  await waitUntil(() => isGone(child));
});

t.test("a socket file left by a dead process does not stop a new one", async (t) => {
  const { socketPath, process: first } = await setUp(t, "listen");
  await first.start();
  const { pid } = first;
  if (pid !== null) globalThis.process.kill(pid, "SIGKILL");
  await first.exited;
  t.ok((await lstat(socketPath)).isSocket(), "SIGKILL leaves the file");
  const directory = await makeDirectory(t);
  const second = new AppServerProcess({
    spawn: scriptedSpawn("listen"),
    socketPath,
    ledger: new PidLedger({ directory, stopStepMs: 1_000 }),
    startTimeoutMs: 20_000,
  });
  t.teardown(() => second.destroy());
  await second.start();
  t.notOk(await isGone(second.pid));
});
