/** Second choice: a turn on the runtime that the host has in its own process. */
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnResult, JsonObject, NativeTurnRuntime } from "../runtime/types.js";
import { failureOfCode } from "./fall-through.js";
import { collectText, cutShort, readAnswer } from "./output-text.js";
import type { PreparedTask } from "./prepare-task.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import type { SideTaskSkipReason } from "./types.js";

/** What the route needs of a runtime. */
export type SideTaskRuntime = Pick<NativeTurnRuntime, "runIsolatedTurn">;

/** Side tasks queue as one caller, beside whoever else uses the runtime. */
const caller = "side-tasks";

export class DirectRoute implements SideTaskRoute {
  readonly name = "direct_native";
  readonly timeoutMs = null;
  readonly #runtime: SideTaskRuntime | null;

  constructor(runtime: SideTaskRuntime | null) {
    this.#runtime = runtime;
  }

  refuse(): SideTaskSkipReason | null {
    return this.#runtime === null ? "not_configured" : null;
  }

  placeOf(): string {
    return this.name;
  }

  async run(task: PreparedTask, signal: AbortSignal): Promise<RouteAnswer> {
    if (this.#runtime === null) throw new Error("The direct route has no runtime.");
    const items: JsonObject[] = [];
    let result: IsolatedTurnResult;
    try {
      result = await this.#runtime.runIsolatedTurn(
        { ...task.turn, caller, followed: false },
        {
          signal,
          onEvent: (event) => {
            if (event.type === "item.completed") items.push(event.item);
          },
        },
      );
    } catch (error) {
      throw toRouteFailure(error);
    }
    return readResult(result, items);
  }
}

function readResult(result: IsolatedTurnResult, items: readonly JsonObject[]): RouteAnswer {
  const { outcome, target, threadId, turnId } = result;
  switch (outcome.status) {
    case "completed":
      return {
        outputText: readAnswer(items),
        responseId: null,
        usage: result.usage,
        model: result.model,
        native: { ...target, threadId, turnId },
      };
    case "incomplete":
      throw cutShort(outcome.reason, collectText(items));
    case "cancelled":
      throw new RouteFailure("connection_lost", {
        code: "turn_cancelled",
        message: "The turn was cancelled.",
      });
    case "parked":
    case "handed_over":
      // It was given no tools, so it cannot wait for one.
      throw new RouteFailure("internal", { code: "internal_error", message: "The turn waits for a tool." });
  }
}

function toRouteFailure(error: unknown): RouteFailure {
  if (!(error instanceof CodexNativeApiError)) {
    return new RouteFailure("internal", {
      code: "internal_error",
      message: "The runtime failed in an unforeseen way.",
      cause: error,
    });
  }
  const { code, message, retryAfterMs, param } = error;
  return new RouteFailure(failureOfCode[code], { code, message, retryAfterMs, param, cause: error });
}
