import type { Transferable } from "node:worker_threads";
import { Piscina, queueOptionsSymbol } from "piscina";
import type { WorkerTask } from "../../../workers/contract/control-messages.js";
import { bareThread, turnWorkerFile } from "../../worker-files.js";

export interface WorkerPoolOptions {
  readonly workers: number;
  /** How many turns may run at once on all workers together. */
  readonly maxConcurrentTurns: number;
  /** Called when a worker has started and takes tasks: for each of the first workers and for each replacement. */
  readonly onWorker: (threadId: number) => void;
  /** Called when a worker dies with no task on it. */
  readonly onError: (error: Error) => void;
}

class Pin {
  constructor(readonly threadId: number) {}
}

/**
 * The worker threads. Each task is pinned to one worker by its `threadId`, the id that Node gives an operating-system thread.
 * No other file imports Piscina.
 */
export class WorkerPool {
  readonly #pool: Piscina<WorkerTask, void>;

  constructor(options: WorkerPoolOptions) {
    this.#pool = new Piscina<WorkerTask, void>({
      filename: turnWorkerFile.href,
      minThreads: options.workers,
      maxThreads: options.workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A turn mostly waits for the network, so one worker may run all of them. One more place is for the attach task.
      concurrentTasksPerWorker: options.maxConcurrentTurns + 1,
      maxQueue: options.maxConcurrentTurns + options.workers,
      // Otherwise an idle worker blocks in Atomics.wait, and its connection to Codex stops too.
      atomics: "disabled",
      ...bareThread,
      recordTiming: false,
      trackUnmanagedFds: true,
      closeTimeout: 5000,
      loadBalancer: (task, workers) => {
        const pin = task[queueOptionsSymbol];
        const wanted = pin instanceof Pin ? pin.threadId : null;
        // If the pinned worker has died, give its task to another one, which rejects it. In the queue it would wait forever.
        return workers.find((worker) => worker.id === wanted) ?? workers[0] ?? null;
      },
    });
    // Piscina announces a worker just before it can give it tasks, so an attach task sent at once would go to another worker.
    this.#pool.on("workerCreate", ({ id }: { readonly id: number }) =>
      queueMicrotask(() => options.onWorker(id)),
    );
    this.#pool.on("error", options.onError);
  }

  /** How many workers are alive. */
  get size(): number {
    return this.#pool.threads.length;
  }

  /** Resolves when the worker has finished the task; rejects if the worker dies first. */
  run(threadId: number, task: WorkerTask, transferList: Transferable[]): Promise<void> {
    const pinned = { ...task, [queueOptionsSymbol]: new Pin(threadId) };
    return this.#pool.run(pinned, { transferList });
  }

  /** Ends one worker at once; Piscina starts another in its place. */
  async terminate(threadId: number): Promise<void> {
    await this.#pool.threads.find((thread) => thread.threadId === threadId)?.terminate();
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
