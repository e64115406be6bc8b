/** What the supervisor gives to Piscina. */
import type { MessagePort } from "node:worker_threads";

/** First task of every new thread: hands it its control port. Settles at once; the port lives on. */
export interface AttachTask {
  readonly kind: "attach";
  readonly controlPort: MessagePort;
  readonly workerGeneration: number;
  readonly reportIntervalMs: number;
  /** Silence of the app-server after which it is asked whether it lives, in milliseconds. */
  readonly probeIdleMs: number;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly clientVersion: string;
}

/** One turn; settles when the thread is done with it. What to run waits in its port, and the outcome travels there too. */
export interface TurnTask {
  readonly kind: "turn";
  readonly port: MessagePort;
  /** Which generation of a thread this turn was given to. */
  readonly workerGeneration: number;
}

export type WorkerTask = AttachTask | TurnTask;
