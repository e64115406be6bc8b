import { readdir, readFile } from "node:fs/promises";

/** Whether a process of this id is there and is not a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat === null ? process.platform !== "linux" : !/\) Z /.test(stat);
}

/** Processes with this text in their environment, such as a test's own directory. None where there is no /proc. */
export async function findProcessesOf(directory: string): Promise<readonly number[]> {
  const entries = await readdir("/proc").catch(() => []);
  const found: number[] = [];
  for (const entry of entries) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(directory) && (await isRunning(pid))) found.push(pid);
  }
  return found;
}

/** Those among them that are Codex's app-servers: beside each one of ours there is its watch. */
export async function findAppServersOf(directory: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of await findProcessesOf(directory)) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.split("\0").includes("app-server")) found.push(pid);
  }
  return found;
}

/** Kills what would end an app-server after its supervisor, so that the next start has to. */
export async function killDeathWatch(directory: string, appServerPid: number): Promise<void> {
  const [watch] = (await findProcessesOf(directory)).filter((pid) => pid !== appServerPid);
  if (watch === undefined) throw new Error("nobody watches");
  process.kill(watch, "SIGKILL");
}
