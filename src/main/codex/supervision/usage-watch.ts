import type { Logger } from "pino";
import type { AppServerHealth } from "../../runtime/types.js";
import type { ProcessUsage } from "../process/process-usage.js";

/** What an app-server may use; one that uses more has gone bad. */
export interface UsageBounds {
  /** Resident memory of a process and its descendants, in bytes; 0: no bound. */
  readonly maxAppServerRssBytes: number;
  /** CPU time in percent of one core over a whole `idleCpuWindowMs` in which nothing was asked of it; 0: no bound. */
  readonly maxIdleCpuPercent: number;
  readonly idleCpuWindowMs: number;
}

export type UsageReason = "memory" | "idle_cpu";

export interface UsageWatchOptions {
  readonly bounds: UsageBounds;
  /** The processes of ours that take new work. */
  readonly pids: () => readonly number[];
  /** Resident memory of an app-server that somebody else runs, as it reports it itself; null otherwise. */
  readonly reportedRssBytes: () => number | null;
  /** Since when nothing was asked of the app-server, on the clock of `now`; null while turns are on it. */
  readonly idleSinceMs: () => number | null;
  /** By process; those that cannot be read are left out. Never rejects. */
  readonly read: (pids: readonly number[]) => Promise<ReadonlyMap<number, ProcessUsage>>;
  /** Starts a new app-server beside the old one. Resolves with whether it takes new work now. */
  readonly rotate: (reason: UsageReason, text: string) => Promise<boolean>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** What is known of one process. */
interface Watched {
  usage: ProcessUsage | null;
  /** How often in a row it was found over the bound for memory. */
  timesOver: number;
  /** Its first reading since something was last asked of it, or of the window that runs. */
  idleFrom: { readonly atMs: number; readonly cpuMs: number } | null;
  /** Over the last window that is complete. */
  idleCpuPercent: number | null;
  /** Another has taken its place: it only finishes its turns. */
  isReplaced: boolean;
}

/** Longest pause between two readings, in milliseconds; a window for CPU has at least four. */
const slowestPaceMs = 15_000;
const fastestPaceMs = 250;
/** A reading younger than this is new enough for health, in milliseconds. */
const freshMs = 1_000;
/** A single reading over the bound may be a peak. */
const readingsOver = 2;
/** What makes another app-server go bad as well would otherwise have it replaced for ever. */
export const maxRotationsPerHour = 3;
const hourMs = 3_600_000;
/** Wait after a rotation that failed, in milliseconds. */
const rotateAgainAfterMs = 60_000;

/**
 * Finds an app-server that goes bad slowly: its memory grows without end, or it is busy though nothing is asked of it. Has it
 * replaced, a few times an hour; after that only reports it.
 */
export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #processes = new Map<number, Watched>();
  /** Reasons for which nothing more is done, because of the limit or because the app-server is somebody else's. */
  readonly #standing = new Set<UsageReason>();
  #timer: NodeJS.Timeout | null = null;
  #sampling: Promise<void> | null = null;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  /** Readings in a row without any result; null once there was one, or once it was logged. */
  #unread: number | null = 0;
  #timesReportedOver = 0;
  #isRotating = false;
  #rotatedAtMs: number[] = [];
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: UsageWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { idleCpuWindowMs } = this.#options.bounds;
    const paceMs = Math.min(slowestPaceMs, Math.max(fastestPaceMs, idleCpuWindowMs / 4));
    this.#timer ??= setInterval(() => void this.check(), paceMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Takes another reading in the background if the last one is old. Never rejects. */
  refresh(): void {
    if (this.#options.now() - this.#sampledAtMs >= freshMs) void this.#sample();
  }

  /** What was read last. */
  health(): Pick<AppServerHealth, "rssBytes" | "idleCpuPercent"> {
    return { rssBytes: this.#rssBytes, idleCpuPercent: this.#idleCpuPercent };
  }

  /** Names of the bounds that stay exceeded. */
  get degraded(): readonly string[] {
    return [...this.#standing].map((reason) => `app_server_${reason}`);
  }

  get #rssBytes(): number | null {
    const read = [...this.#processes.values()].flatMap(({ usage }) => usage ?? []);
    if (read.length === 0) return this.#options.reportedRssBytes();
    return read.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  }

  /** Of the process that used most while idle; null until a window was complete. */
  get #idleCpuPercent(): number | null {
    const percents = [...this.#processes.values()].flatMap(({ idleCpuPercent }) => idleCpuPercent ?? []);
    return percents.length === 0 ? null : Math.max(...percents);
  }

  /** Takes a reading and judges it. Never rejects. */
  async check(): Promise<void> {
    await this.#sample();
    if (this.#unread !== null) this.#noteUnread(this.#unread);
    const idleSinceMs = this.#options.idleSinceMs();
    for (const watched of this.#processes.values()) this.#judge(watched, idleSinceMs);
    this.#judgeReported();
    for (const reason of this.#standing) if (!this.#isOver(reason)) this.#standing.delete(reason);
    for (const [pid, watched] of this.#processes) {
      const reason = watched.isReplaced ? null : this.#findExcess(watched);
      // One rotation replaces all of them.
      if (reason !== null) return this.#replace(pid, watched, reason);
    }
  }

  #sample(): Promise<void> {
    this.#sampling ??= this.#takeReading().finally(() => {
      this.#sampling = null;
    });
    return this.#sampling;
  }

  async #takeReading(): Promise<void> {
    const { pids: findPids, read, now } = this.#options;
    const pids = findPids();
    const usages = await read(pids);
    this.#sampledAtMs = now();
    for (const pid of this.#processes.keys()) if (!pids.includes(pid)) this.#processes.delete(pid);
    for (const pid of pids) {
      const watched = this.#processes.get(pid) ?? createWatched();
      const usage = usages.get(pid) ?? null;
      // A descendant has ended, and its time is not counted any more.
      if ((usage?.cpuMs ?? 0) < (watched.usage?.cpuMs ?? 0)) watched.idleFrom = null;
      watched.usage = usage;
      this.#processes.set(pid, watched);
    }
    if (usages.size > 0) this.#unread = null;
  }

  #judge(watched: Watched, idleSinceMs: number | null): void {
    const { usage } = watched;
    const { maxAppServerRssBytes } = this.#options.bounds;
    if (usage === null) {
      Object.assign(watched, { ...createWatched(), isReplaced: watched.isReplaced });
      return;
    }
    const isOver = maxAppServerRssBytes > 0 && usage.rssBytes > maxAppServerRssBytes;
    watched.timesOver = isOver ? watched.timesOver + 1 : 0;
    const atMs = this.#sampledAtMs;
    const { idleFrom } = watched;
    if (idleSinceMs === null) {
      watched.idleFrom = null;
    } else if (idleFrom === null || idleFrom.atMs < idleSinceMs) {
      watched.idleFrom = { atMs, cpuMs: usage.cpuMs };
    } else if (atMs - idleFrom.atMs >= this.#options.bounds.idleCpuWindowMs) {
      watched.idleCpuPercent = ((usage.cpuMs - idleFrom.cpuMs) / (atMs - idleFrom.atMs)) * 100;
      watched.idleFrom = { atMs, cpuMs: usage.cpuMs };
    }
  }

  #findExcess({ timesOver, idleCpuPercent }: Watched): UsageReason | null {
    const { maxIdleCpuPercent } = this.#options.bounds;
    if (timesOver >= readingsOver) return "memory";
    if (maxIdleCpuPercent > 0 && idleCpuPercent !== null && idleCpuPercent > maxIdleCpuPercent)
      return "idle_cpu";
    return null;
  }

  /** Whether any process, or the app-server of somebody else, is over the bound of this reason. */
  #isOver(reason: UsageReason): boolean {
    if (reason === "memory" && this.#timesReportedOver >= readingsOver) return true;
    return [...this.#processes.values()].some((watched) => this.#findExcess(watched) === reason);
  }

  async #replace(pid: number, watched: Watched, reason: UsageReason): Promise<void> {
    const { rotate, now } = this.#options;
    this.#rotatedAtMs = this.#rotatedAtMs.filter((atMs) => now() - atMs < hourMs);
    if (this.#isRotating || now() < this.#notBeforeMs) return;
    const text = this.#describe(watched, reason);
    if (this.#rotatedAtMs.length >= maxRotationsPerHour) {
      this.#stand(
        reason,
        pid,
        `${text} It was replaced ${maxRotationsPerHour} times within the hour and stays`,
      );
      return;
    }
    this.#rotatedAtMs.push(now());
    this.#isRotating = true;
    this.#log("warn", reason, pid, `${text} A new one takes its place`);
    const replaced = [...this.#processes.values()];
    const isReplaced = await rotate(reason, text);
    this.#isRotating = false;
    for (const each of replaced) each.isReplaced = isReplaced;
    if (!isReplaced) this.#notBeforeMs = now() + rotateAgainAfterMs;
  }

  #judgeReported(): void {
    const { bounds, reportedRssBytes } = this.#options;
    const rssBytes = reportedRssBytes() ?? 0;
    const isOver = bounds.maxAppServerRssBytes > 0 && rssBytes > bounds.maxAppServerRssBytes;
    this.#timesReportedOver = isOver ? this.#timesReportedOver + 1 : 0;
    if (this.#timesReportedOver < readingsOver) return;
    this.#stand("memory", null, `${describeMemory(rssBytes)} It is not this service's to end`);
  }

  #stand(reason: UsageReason, pid: number | null, message: string): void {
    if (this.#standing.has(reason)) return;
    this.#standing.add(reason);
    this.#log("error", reason, pid, message);
  }

  #describe({ usage, idleCpuPercent }: Watched, reason: UsageReason): string {
    if (reason === "memory") return describeMemory(usage?.rssBytes ?? 0);
    const seconds = Math.round(this.#options.bounds.idleCpuWindowMs / 1000);
    return `The app-server used ${Math.round(idleCpuPercent ?? 0)} % of a core for ${seconds} s in which nothing was asked of it.`;
  }

  #log(level: "warn" | "error", reason: UsageReason, pid: number | null, message: string): void {
    const { logger, bounds } = this.#options;
    logger[level]({ event: "app_server.over_bound", reason, pid, ...this.health(), ...bounds }, message);
  }

  #noteUnread(times: number): void {
    if (this.#processes.size === 0) return;
    // One that has just ended cannot be read either.
    this.#unread = times + 1 < readingsOver ? times + 1 : null;
    if (this.#unread !== null) return;
    this.#options.logger.info(
      { event: "app_server.usage_unknown" },
      "memory and CPU of the app-server cannot be read on this machine, and are not watched",
    );
  }
}

function createWatched(): Watched {
  return { usage: null, timesOver: 0, idleFrom: null, idleCpuPercent: null, isReplaced: false };
}

function describeMemory(rssBytes: number): string {
  return `The app-server takes ${Math.round(rssBytes / 1024 / 1024)} MB of memory.`;
}
