import type { Logger } from "pino";
import type { PidLedger } from "./app-server/pid-ledger.js";

/**
 * The app-servers that workers spawn themselves (`stdio`). They end with their worker's end of stdin; the ledger is for a
 * service that is killed together with its workers while a child hangs.
 */
export class WorkerChildren {
  readonly #ledger: PidLedger;
  readonly #logger: Logger;
  readonly #pids = new Map<string, number>();
  readonly #writing = new Set<Promise<void>>();

  constructor(ledger: PidLedger, logger: Logger) {
    this.#ledger = ledger;
    this.#logger = logger;
  }

  /** `null` when the worker's child is gone. */
  set(workerId: string, pid: number | null): void {
    const former = this.#pids.get(workerId);
    if (former !== undefined) this.#write(this.#ledger.forget(former));
    this.#pids.delete(workerId);
    if (pid === null) return;
    this.#pids.set(workerId, pid);
    this.#logger.info({ event: "app_server.started", worker: workerId, pid }, "app-server started");
    this.#write(this.#ledger.record(pid));
  }

  /** Ends those that are left of workers which are gone: one that hangs does not see the end of its stdin. */
  async endAll(): Promise<void> {
    const pids = [...this.#pids.values()];
    this.#pids.clear();
    await Promise.all([...this.#writing]);
    await Promise.all(pids.map((pid) => this.#ledger.kill(pid)));
  }

  #write(written: Promise<void>): void {
    const done = written
      .catch((error: unknown) => {
        this.#logger.warn(
          { event: "pid_ledger.failed", err: error },
          "could not write down which app-servers run",
        );
      })
      .finally(() => this.#writing.delete(done));
    this.#writing.add(done);
  }
}
