import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import t from "tap";
import { ProcessUsageReader, readPsTable } from "../../../../src/main/codex/process/process-usage.js";
import { makeDeadPid, startSleeper, waitUntil } from "../fixtures.js";

const noWindows = { skip: process.platform === "win32" };
const megabyte = 1024 * 1024;

/** A process with a child that fills 60 MB and computes until the test ends. */
async function startFamily(t: { teardown(end: () => unknown): unknown }): Promise<number> {
  const child = "const full = Buffer.alloc(60 * 1024 * 1024, 1); console.log('full'); for (;;) full.at(0);";
  const parent = `const { spawn } = require("node:child_process");
    spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" });`;
  const family = spawn(process.execPath, ["-e", parent], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const pid = family.pid ?? 0;
  t.teardown(async () => {
    process.kill(-pid, "SIGKILL");
    await once(family, "close");
  });
  await once(createInterface({ input: family.stdout }), "line");
  return pid;
}

for (const platform of ["linux", "darwin"] as const) {
  const noProc = { skip: platform === "linux" && process.platform !== "linux" };
  t.test(
    `memory and CPU time of a process and its descendants are read as on ${platform}`,
    noProc,
    async (t) => {
      const reader = new ProcessUsageReader(platform);
      const [family, sleeper] = [await startFamily(t), await startSleeper(t)];
      const first = await reader.read([family, sleeper]);
      t.ok((first.get(family)?.rssBytes ?? 0) > 60 * megabyte, "with its child");
      t.ok((first.get(sleeper)?.rssBytes ?? 0) > 10 * megabyte);
      const before = first.get(family)?.cpuMs ?? Number.NaN;
      // `ps` may count in whole seconds.
      await waitUntil(async () => ((await reader.read([family])).get(family)?.cpuMs ?? 0) >= before + 1_000);
    },
  );

  t.test(`a process that has ended is left out as on ${platform}`, noWindows, async (t) => {
    const reader = new ProcessUsageReader(platform);
    const [dead, sleeper] = [await makeDeadPid(), await startSleeper(t)];
    t.same([...(await reader.read([dead, sleeper])).keys()], [sleeper]);
  });
}

t.test(
  "a child that comes later is found within a few reads",
  { skip: process.platform !== "linux" },
  async (t) => {
    const reader = new ProcessUsageReader("linux");
    const own = async () => (await reader.read([process.pid])).get(process.pid)?.rssBytes ?? 0;
    await own();
    const family = await startFamily(t);
    const alone = (await new ProcessUsageReader("linux").read([family])).get(family)?.rssBytes ?? 0;
    t.ok(alone > 60 * megabyte);
    let reads = 0;
    await waitUntil(async () => {
      reads += 1;
      const sum = await own();
      const { rss } = process.memoryUsage();
      return sum > rss + 60 * megabyte;
    });
    t.ok(reads <= 4, `${reads} reads`);
  },
);

t.test("on Windows nothing is read", async (t) => {
  t.same(await new ProcessUsageReader("win32").read([process.pid]), new Map());
});

t.test("what ps prints is read on every unix, and lines of another kind are skipped", async (t) => {
  const table = `
    1     0    9000   0:01.25
 4242     1  150000 123:45.67
 4243  4242    2048 01:02:03
 4244  4243     512 5-00:00:01
 4245     -       -  -
 error: no such column`;
  t.same(readPsTable(table), [
    { pid: 1, parent: 0, rssBytes: 9000 * 1024, cpuMs: 1_250 },
    { pid: 4242, parent: 1, rssBytes: 150_000 * 1024, cpuMs: (123 * 60 + 45) * 1_000 + 670 },
    { pid: 4243, parent: 4242, rssBytes: 2048 * 1024, cpuMs: (3600 + 123) * 1_000 },
    { pid: 4244, parent: 4243, rssBytes: 512 * 1024, cpuMs: (5 * 86_400 + 1) * 1_000 },
  ]);
});
