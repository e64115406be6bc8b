import type { TokenUsage } from "../runtime/types.js";
import type { PreparedTask } from "./prepare-task.js";
import type { SideTaskRouteName, SideTaskSkipReason, SideTaskTarget } from "./types.js";

export interface RouteAnswer {
  readonly outputText: string;
  readonly responseId: string | null;
  readonly usage: TokenUsage | null;
  readonly model: string;
  readonly native: SideTaskTarget | null;
}

/** One way to have a task run. */
export interface SideTaskRoute {
  readonly name: SideTaskRouteName;
  /** Longest time a task may spend here, in milliseconds; null sets no bound beside the task's own. */
  readonly timeoutMs: number | null;
  /** Why this task cannot go this way; null if it can. */
  refuse(task: PreparedTask): SideTaskSkipReason | null;
  /** Names where the task would go: what is dead there is dead for all tasks that go there. */
  placeOf(task: PreparedTask): string;
  /** Rejects with a `RouteFailure`. An aborted signal gives the task up; nobody listens from then on. */
  run(task: PreparedTask, signal: AbortSignal): Promise<RouteAnswer>;
}
