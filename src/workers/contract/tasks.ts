/** What the supervisor gives to Piscina. */
import type { MessagePort } from "node:worker_threads";
import type { TurnAssignment } from "./turn.js";

/** First task of every new thread: hands it its control port. Settles at once; the port lives on. */
export interface AttachTask {
  readonly kind: "attach";
  readonly controlPort: MessagePort;
  readonly workerGeneration: number;
  readonly reportIntervalMs: number;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly clientVersion: string;
}

/** One turn; settles when the thread is done with it. The turn's outcome travels on its port. */
export interface TurnTask {
  readonly kind: "turn";
  readonly port: MessagePort;
  /** Which generation of a thread this turn was given to. */
  readonly workerGeneration: number;
  readonly assignment: TurnAssignment;
}

export type WorkerTask = AttachTask | TurnTask;
