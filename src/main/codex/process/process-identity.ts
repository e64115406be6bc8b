import { readFile } from "node:fs/promises";
import { runCommand } from "./run-command.js";

/** Identifies a process. A pid alone does not, since the system reuses pids; a pid with a start time is unique. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque start time; differs between processes with the same pid, also across a reboot. */
  readonly startedAt: string;
}

const psTimeoutMs = 5_000;

/** Null if no such process runs. A zombie counts as ended: it holds no resources and cannot be killed. */
export async function readProcessIdentity(pid: number): Promise<ProcessIdentity | null> {
  const startedAt = await readStart(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await readStart(identity.pid)) === identity.startedAt;
}

async function readStart(pid: number): Promise<string | null> {
  if (process.platform === "linux") return readLinuxStart(pid);
  // Windows has no cheap way to read the start time. There Codex runs on stdio and ends with its supervisor, so a pid is
  // enough.
  if (process.platform === "win32") return isPidTaken(pid) ? "unknown" : null;
  return readStartByPs(pid);
}

async function readLinuxStart(pid: number): Promise<string | null> {
  const [stat, bootId] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8").catch(() => null),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "unknown-boot"),
  ]);
  if (stat === null) return null;
  // The command name in parentheses may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || state === "Z" || state === "X") return null;
  return `${bootId.trim()}/${startTicks}`;
}

async function readStartByPs(pid: number): Promise<string | null> {
  const result = await runCommand({
    command: "/bin/ps",
    args: ["-o", "stat=,lstart=", "-p", String(pid)],
    env: { LC_ALL: "C", TZ: "UTC" },
    timeoutMs: psTimeoutMs,
    maxOutputBytes: 4096,
  });
  if (result.outcome !== "exited" || result.code !== 0) return null;
  const [state, ...start] = result.stdout.trim().split(/\s+/);
  return state === undefined || state.startsWith("Z") || start.length === 0 ? null : start.join(" ");
}

function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
