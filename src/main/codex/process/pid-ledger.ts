import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { removeTree, writePrivateFile } from "../home/private-files.js";
import { isStillRunning, type ProcessIdentity, readProcessIdentity } from "./process-identity.js";
import { signalProcess, waitUntilGone } from "./process-signals.js";

export interface ReapedProcess {
  readonly pid: number;
  readonly outcome:
    | "terminated"
    | "killed"
    | "already_gone"
    /** The pid now belongs to another process, which was left alone. */
    | "recycled_pid"
    | "still_alive";
}

export interface PidLedgerOptions {
  readonly directory: string;
  /** How long to wait for an orphan to end after SIGTERM, and again after SIGKILL. */
  readonly stopStepMs: number;
}

const identitySchema = z.object({ pid: z.int().positive(), startedAt: z.string().min(1) });
const entrySchema = z.object({ process: identitySchema, supervisor: identitySchema });

/** Records on disk, one file each, which processes this service started, so that the next start can end orphans. */
export class PidLedger {
  readonly #options: PidLedgerOptions;
  readonly #writing = new Map<number, Promise<void>>();
  #supervisor: Promise<ProcessIdentity | null> | null = null;

  constructor(options: PidLedgerOptions) {
    this.#options = options;
  }

  /** Writes the entry of a process. Does nothing if the process has already ended. */
  async record(pid: number): Promise<void> {
    const writing = this.#write(pid);
    this.#writing.set(pid, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(pid) === writing) this.#writing.delete(pid);
    }
  }

  async forget(pid: number): Promise<void> {
    // A process may end while its entry is being written; wait, so that the entry does not appear after this removal.
    await this.#writing.get(pid)?.catch(() => undefined);
    await rm(this.#pathOf(pid), { force: true });
  }

  /** Kills a recorded process with its group and removes its entry. Kills nothing if it has ended or its pid was reused. */
  async kill(pid: number): Promise<void> {
    const entry = await readEntry(this.#pathOf(pid));
    if (entry !== null && (await isStillRunning(entry.process))) {
      signalProcess(pid, "SIGKILL", { group: true });
      await waitUntilGone(entry.process, this.#options.stopStepMs);
    }
    await this.forget(pid);
  }

  /**
   * Ends the recorded processes whose supervisor is dead, and removes their entries. Never signals a process that only has a
   * recorded process's pid. Removes damaged files, since they identify no process.
   */
  async reapOrphans(): Promise<readonly ReapedProcess[]> {
    const names = await readdir(this.#options.directory).catch(() => []);
    const reaped = await Promise.all(names.map((name) => this.#reap(join(this.#options.directory, name))));
    return reaped.filter((one) => one !== null);
  }

  async #write(pid: number): Promise<void> {
    this.#supervisor ??= readProcessIdentity(process.pid);
    const [recorded, supervisor] = await Promise.all([readProcessIdentity(pid), this.#supervisor]);
    if (recorded === null || supervisor === null) return;
    await writePrivateFile(this.#pathOf(pid), JSON.stringify({ process: recorded, supervisor }));
  }

  async #reap(path: string): Promise<ReapedProcess | null> {
    const entry = await readEntry(path);
    if (entry === null) {
      await removeTree(path);
      return null;
    }
    if (await isStillRunning(entry.supervisor)) return null;
    const outcome = await this.#end(entry.process);
    if (outcome !== "still_alive") await rm(path, { force: true });
    return { pid: entry.process.pid, outcome };
  }

  async #end(recorded: ProcessIdentity): Promise<ReapedProcess["outcome"]> {
    const { stopStepMs } = this.#options;
    const running = await readProcessIdentity(recorded.pid);
    if (running === null) return "already_gone";
    if (running.startedAt !== recorded.startedAt) return "recycled_pid";
    signalProcess(recorded.pid, "SIGTERM");
    if (await waitUntilGone(recorded, stopStepMs)) return "terminated";
    // `waitUntilGone` has just confirmed that the pid still belongs to the recorded process.
    signalProcess(recorded.pid, "SIGKILL", { group: true });
    return (await waitUntilGone(recorded, stopStepMs)) ? "killed" : "still_alive";
  }

  #pathOf(pid: number): string {
    return join(this.#options.directory, `${pid}.json`);
  }
}

async function readEntry(path: string): Promise<z.infer<typeof entrySchema> | null> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // The write was cut short, or somebody edited the file.
    return null;
  }
}
