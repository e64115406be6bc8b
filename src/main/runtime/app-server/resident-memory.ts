import { readFile } from "node:fs/promises";

const sampleIntervalMs = 1_000;

/** The resident memory of a process for health reports: read without waiting, sampled in the background when read. */
export class ResidentMemory {
  readonly #now: () => number;
  #pid: number | null = null;
  #bytes: number | null = null;
  #sampledAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The last sample; null before the first of this process, and where the system has no cheap answer. */
  read(pid: number | null): number | null {
    if (pid === null) return null;
    if (pid !== this.#pid) {
      this.#pid = pid;
      this.#bytes = null;
      this.#sampledAtMs = Number.NEGATIVE_INFINITY;
    }
    if (this.#now() - this.#sampledAtMs >= sampleIntervalMs) {
      this.#sampledAtMs = this.#now();
      void this.#sample(pid);
    }
    return this.#bytes;
  }

  async #sample(pid: number): Promise<void> {
    const bytes = await readResidentBytes(pid);
    if (pid === this.#pid) this.#bytes = bytes;
  }
}

/** Null where the system has no cheap answer, or the process is gone. */
export async function readResidentBytes(pid: number): Promise<number | null> {
  if (process.platform !== "linux") return null;
  // `status` and not `statm`: it counts in kB and not in pages, whose size Node does not tell.
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
