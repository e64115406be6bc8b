/** One task on its way through the routes. */
import type { CircuitBreaker } from "./circuit-breaker.js";
import { type ExternalReason, reasonOfFailure } from "./external-reasons.js";
import { type CircuitEffect, fallThroughTable } from "./fall-through.js";
import type { SideTaskLimits } from "./limits.js";
import type { PreparedTask } from "./prepare-task.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import { CodexNativeApiSideTaskError, isSideTaskErrorCode } from "./side-task-error.js";
import type { TaskTime } from "./task-time.js";
import type {
  ExternalProvider,
  SideTaskRouteName,
  SideTaskServed,
  SideTaskSkipReason,
  SideTaskTrial,
} from "./types.js";
import type { UsedUpPlans } from "./used-up-plans.js";

interface TaskRunOptions<Reading> {
  readonly task: PreparedTask;
  /** Makes the task's result of what a route answered. Throws a `RouteFailure` for a reply that cannot be one. */
  readonly read: (reply: RouteAnswer["reply"]) => Reading | Promise<Reading>;
  readonly time: TaskTime;
  readonly routes: readonly SideTaskRoute[];
  readonly circuitOf: (place: string) => CircuitBreaker;
  readonly plans: UsedUpPlans;
  readonly limits: SideTaskLimits;
  readonly now: () => number;
  /** Called as each route's try ends, and for each route that is skipped. */
  readonly onTried: (trial: SideTaskTrial) => void;
  /** Called with each failure after which the next route is tried. */
  readonly onFallThrough: (trial: SideTaskTrial) => void;
  /** Called before the task leaves this machine, with the reasons. */
  readonly onSend: (provider: ExternalProvider, reasons: readonly ExternalReason[]) => void;
}

export class TaskRun<Reading> {
  readonly #options: TaskRunOptions<Reading>;
  readonly #trials: SideTaskTrial[] = [];
  /** Why the native routes that were tried failed, now or when they opened their circuits. */
  readonly #reasons = new Set<ExternalReason>();
  /** Whether a native route takes no such task. Counts only where no other was tried. */
  #isIneligible = false;
  #lastFailure: RouteFailure | null = null;
  #retryAfterMs: number | null = null;

  constructor(options: TaskRunOptions<Reading>) {
    this.#options = options;
  }

  async run(): Promise<Reading & SideTaskServed> {
    for (const route of this.#options.routes) {
      const served = await this.#try(route);
      if (served !== null) return served;
    }
    throw this.#giveUp();
  }

  /** Null where the next route is to be tried. Throws where none is. */
  async #try(route: SideTaskRoute): Promise<(Reading & SideTaskServed) | null> {
    const { task, circuitOf, now, time, onFallThrough } = this.#options;
    const { name } = route;
    if (time.stopped !== null) throw this.#end(time.stopped);
    const refusal = route.refuse(task) ?? this.#refusePlan(route);
    const circuit = refusal === null ? circuitOf(route.placeOf(task)) : null;
    const reasons = name === "external_provider" ? this.#reasonsToSend() : null;
    const mayEnter = reasons === null || reasons.every((reason) => task.sentWhen.includes(reason));
    const permit = mayEnter ? (circuit?.enter() ?? null) : null;
    if (permit === null) {
      this.#skip(name, refusal ?? (mayEnter ? "circuit_open" : "not_allowed"), circuit);
      return null;
    }
    if (reasons !== null && task.external !== null) this.#options.onSend(task.external, reasons);
    const startedAtMs = now();
    const accountId = route.accountOf?.() ?? null;
    const note = (outcome: SideTaskTrial["outcome"], code: string | null): SideTaskTrial => {
      const trial = { route: name, outcome, code, ms: Math.round(now() - startedAtMs) };
      this.#record(trial);
      return trial;
    };
    const limitMs = this.#limitOf(route);
    const allowedMs = limitMs ?? time.remainingMs;
    try {
      const { reply, native, ...answer } = await time.within(limitMs, (signal) => route.run(task, signal));
      permit.settle("healthy");
      this.#options.plans.noteServed(name, native?.accountId ?? null);
      // This is the last word: whether it passes or throws, no other route is tried.
      const reading = await this.#options.read(reply);
      note("served", null);
      return {
        ...reading,
        ...answer,
        native: native === null ? null : { ...native, ...task.repeated },
        route: name,
        routesTried: this.#trials,
      };
    } catch (error) {
      const failure = toFailure(error);
      const reason = reasonOfFailure(failure.failure, failure.code, failure.retryAfterMs);
      permit.settle(this.#effectOf(failure, allowedMs), failure.retryAfterMs, reason);
      if (reason !== null) this.#reasons.add(reason);
      // Whose plan it was is known only if no other account has logged in meanwhile.
      const isSame = (route.accountOf?.() ?? null) === accountId;
      if (failure.failure === "usage_limit" && name !== "external_provider" && isSame)
        this.#options.plans.noteUsedUp(name, accountId, failure.retryAfterMs);
      this.#lastFailure = failure;
      const trial = note(failure.failure, failure.code);
      if (!fallThroughTable[failure.failure].next) throw this.#end(failure);
      const waits = [this.#retryAfterMs, failure.retryAfterMs].filter((waitMs) => waitMs !== null);
      this.#retryAfterMs = waits.length === 0 ? null : Math.min(...waits);
      onFallThrough(trial);
      return null;
    }
  }

  #record(trial: SideTaskTrial): void {
    this.#trials.push(trial);
    this.#options.onTried(trial);
  }

  #skip(route: SideTaskRouteName, code: SideTaskSkipReason, circuit: CircuitBreaker | null): void {
    this.#record({ route, outcome: "skipped", code, ms: 0 });
    if (code === "circuit_open") for (const reason of circuit?.reasons ?? []) this.#reasons.add(reason);
    else if (code === "plan_used_up") this.#reasons.add("usage_limit");
    else if (code === "service_stopped") this.#reasons.add("unreachable");
    else if (code === "class_not_eligible" || code === "provider_not_native") this.#isIneligible = true;
  }

  #refusePlan({ name, accountOf }: SideTaskRoute): "plan_used_up" | null {
    const isUsedUp =
      name !== "external_provider" && this.#options.plans.isUsedUp(name, accountOf?.() ?? null);
    return isUsedUp ? "plan_used_up" : null;
  }

  #reasonsToSend(): readonly ExternalReason[] {
    if (this.#reasons.size > 0) return [...this.#reasons];
    return [this.#isIneligible ? "not_eligible" : "no_native_route"];
  }

  /** A route leaves some of the time to those behind it, if any can take the task after a timeout. */
  #limitOf(route: SideTaskRoute): number | null {
    const { time, limits, routes, task, circuitOf } = this.#options;
    const hasNext = routes
      .slice(routes.indexOf(route) + 1)
      .some(
        (next) =>
          next.refuse(task) === null &&
          this.#refusePlan(next) === null &&
          circuitOf(next.placeOf(task)).isPassable &&
          (next.name !== "external_provider" || task.sentWhen.includes("route_timeout")),
      );
    const shareMs = hasNext ? Math.ceil(time.remainingMs * limits.routeShare) : null;
    const bounds = [shareMs, route.timeoutMs].filter((bound) => bound !== null);
    return bounds.length === 0 ? null : Math.min(...bounds);
  }

  /** With too little time the task is at fault, not the route. */
  #effectOf({ failure, code }: RouteFailure, allowedMs: number): CircuitEffect {
    // A service from before decisions is as good as ever for other tasks.
    if (this.#options.task.asked !== null && code === "route_not_found") return "none";
    const isOurStop = code === "timeout" || code === "route_timeout";
    const isBlamed = !isOurStop || allowedMs >= this.#options.limits.blamedTimeoutMs;
    return isBlamed ? fallThroughTable[failure].circuit : "none";
  }

  /** The error after a failure that ends the task. */
  #end(failure: RouteFailure): CodexNativeApiSideTaskError {
    const code = isSideTaskErrorCode(failure.failure) ? failure.failure : "routes_exhausted";
    return new CodexNativeApiSideTaskError(code, failure.message, {
      routesTried: this.#trials,
      param: failure.param,
      outputText: failure.outputText,
      retryAfterMs: failure.retryAfterMs,
      cause: failure.cause ?? failure,
    });
  }

  #giveUp(): CodexNativeApiSideTaskError {
    const wasTried = this.#trials.some(
      ({ outcome, code }) => outcome !== "skipped" || (code !== null && passing.has(code)),
    );
    const story = this.#trials.map(({ route, outcome, code }) => `${route} ${outcome} (${code})`).join(", ");
    return new CodexNativeApiSideTaskError(
      wasTried ? "routes_exhausted" : "no_route",
      `${wasTried ? "Every route failed" : "No route may take the task"}: ${story}.`,
      { routesTried: this.#trials, retryAfterMs: this.#retryAfterMs, cause: this.#lastFailure ?? undefined },
    );
  }
}

/** Reasons to skip a route that pass with time. */
const passing: ReadonlySet<string> = new Set<SideTaskSkipReason>([
  "circuit_open",
  "plan_used_up",
  "service_stopped",
]);

function toFailure(error: unknown): RouteFailure {
  if (error instanceof RouteFailure) return error;
  const message = "The route failed with an unexpected error.";
  return new RouteFailure("internal", { code: "internal_error", message, cause: error });
}
