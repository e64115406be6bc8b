import type { Transferable } from "node:worker_threads";
import { Piscina, queueOptionsSymbol } from "piscina";
import type { WorkerTask } from "../../../workers/contract/tasks.js";
import { turnWorkerFile } from "../../worker-files.js";

export interface WorkerPoolOptions {
  readonly threads: number;
  /** Turns that may run at once, on all threads together. */
  readonly maxConcurrentTurns: number;
  /** A thread is there and takes tasks. Called for the first threads and for each replacement. */
  readonly onThread: (threadId: number) => void;
  /** A thread died with no task on it. */
  readonly onError: (error: Error) => void;
}

class Pin {
  constructor(readonly threadId: number) {}
}

/** The only importer of Piscina. Threads are named by their id, and each task goes to the thread it was made for. */
export class WorkerPool {
  readonly #pool: Piscina<WorkerTask, void>;

  constructor(options: WorkerPoolOptions) {
    this.#pool = new Piscina<WorkerTask, void>({
      filename: turnWorkerFile.href,
      minThreads: options.threads,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A turn waits on the network: one thread may carry them all. One more place is for the attach task.
      concurrentTasksPerWorker: options.maxConcurrentTurns + 1,
      maxQueue: options.maxConcurrentTurns + options.threads,
      // Otherwise an idle thread sleeps in Atomics.wait and its connection to Codex with it.
      atomics: "disabled",
      // A worker is plain JavaScript that reads no environment: the host's loaders would only slow its start, and the host's
      // secrets have no business there.
      execArgv: [],
      env: {},
      recordTiming: false,
      trackUnmanagedFds: true,
      closeTimeout: 5000,
      loadBalancer: (task, workers) => {
        const pin = task[queueOptionsSymbol];
        const wanted = pin instanceof Pin ? pin.threadId : null;
        // A task whose thread has died meanwhile goes to another, which sees that it is not meant and says so. Queued here, it
        // would wait for ever.
        return workers.find((worker) => worker.id === wanted) ?? workers[0] ?? null;
      },
    });
    // Piscina tells of a replacement a moment before it gives that any task: an attach task would go to another thread.
    this.#pool.on("workerCreate", ({ id }: { readonly id: number }) =>
      queueMicrotask(() => options.onThread(id)),
    );
    this.#pool.on("error", options.onError);
  }

  /** How many threads are alive. */
  get size(): number {
    return this.#pool.threads.length;
  }

  /** Settles when the thread is done with the task; rejects when the thread died first. */
  run(threadId: number, task: WorkerTask, transferList: Transferable[]): Promise<void> {
    const pinned = { ...task, [queueOptionsSymbol]: new Pin(threadId) };
    return this.#pool.run(pinned, { transferList });
  }

  /** Ends one thread at once; Piscina puts another in its place. */
  async terminate(threadId: number): Promise<void> {
    await this.#pool.threads.find((thread) => thread.threadId === threadId)?.terminate();
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
