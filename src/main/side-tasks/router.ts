import { setMaxListeners } from "node:events";
import type { Logger } from "pino";
import { findProviderFault, parseLocalApiUrl } from "./addresses.js";
import { type CircuitState, Circuits } from "./circuit-breaker.js";
import { DirectRoute, type SideTaskRuntime } from "./direct-route.js";
import { ExternalRoute } from "./external-route.js";
import { HttpClient } from "./http-client.js";
import { defaultSideTaskLimits, httpLimits, maxCircuits, maxSchemas, type SideTaskLimits } from "./limits.js";
import { LocalApiRoute } from "./local-api-route.js";
import { OutputSchemas } from "./output-schema.js";
import { type PreparedTask, prepareTask, type TaskDefaults } from "./prepare-task.js";
import type { SideTaskRoute } from "./route.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import { resolveTaskClasses, type SideTaskClassOverrides } from "./task-classes.js";
import { TaskRun } from "./task-run.js";
import { TaskTime } from "./task-time.js";
import type { SideTaskRequest, SideTaskResult, SideTaskSettings } from "./types.js";

/** Routes and bounds of a `CodexNativeApiSideTaskRouter`. */
export interface CodexNativeApiSideTaskRouterOptions {
  /** As `readSideTaskSettings` reads it; a null in it switches a route off. */
  readonly settings: SideTaskSettings;
  /** For the direct route: the host's own runtime, which the host starts and closes. Default: none. */
  readonly runtime?: SideTaskRuntime;
  /** Changes to what each class of task is given. */
  readonly taskClasses?: SideTaskClassOverrides;
  readonly limits?: Partial<SideTaskLimits>;
  readonly logger?: Logger;
  /** Monotonic, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

type RouterState = "open" | "closing" | "closed";

/**
 * Runs the side tasks of a host program on the first route that can: the service on loopback, a runtime in the host's own
 * process, an external provider. Has no part in any thread of the host's.
 */
export class CodexNativeApiSideTaskRouter {
  readonly #defaults: TaskDefaults;
  readonly #limits: SideTaskLimits;
  readonly #logger: Logger | null;
  readonly #now: () => number;
  readonly #http: HttpClient;
  readonly #circuits: Circuits;
  readonly #routes: readonly SideTaskRoute[];
  readonly #shutdown = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #state: RouterState = "open";
  #closing: Promise<void> | null = null;

  /** Throws `bad_request` for settings, made by hand, that would send a token or key where it does not belong. */
  constructor(options: CodexNativeApiSideTaskRouterOptions) {
    const { settings, runtime = null, taskClasses = {} } = options;
    refuseUnsafe(settings);
    const limits = { ...defaultSideTaskLimits, ...options.limits };
    this.#limits = limits;
    // One for each task under way is no leak.
    setMaxListeners(limits.maxConcurrentTasks, this.#shutdown.signal);
    this.#logger = options.logger ?? null;
    this.#now = options.now ?? (() => performance.now());
    this.#defaults = {
      classes: resolveTaskClasses(taskClasses),
      external: settings.external,
      schemas: new OutputSchemas(maxSchemas),
    };
    this.#http = new HttpClient({ ...httpLimits, maxConnections: limits.maxConcurrentTasks });
    this.#circuits = new Circuits(
      {
        failureThreshold: limits.circuitFailures,
        openMs: limits.circuitOpenMs,
        maxOpenMs: limits.circuitMaxOpenMs,
        now: this.#now,
      },
      maxCircuits,
    );
    this.#routes = [
      new LocalApiRoute(settings.localApi, this.#http),
      new DirectRoute(runtime),
      new ExternalRoute(this.#http),
    ];
  }

  /** Tasks under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether tasks pass to each place that was tried so far: `localhost_api http://127.0.0.1:43182` → `closed`. */
  circuits(): Readonly<Record<string, CircuitState>> {
    return this.#circuits.states();
  }

  /** Runs one task. Rejects with a `CodexNativeApiSideTaskError`, which tells what every route said. */
  async execute(request: SideTaskRequest): Promise<SideTaskResult> {
    if (this.#state !== "open") throw new CodexNativeApiSideTaskError("closed", "The router is closed.");
    if (this.#running.size >= this.#limits.maxConcurrentTasks) {
      const message = `${this.#running.size} side tasks are under way, as many as may be.`;
      throw new CodexNativeApiSideTaskError("overloaded", message, { retryAfterMs: 1_000 });
    }
    const task = prepareTask(request, this.#defaults);
    // What the host says of its own events may be private: at debug alone.
    const { taskClass, metadata } = request;
    this.#logger?.debug({ event: "side_task.accepted", taskClass, ...metadata }, "side task accepted");
    const running = this.#run(task, request.signal);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Takes no more tasks and lets those under way end, each within its own time. A second call joins the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends tasks under way with `closed`, also when `close` is under way. */
  destroy(): Promise<void> {
    this.#shutdown.abort();
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state = "closing";
    await Promise.allSettled(this.#running);
    // A task that was given up has no exchange left to wait for.
    await this.#http.destroy();
    this.#state = "closed";
  }

  async #run(task: PreparedTask, signal: AbortSignal | undefined): Promise<SideTaskResult> {
    const { taskClass, timeoutMs } = task;
    const time = new TaskTime({ timeoutMs, now: this.#now, signal, shutdown: this.#shutdown.signal });
    const run = new TaskRun({
      task,
      time,
      routes: this.#routes,
      circuitOf: (place) => this.#circuits.of(place),
      limits: this.#limits,
      now: this.#now,
      onFallThrough: (trial) =>
        this.#logger?.warn({ event: "side_task.fall_through", taskClass, ...trial }, "a route failed"),
    });
    try {
      const result = await run.run();
      const { route, model } = result;
      const ms = result.routesTried.at(-1)?.ms;
      this.#logger?.info({ event: "side_task.served", taskClass, route, model, ms }, "side task served");
      return result;
    } catch (error) {
      const told = error instanceof CodexNativeApiSideTaskError ? pickFacts(error) : { err: error };
      this.#logger?.warn({ event: "side_task.failed", taskClass, ...told }, "side task failed");
      throw error;
    } finally {
      time.dispose();
    }
  }
}

function refuseUnsafe({ localApi, external }: SideTaskSettings): void {
  if (localApi !== null && parseLocalApiUrl(localApi.baseUrl) === null) {
    const message = "The service's URL is not one of this machine.";
    throw new CodexNativeApiSideTaskError("bad_request", message, { param: "settings.localApi.baseUrl" });
  }
  const fault = external === null ? null : findProviderFault(external);
  if (fault === null) return;
  const param = `settings.external.${fault.field}`;
  throw new CodexNativeApiSideTaskError("bad_request", fault.problem, { param });
}

/** For the log: codes alone, as messages of providers may quote the task. */
function pickFacts({ code, routesTried }: CodexNativeApiSideTaskError): object {
  return { code, routesTried };
}
