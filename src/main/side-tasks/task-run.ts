/** One task on its way through the routes. */
import type { CircuitBreaker, CircuitPermit } from "./circuit-breaker.js";
import { type CircuitEffect, fallThroughTable } from "./fall-through.js";
import type { SideTaskLimits } from "./limits.js";
import type { PreparedTask } from "./prepare-task.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import { CodexNativeApiSideTaskError, isSideTaskErrorCode } from "./side-task-error.js";
import type { TaskTime } from "./task-time.js";
import type { SideTaskResult, SideTaskRouteName, SideTaskTrial } from "./types.js";

interface TaskRunOptions {
  readonly task: PreparedTask;
  readonly time: TaskTime;
  readonly routes: readonly SideTaskRoute[];
  readonly circuitOf: (place: string) => CircuitBreaker;
  readonly limits: SideTaskLimits;
  readonly now: () => number;
  /** Told of each failure that sends the task on. */
  readonly onFallThrough: (trial: SideTaskTrial) => void;
}

/** What a route and the check of its output give. */
type Served = Omit<SideTaskResult, "routesTried" | "route">;

export class TaskRun {
  readonly #options: TaskRunOptions;
  readonly #trials: SideTaskTrial[] = [];
  #lastFailure: RouteFailure | null = null;
  #retryAfterMs: number | null = null;

  constructor(options: TaskRunOptions) {
    this.#options = options;
  }

  async run(): Promise<SideTaskResult> {
    for (const [index, route] of this.#options.routes.entries()) {
      const served = await this.#try(route, index);
      if (served !== null) return { ...served, route: route.name, routesTried: this.#trials };
    }
    throw this.#giveUp();
  }

  /** Null where the next route is to be tried. Throws where none is. */
  async #try(route: SideTaskRoute, index: number): Promise<Served | null> {
    const { task, circuitOf, now, time } = this.#options;
    if (time.stopped !== null) throw this.#end(time.stopped);
    const reason = route.refuse(task);
    if (reason !== null) return this.#skip(route.name, reason);
    const permit = circuitOf(route.placeOf(task)).enter();
    if (permit === null) return this.#skip(route.name, "circuit_open");
    const startedAtMs = now();
    const limitMs = this.#limitOf(route, index);
    const allowedMs = limitMs ?? time.remainingMs;
    try {
      const served = await this.#attempt(route, limitMs, permit);
      this.#note(route.name, "served", null, startedAtMs);
      return served;
    } catch (error) {
      const failure = toFailure(error);
      permit.settle(this.#effectOf(failure, allowedMs), failure.retryAfterMs);
      this.#lastFailure = failure;
      const trial = this.#note(route.name, failure.failure, failure.code, startedAtMs);
      if (!fallThroughTable[failure.failure].next) throw this.#end(failure);
      this.#retryAfterMs = earlier(this.#retryAfterMs, failure.retryAfterMs);
      this.#options.onFallThrough(trial);
      return null;
    }
  }

  async #attempt(route: SideTaskRoute, limitMs: number | null, permit: CircuitPermit): Promise<Served> {
    const { task, time } = this.#options;
    const answer = await time.within(limitMs, (signal) => route.run(task, signal));
    permit.settle("healthy");
    return check(task, answer);
  }

  /** A route keeps some of the time for those behind it, if there are any. */
  #limitOf(route: SideTaskRoute, index: number): number | null {
    const { time, limits, routes, task, circuitOf } = this.#options;
    const hasNext = routes
      .slice(index + 1)
      .some((next) => next.refuse(task) === null && circuitOf(next.placeOf(task)).isPassable);
    const shareMs = hasNext ? Math.ceil(time.remainingMs * limits.routeShare) : null;
    const bounds = [shareMs, route.timeoutMs].filter((bound) => bound !== null);
    return bounds.length === 0 ? null : Math.min(...bounds);
  }

  /** Too little time is the task's fault and not the route's. */
  #effectOf({ failure, code }: RouteFailure, allowedMs: number): CircuitEffect {
    const isOurStop = code === "timeout" || code === "route_timeout";
    const isBlamed = !isOurStop || allowedMs >= this.#options.limits.blamedTimeoutMs;
    return isBlamed ? fallThroughTable[failure].circuit : "none";
  }

  #skip(route: SideTaskRouteName, code: string): null {
    this.#trials.push({ route, outcome: "skipped", code, ms: 0 });
    return null;
  }

  #note(
    route: SideTaskRouteName,
    outcome: SideTaskTrial["outcome"],
    code: string | null,
    startedAtMs: number,
  ): SideTaskTrial {
    const trial = { route, outcome, code, ms: Math.round(this.#options.now() - startedAtMs) };
    this.#trials.push(trial);
    return trial;
  }

  /** Of a failure after which no route is tried. */
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
      ({ outcome, code }) => outcome !== "skipped" || code === "circuit_open",
    );
    const story = this.#trials.map(({ route, outcome, code }) => `${route} ${outcome} (${code})`).join(", ");
    return new CodexNativeApiSideTaskError(
      wasTried ? "routes_exhausted" : "no_route",
      `${wasTried ? "No route served the task" : "No route takes such a task"}: ${story}.`,
      { routesTried: this.#trials, retryAfterMs: this.#retryAfterMs, cause: this.#lastFailure ?? undefined },
    );
  }
}

/** The only output that is ever accepted: after this, no other route is tried. */
function check({ check: checkOutput }: PreparedTask, { outputText, ...rest }: RouteAnswer): Served {
  return { outputText, ...(checkOutput !== null && { output: checkOutput(outputText) }), ...rest };
}

function toFailure(error: unknown): RouteFailure {
  if (error instanceof RouteFailure) return error;
  const message = "The route failed in an unforeseen way.";
  return new RouteFailure("internal", { code: "internal_error", message, cause: error });
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
