import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** SIGTERM, and SIGKILL for what does not go in time. Resolves when the process is gone; rejects when it had to be killed. */
export async function stopProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  let killed = false;
  const timer = setTimeout(() => {
    killed = true;
    child.kill("SIGKILL");
  }, graceMs);
  await exited;
  clearTimeout(timer);
  if (killed) throw new Error(`process ${child.pid} had to be killed`);
}
