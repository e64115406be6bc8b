import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { startCpuLoad } from "../../busy/cpu-load.js";
import { isRunning } from "../../support/processes.js";
import { pollUntil } from "../../support/service-harness.js";

t.test("busy processes run until they are stopped, and no longer", async (t) => {
  const load = await startCpuLoad(2);
  t.teardown(() => load.stop());
  t.equal(load.pids.length, 2);
  t.same(await Promise.all(load.pids.map(isRunning)), [true, true]);
  await load.stop();
  t.same(await Promise.all(load.pids.map(isRunning)), [false, false]);
});

t.test("a starter that is killed leaves no busy process behind", async (t) => {
  const module = fileURLToPath(new URL("../../busy/cpu-load.js", import.meta.url));
  const program = `const { startCpuLoad } = await import(${JSON.stringify(module)}); console.log((await startCpuLoad(1)).pids.join());`;
  const starter = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => void starter.kill("SIGKILL"));
  const [printed] = await once(starter.stdout, "data");
  const pid = Number(String(printed));
  t.ok(await isRunning(pid));
  starter.kill("SIGKILL");
  await pollUntil(async () => !(await isRunning(pid)), 30_000);
});
