import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { isStillRunning, readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import { makeDeadPid, startSleeper, waitUntil } from "../fixtures.js";

t.test("a running process has an identity that stays the same", async (t) => {
  const pid = await startSleeper(t);
  const [first, second] = [await readProcessIdentity(pid), await readProcessIdentity(pid)];
  t.ok(first !== null);
  t.same(first, second);
});

t.test("two processes differ", async (t) => {
  const own = await readProcessIdentity(process.pid);
  const other = await readProcessIdentity(await startSleeper(t));
  t.not(own?.startedAt, other?.startedAt);
});

t.test("a process that has ended has no identity", async (t) => {
  t.equal(await readProcessIdentity(await makeDeadPid()), null);
});

t.test("a zombie counts as ended", { skip: process.platform !== "linux" }, async (t) => {
  // The inner process ends while its parent, a shell that became `sleep`, never waits for it.
  const parent = spawn("/bin/sh", ["-c", "sh -c 'echo $$' & exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.teardown(async () => {
    parent.kill("SIGKILL");
    await once(parent, "exit");
  });
  const [line] = await once(parent.stdout, "data");
  await waitUntil(async () => (await readProcessIdentity(Number(line))) === null);
});

t.test("a recycled pid is another process", async (t) => {
  const pid = await startSleeper(t);
  const identity = await readProcessIdentity(pid);
  t.ok(identity !== null && (await isStillRunning(identity)));
  t.notOk(await isStillRunning({ pid, startedAt: "another-boot/1" }));
});
