/**
 * The Piscina handler, one per worker. It must not throw while it loads: Piscina would then have no workers, and its runs would never
 * settle.
 */
import type { WorkerTask } from "./contract/control-messages.js";
import { refuseTurn, WorkerThread } from "./worker-thread.js";

let thread: WorkerThread | null = null;

export default async function handleTask(task: WorkerTask): Promise<void> {
  switch (task.kind) {
    case "attach":
      // Meant for a worker that died meanwhile: the closed port informs its slot.
      if (thread !== null) return task.controlPort.close();
      thread = new WorkerThread(task);
      return thread.start();
    case "turn":
      return thread === null ? refuseTurn(task.port) : thread.runTurn(task);
  }
}
