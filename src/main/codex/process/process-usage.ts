import { readdir, readFile } from "node:fs/promises";
import { runCommand } from "./run-command.js";

/** What a process and its descendants use of the machine. */
export interface ProcessUsage {
  /** Resident memory. Pages that two of them share count twice. */
  readonly rssBytes: number;
  /** CPU time in milliseconds, as far as it is known: it shrinks when a descendant ends whose time nobody collects. */
  readonly cpuMs: number;
}

interface ProcessRow extends ProcessUsage {
  readonly pid: number;
  readonly parent: number;
}

/** Linux counts CPU time in ticks of 10 ms on every architecture that Node runs on. */
const tickMs = 10;
/** Most processes of the machine that are looked at for descendants, and how many at once: others wait for the same file threads. */
const maxProcesses = 16_384;
const readAtOnce = 16;
/** Descendants are searched once in so many reads, since that looks at every process of the machine. */
const readsPerSearch = 4;
const maxPsBytes = 4 * 1024 * 1024;
const psTimeoutMs = 5_000;

/** Reads what processes use: from `/proc` on Linux, by `ps` on other unixes, and nothing on Windows. Needs no privileges. */
export class ProcessUsageReader {
  readonly #platform: NodeJS.Platform;
  /** Parents by process, as of the last search. Linux only. */
  #parents: ReadonlyMap<number, number> = new Map();
  #readsUntilSearch = 0;

  constructor(platform: NodeJS.Platform = process.platform) {
    this.#platform = platform;
  }

  /** By process. One that has ended or cannot be read is left out. Never rejects. */
  async read(pids: readonly number[]): Promise<ReadonlyMap<number, ProcessUsage>> {
    if (pids.length === 0 || this.#platform === "win32") return new Map();
    return this.#platform === "linux" ? this.#readProc(pids) : sumFamilies(pids, await readByPs());
  }

  async #readProc(pids: readonly number[]): Promise<ReadonlyMap<number, ProcessUsage>> {
    if (this.#readsUntilSearch === 0 || pids.some((pid) => !this.#parents.has(pid))) {
      this.#parents = await readParents();
      this.#readsUntilSearch = readsPerSearch;
    }
    this.#readsUntilSearch -= 1;
    const known = [...this.#parents].map(([pid, parent]) => ({ pid, parent }));
    const rows: ProcessRow[] = [];
    for (const pid of pids.flatMap((root) => findFamily(root, known))) {
      const row = await readProcRow(pid);
      // Another parent: the pid belongs to another process by now.
      if (row !== null && (pids.includes(pid) || row.parent === this.#parents.get(pid))) rows.push(row);
    }
    return sumFamilies(pids, rows);
  }
}

async function readParents(): Promise<ReadonlyMap<number, number>> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).slice(0, maxProcesses);
  const parents = new Map<number, number>();
  for (let from = 0; from < pids.length; from += readAtOnce) {
    const stats = await Promise.all(
      pids.slice(from, from + readAtOnce).map(async (name) => [Number(name), await readStat(name)] as const),
    );
    for (const [pid, stat] of stats) if (stat !== null) parents.set(pid, Number(stat[1]));
  }
  return parents;
}

async function readProcRow(pid: number): Promise<ProcessRow | null> {
  // Not `statm`: it counts in pages, and Node does not expose the page size.
  const [stat, status] = await Promise.all([
    readStat(String(pid)),
    readFile(`/proc/${pid}/status`, "utf8").catch(() => ""),
  ]);
  // A process that is about to end has no memory any more.
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (stat === null || kilobytes === undefined) return null;
  // Its own, and that of children that have ended: user and system time each.
  const ticks = stat.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: Number(stat[1]), rssBytes: Number(kilobytes) * 1024, cpuMs: ticks * tickMs };
}

/** The fields after the name, which may itself contain blanks and parentheses; the first is the state. */
async function readStat(pid: string): Promise<readonly string[] | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat === null ? null : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function readByPs(): Promise<readonly ProcessRow[]> {
  const result = await runCommand({
    command: "/bin/ps",
    args: ["-A", "-o", "pid=,ppid=,rss=,time="],
    env: { LC_ALL: "C" },
    timeoutMs: psTimeoutMs,
    maxOutputBytes: maxPsBytes,
  });
  return result.outcome === "exited" && result.code === 0 ? readPsTable(result.stdout) : [];
}

/** Rows of `pid ppid rss time`: kilobytes, and `[[days-]hours:]minutes:seconds[.hundredths]`. Skips what it cannot read. */
export function readPsTable(table: string): readonly ProcessRow[] {
  return table.split("\n").flatMap((line): readonly ProcessRow[] => {
    const row = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(line);
    if (row === null) return [];
    const [pid = 0, parent = 0, kilobytes = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = row
      .slice(1)
      .map((field) => Number(field ?? 0));
    const cpuMs = Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
    return [{ pid, parent, rssBytes: kilobytes * 1024, cpuMs }];
  });
}

function sumFamilies(
  roots: readonly number[],
  rows: readonly ProcessRow[],
): ReadonlyMap<number, ProcessUsage> {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const sums = new Map<number, ProcessUsage>();
  for (const root of roots) {
    if (!byPid.has(root)) continue;
    let [rssBytes, cpuMs] = [0, 0];
    for (const pid of findFamily(root, rows)) {
      rssBytes += byPid.get(pid)?.rssBytes ?? 0;
      cpuMs += byPid.get(pid)?.cpuMs ?? 0;
    }
    sums.set(root, { rssBytes, cpuMs });
  }
  return sums;
}

/** The process and all its descendants. */
function findFamily(root: number, rows: readonly Pick<ProcessRow, "pid" | "parent">[]): readonly number[] {
  const family = new Set([root]);
  let isGrowing = true;
  while (isGrowing) {
    const before = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
    isGrowing = family.size > before;
  }
  return [...family];
}
