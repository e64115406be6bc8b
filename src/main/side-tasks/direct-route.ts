/** Second choice: a turn on the runtime that the host has in its own process. */
import { withDecisionModel } from "../dialects/decisions/name-model.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnResult, JsonObject, NativeTurnRuntime } from "../runtime/types.js";
import { failureOfCode } from "./fall-through.js";
import { collectText, cutShort, readReply } from "./output-text.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";

/**
 * What the route needs of a runtime. `health` names the account, so that a used-up plan is known before a task is tried; `resolveModel` the
 * model of decisions.
 */
export type SideTaskRuntime = Pick<NativeTurnRuntime, "runIsolatedTurn"> &
  Partial<Pick<NativeTurnRuntime, "health" | "resolveModel">>;

/** A service in the host's process, such as a `CodexNativeApiService`. */
export interface SideTaskService {
  /** Of the present run; null while the service does not run. */
  readonly runtime: SideTaskRuntime | null;
}

/** Side tasks queue as one caller, beside every other user of the runtime. */
const caller = "side-tasks";

/** `host` is null where the host gave neither a runtime nor a service. */
export function makeDirectRoute(
  host: { readonly runtime: SideTaskRuntime } | { readonly service: SideTaskService } | null,
): SideTaskRoute {
  const current = (): SideTaskRuntime | null => {
    if (host === null) return null;
    return "service" in host ? host.service.runtime : host.runtime;
  };
  const runs = new RunNumbers();
  return {
    name: "direct_native",
    timeoutMs: null,
    refuse: () => {
      if (host === null) return "not_configured";
      return current() === null ? "service_stopped" : null;
    },
    placeOf: () => {
      const runtime = current();
      // Each run of a service is a place of its own: what failed in the last one says nothing of this one.
      const run = runtime === null ? 0 : runs.of(runtime);
      return run <= 1 ? "direct_native" : `direct_native run ${run}`;
    },
    accountOf: () => {
      try {
        return current()?.health?.().account?.id ?? null;
      } catch {
        // A runtime of the host's own that cannot say: so the account is unknown, which ends no task.
        return null;
      }
    },
    run: async (task, signal) => {
      const runtime = current();
      if (runtime === null) {
        const message = "The service of this process is not running.";
        throw new RouteFailure("unhealthy", { code: "native_runtime_unavailable", message });
      }
      const items: JsonObject[] = [];
      let result: IsolatedTurnResult;
      try {
        const named = task.asked === null ? task.turn : await withDecisionModel(task.turn, runtime);
        const request = { ...named, caller, followed: false };
        result = await runtime.runIsolatedTurn(request, {
          signal,
          onEvent: (event) => {
            if (event.type === "item.completed") items.push(event.item);
          },
        });
      } catch (error) {
        throw toRouteFailure(error);
      }
      return readResult(result, items);
    },
  };
}

/** 1 for the first runtime that was seen, 2 for the next. */
class RunNumbers {
  #last: WeakRef<SideTaskRuntime> | null = null;
  #number = 0;

  of(runtime: SideTaskRuntime): number {
    if (this.#last?.deref() !== runtime) {
      this.#last = new WeakRef(runtime);
      this.#number += 1;
    }
    return this.#number;
  }
}

function readResult(result: IsolatedTurnResult, items: readonly JsonObject[]): RouteAnswer {
  const { outcome, target, threadId, turnId, usage, model } = result;
  switch (outcome.status) {
    case "completed":
      return {
        reply: readReply(items),
        responseId: null,
        usage,
        model,
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
      // A side task's turn gets no tools, so it has none to wait for.
      throw new RouteFailure("internal", { code: "internal_error", message: "The turn waits for a tool." });
  }
}

function toRouteFailure(error: unknown): RouteFailure {
  if (error instanceof CodexNativeApiError) {
    const { code, message, retryAfterMs, param } = error;
    return new RouteFailure(failureOfCode[code], { code, message, retryAfterMs, param, cause: error });
  }
  const message = "The runtime failed with an unexpected error.";
  return new RouteFailure("internal", { code: "internal_error", message, cause: error });
}
