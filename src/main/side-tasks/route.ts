import type { DecisionAnswer } from "../dialects/decisions/decision-types.js";
import type { TokenUsage } from "../runtime/types.js";
import type { OutputCheck } from "./output-schema.js";
import { type ModelReply, refusedByModel, uncheckable } from "./output-text.js";
import type { PreparedTask } from "./prepare-task.js";
import { RouteFailure } from "./route-failure.js";
import type { TaskTime } from "./task-time.js";
import type { SideTaskResult, SideTaskRouteName, SideTaskSkipReason, SideTaskTarget } from "./types.js";

/** What was made of a model's reply to a decision. */
export interface DecisionReading {
  readonly answers: readonly DecisionAnswer[];
  readonly method: string;
}

export interface RouteAnswer {
  /** The service reads a decision itself; every other route gives the model's reply. */
  readonly reply: ModelReply | DecisionReading;
  readonly responseId: string | null;
  readonly usage: TokenUsage | null;
  readonly model: string;
  readonly native: SideTaskTarget | null;
}

/** One way to run a task. */
export interface SideTaskRoute {
  readonly name: SideTaskRouteName;
  /** Longest time a task may spend here, in milliseconds; null: as long as the task has. */
  readonly timeoutMs: number | null;
  /** Why this route cannot take the task; null if it can. */
  readonly refuse: (task: PreparedTask) => SideTaskSkipReason | null;
  /** Names where the route sends the task. All tasks that go to one place share its circuit. */
  readonly placeOf: (task: PreparedTask) => string;
  /** The Codex account that a task would run under; null where the route does not know. Default: unknown. */
  readonly accountOf?: () => string | null;
  /** Rejects with a `RouteFailure`. Once the signal aborts, the router ignores the result. */
  readonly run: (task: PreparedTask, signal: AbortSignal) => Promise<RouteAnswer>;
}

interface TextReading {
  /** Null where the task asks for text. */
  readonly check: OutputCheck | null;
  /** The task's, which bounds the check too. */
  readonly time: TaskTime;
}

/**
 * The result of a task that asks for a text, or for JSON by a schema.
 *
 * @throws RouteFailure `content_policy` for a refusal, `bad_output` for a reply that does not pass the check.
 */
export async function readText(
  reply: RouteAnswer["reply"],
  { check, time }: TextReading,
): Promise<Pick<SideTaskResult, "outputText" | "output">> {
  if ("answers" in reply) throw new Error("A task that asks no questions got a decision.");
  const { text: outputText, isRefusal } = reply;
  if (isRefusal) throw refusedByModel(outputText);
  if (check === null) return { outputText };
  return time.within(null, async () => {
    try {
      return { outputText, output: await check(outputText) };
    } catch (error) {
      throw error instanceof RouteFailure ? error : uncheckable(outputText, error);
    }
  });
}
