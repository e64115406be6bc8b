import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { PidLedger } from "../../../../src/main/codex/process/pid-ledger.js";
import { readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import { makeDeadPid, makeDirectory, startSleeper } from "../fixtures.js";

const dead = { pid: 1, startedAt: "another-boot/1" };

async function writeEntry(directory: string, name: string, entry: unknown): Promise<void> {
  await writeFile(join(directory, name), JSON.stringify(entry));
}

t.test("an entry is on disk until it is forgotten", async (t) => {
  const directory = await makeDirectory(t);
  const ledger = new PidLedger({ directory, stopStepMs: 1_000 });
  const pid = await startSleeper(t);
  await ledger.record(pid);
  t.same(await readdir(directory), [`${pid}.json`]);
  await ledger.forget(pid);
  await ledger.forget(pid);
  t.same(await readdir(directory), []);
});

t.test("a process forgotten while it is being recorded leaves no entry", async (t) => {
  const directory = await makeDirectory(t);
  const ledger = new PidLedger({ directory, stopStepMs: 1_000 });
  const pid = await startSleeper(t);
  const recording = ledger.record(pid);
  await ledger.forget(pid);
  await recording;
  t.same(await readdir(directory), []);
});

t.test("a process that has already ended is not recorded", async (t) => {
  const directory = await makeDirectory(t);
  await new PidLedger({ directory, stopStepMs: 1_000 }).record(await makeDeadPid());
  t.same(await readdir(directory), []);
});

t.test("children of a live supervisor are left alone", async (t) => {
  const directory = await makeDirectory(t);
  const ledger = new PidLedger({ directory, stopStepMs: 1_000 });
  const pid = await startSleeper(t);
  await ledger.record(pid);
  t.same(await ledger.reapOrphans(), []);
  t.ok(await readProcessIdentity(pid));
  t.same(await readdir(directory), [`${pid}.json`]);
});

t.test("an orphan is ended and forgotten", async (t) => {
  const directory = await makeDirectory(t);
  const pid = await startSleeper(t);
  await writeEntry(directory, `${pid}.json`, { process: await readProcessIdentity(pid), supervisor: dead });
  const ledger = new PidLedger({ directory, stopStepMs: 5_000 });
  t.same(await ledger.reapOrphans(), [{ pid, outcome: "terminated" }]);
  t.equal(await readProcessIdentity(pid), null);
  t.same(await readdir(directory), []);
});

t.test("a recycled pid is not killed", async (t) => {
  const directory = await makeDirectory(t);
  const pid = await startSleeper(t);
  await writeEntry(directory, `${pid}.json`, {
    process: { pid, startedAt: "another-boot/1" },
    supervisor: dead,
  });
  const ledger = new PidLedger({ directory, stopStepMs: 1_000 });
  t.same(await ledger.reapOrphans(), [{ pid, outcome: "recycled_pid" }]);
  t.ok(await readProcessIdentity(pid), "it still runs");
  t.same(await readdir(directory), []);
});

t.test("a supervisor whose pid was reused counts as dead", async (t) => {
  const directory = await makeDirectory(t);
  const [pid, impostor] = [await startSleeper(t), await startSleeper(t)];
  const supervisor = { pid: impostor, startedAt: "another-boot/1" };
  await writeEntry(directory, `${pid}.json`, { process: await readProcessIdentity(pid), supervisor });
  const reaped = await new PidLedger({ directory, stopStepMs: 5_000 }).reapOrphans();
  t.same(reaped, [{ pid, outcome: "terminated" }]);
  t.ok(await readProcessIdentity(impostor));
});

t.test("an orphan that has already ended is only forgotten", async (t) => {
  const directory = await makeDirectory(t);
  const pid = await makeDeadPid();
  await writeEntry(directory, `${pid}.json`, { process: { pid, startedAt: "x" }, supervisor: dead });
  const reaped = await new PidLedger({ directory, stopStepMs: 1_000 }).reapOrphans();
  t.same(reaped, [{ pid, outcome: "already_gone" }]);
});

t.test("damaged entries are removed, and no process is ended", async (t) => {
  const directory = await makeDirectory(t);
  await writeFile(join(directory, "cut.json"), '{"process": {"pi');
  await writeFile(join(directory, "empty.json"), "");
  await writeEntry(directory, "everybody.json", { process: { pid: -1, startedAt: "x" }, supervisor: dead });
  await writeEntry(directory, "text.json", { process: { pid: "1", startedAt: "x" }, supervisor: dead });
  await mkdir(join(directory, "directory.json"));
  const reaped = await new PidLedger({ directory, stopStepMs: 1_000 }).reapOrphans();
  t.same(reaped, []);
  t.same(await readdir(directory), []);
});

t.test("a ledger that was never written has no orphans", async (t) => {
  const directory = join(await makeDirectory(t), "missing");
  t.same(await new PidLedger({ directory, stopStepMs: 1_000 }).reapOrphans(), []);
});
