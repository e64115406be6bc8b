/** Whether a process of this id is there and is not a zombie. */
import { readFile } from "node:fs/promises";

export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat === null ? process.platform !== "linux" : !/\) Z /.test(stat);
}
