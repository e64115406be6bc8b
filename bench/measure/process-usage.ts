import { readFile } from "node:fs/promises";

/** Linux counts in ticks of 10 ms on every architecture that Node runs on. */
const tickMs = 10;

/**
 * CPU time of a process and all its threads since its start, its children not included; null where there is no /proc or no
 * such process. Exact to a tick, so measure it over hundreds of milliseconds.
 */
export async function readCpuMs(pid: number | null): Promise<number | null> {
  const stat = await readProc(pid, "stat");
  if (stat === null) return null;
  // The name before the last parenthesis may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
  return (userTicks + systemTicks) * tickMs;
}

/** Resident memory in bytes; null as above. */
export async function readResidentBytes(pid: number | null): Promise<number | null> {
  return readMemoryLine(pid, "VmRSS");
}

/** The most that was ever resident, in bytes; null as above. */
export async function readPeakResidentBytes(pid: number | null): Promise<number | null> {
  return readMemoryLine(pid, "VmHWM");
}

async function readMemoryLine(pid: number | null, name: string): Promise<number | null> {
  const status = await readProc(pid, "status");
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status ?? "")?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

async function readProc(pid: number | null, file: string): Promise<string | null> {
  if (pid === null) return null;
  // The process may be gone, or the platform without /proc; either way nothing is known.
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => null);
}

/** CPU time between two readings; null when either is missing. */
export function cpuBetween(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}
