/**
 * The Piscina handler: one per thread. It must not throw while it loads, since Piscina would then be left without threads
 * and with runs that never settle.
 */
import type { WorkerTask } from "./contract/tasks.js";
import { refuseTurn, WorkerThread } from "./worker-thread.js";

let thread: WorkerThread | null = null;

export default async function handleTask(task: WorkerTask): Promise<void> {
  switch (task.kind) {
    case "attach":
      // Meant for a thread that died meanwhile: its slot learns by the closed port.
      if (thread !== null) return task.controlPort.close();
      thread = new WorkerThread(task);
      return thread.start();
    case "turn":
      return thread === null ? refuseTurn(task.port) : thread.runTurn(task);
  }
}
