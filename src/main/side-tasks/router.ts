import { getMaxListeners, setMaxListeners } from "node:events";
import type { Logger } from "pino";
import { withoutNulls } from "../../workers/contract/json.js";
import type { DecisionQuestion } from "../dialects/decisions/decision-types.js";
import { EventListeners } from "../observability/event-listeners.js";
import { createSideTaskMetrics, type SideTaskCount } from "../observability/side-task-metrics.js";
import { logTaskMetadata, type MetadataLevel } from "../observability/task-metadata.js";
import type { TokenUsage } from "../runtime/types.js";
import { findProviderFault, parseLocalApiUrl } from "./addresses.js";
import { checkDecision, checkRouterOptions, checkTask } from "./check-shapes.js";
import { type CircuitState, Circuits } from "./circuit-breaker.js";
import { readDecision } from "./decision-answers.js";
import { makeDirectRoute, type SideTaskRuntime, type SideTaskService } from "./direct-route.js";
import { defaultExternalReasons } from "./external-reasons.js";
import { makeExternalRoute } from "./external-route.js";
import { HttpClient } from "./http-client.js";
import {
  circuitTrialMs,
  defaultSideTaskLimits,
  maxCircuits,
  maxSchemas,
  type SideTaskLimits,
} from "./limits.js";
import { makeLocalApiRoute } from "./local-api-route.js";
import { OutputSchemas } from "./output-schema.js";
import { prepareDecision } from "./prepare-decision.js";
import { type PreparedTask, prepareTask, type TaskDefaults, timeoutOf } from "./prepare-task.js";
import { ProviderClients } from "./provider-clients.js";
import { chooseProviderProxy } from "./provider-network.js";
import { resolveTaskClasses } from "./resolve-task-classes.js";
import { type RouteAnswer, readText, type SideTaskRoute } from "./route.js";
import type { CodexNativeApiSideTaskRouterOptions } from "./router-options.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import { takeDecision, takeRequest } from "./take-request.js";
import { checkRoots, readTaskFiles } from "./task-files.js";
import { TaskRun } from "./task-run.js";
import { TaskTime } from "./task-time.js";
import type {
  SideTaskCall,
  SideTaskDecision,
  SideTaskDecisionRequest,
  SideTaskEvent,
  SideTaskOutput,
  SideTaskRequest,
  SideTaskResult,
  SideTaskRouteName,
  SideTaskServed,
  SideTaskSettings,
} from "./types.js";
import { UsedUpPlans } from "./used-up-plans.js";

/**
 * Runs the side tasks of a host program on the first route that can: the service on loopback, a runtime in the host's own
 * process, an external provider. Touches none of the host's threads.
 */
export class CodexNativeApiSideTaskRouter {
  readonly #defaults: TaskDefaults;
  readonly #limits: SideTaskLimits;
  readonly #roots: readonly string[];
  readonly #logger: Logger | null;
  readonly #metadataLevel: MetadataLevel;
  readonly #listeners: EventListeners<HostEvents>;
  readonly #now: () => number;
  /** To the service on loopback, which no proxy is on the way to. */
  readonly #http: HttpClient;
  readonly #providers: ProviderClients;
  readonly #circuits: Circuits;
  readonly #plans: UsedUpPlans;
  readonly #routes: readonly SideTaskRoute[];
  readonly #shutdown = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  /** Null while the router is open. */
  #closing: Promise<void> | null = null;

  /**
   * Throws `bad_request` for options of the wrong shape, all of which the message names, and for settings, made by hand, that would send a
   * token or key where it does not belong.
   */
  constructor(options: CodexNativeApiSideTaskRouterOptions) {
    checkRouterOptions(options);
    const { settings, runtime, service, taskClasses = {}, logger = null } = options;
    refuseUnsafe(settings);
    this.#roots = checkRoots(options.roots ?? []);
    const limits = { ...defaultSideTaskLimits, ...options.limits };
    this.#limits = limits;
    // Each task under way adds a listener, which is no leak.
    setMaxListeners(limits.maxConcurrentTasks, this.#shutdown.signal);
    this.#logger = logger;
    this.#metadataLevel = options.metadataLevel ?? "silent";
    this.#listeners = new EventListeners((_name, error) =>
      logger?.error({ event: "side_task.listener_failed", err: error }, "a listener of the host failed"),
    );
    if (options.onEvent !== undefined) this.#listeners.on("event", options.onEvent);
    if (options.registry !== undefined) this.#listeners.on("end", createSideTaskMetrics(options.registry));
    warnOfExternalOnly(options);
    this.#now = options.now ?? (() => performance.now());
    this.#defaults = {
      classes: resolveTaskClasses(taskClasses),
      external: settings.external,
      schemas: new OutputSchemas(maxSchemas),
    };
    this.#http = new HttpClient(limits.maxConcurrentTasks);
    this.#providers = new ProviderClients(settings.network ?? {}, limits.maxConcurrentTasks);
    this.#circuits = new Circuits(
      {
        failureThreshold: limits.circuitFailures,
        openMs: limits.circuitOpenMs,
        maxOpenMs: limits.circuitMaxOpenMs,
        trialMs: circuitTrialMs,
        now: this.#now,
      },
      maxCircuits,
    );
    this.#plans = new UsedUpPlans({
      minMs: limits.circuitOpenMs,
      maxMs: limits.circuitMaxOpenMs,
      now: this.#now,
    });
    this.#routes = [
      makeLocalApiRoute({ settings: settings.localApi, isInProcess: service !== undefined }, this.#http),
      makeDirectRoute(chooseHost(runtime, service)),
      makeExternalRoute(this.#providers),
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

  /**
   * Runs one task. Rejects with a `CodexNativeApiSideTaskError`, which lists the failure of every route. With `output`, the result's
   * has the type that the schema gives it.
   */
  async execute<T>(
    request: SideTaskRequest & { readonly output: SideTaskOutput<T> },
  ): Promise<SideTaskResult<T> & { readonly output: T }>;
  async execute(request: SideTaskRequest): Promise<SideTaskResult>;
  async execute(given: SideTaskRequest): Promise<SideTaskResult> {
    return this.#admit(async () => {
      // Before anything is waited for: from here on the host may change its objects.
      const request = takeRequest(given);
      checkShape(checkTask, { request, given });
      return this.#within(request, async (time) => {
        const files = await readTaskFiles(request, { roots: this.#roots, time });
        const task = prepareTask(request, this.#defaults, files);
        return { task, read: (reply) => readText(reply, { check: task.check, time }) };
      });
    });
  }

  /**
   * Answers questions about one input, with probabilities, on the same routes and by the same policy. Rejects as `execute` does. Each
   * answer has the type that its question gives it, or is a refusal.
   */
  async decide<const Questions extends readonly DecisionQuestion[]>(
    request: SideTaskDecisionRequest<Questions>,
  ): Promise<SideTaskDecision<Questions>>;
  async decide(given: SideTaskDecisionRequest): Promise<SideTaskDecision> {
    return this.#admit(async () => {
      const request = takeDecision(given);
      checkShape(checkDecision, { request, given });
      return this.#within(request, async () => {
        const task = prepareDecision(request, this.#defaults);
        return { task, read: (reply) => readDecision(reply, task.asked) };
      });
    });
  }

  async #admit<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#closing !== null) throw new CodexNativeApiSideTaskError("closed", "The router is closed.");
    if (this.#running.size >= this.#limits.maxConcurrentTasks) {
      const message = `The router has reached its limit of ${this.#running.size} concurrent side tasks.`;
      throw new CodexNativeApiSideTaskError("overloaded", message, { retryAfterMs: 1_000 });
    }
    const running = run();
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

  /** Ends tasks under way with `closed`, also while `close` waits for them. */
  destroy(): Promise<void> {
    this.#shutdown.abort();
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    // Every task has ended, so no exchange is left to wait for.
    await Promise.all([this.#http.destroy(), this.#providers.destroy()]);
  }

  async #within<Reading>(
    request: TaskTerms,
    prepare: (time: TaskTime) => Promise<Prepared<Reading>>,
  ): Promise<Reading & SideTaskServed> {
    const { signal } = request;
    const timeoutMs = timeoutOf(request, this.#defaults.classes);
    expectTasks(signal, this.#limits.maxConcurrentTasks);
    const time = new TaskTime({ timeoutMs, now: this.#now, signal, shutdown: this.#shutdown.signal });
    try {
      const startedAtMs = this.#now();
      const prepared = await prepare(time);
      this.#logAccepted(request, callOf(prepared.task));
      return await this.#run(prepared, time, startedAtMs);
    } finally {
      time.dispose();
    }
  }

  #logAccepted({ taskClass, metadata }: TaskTerms, call: SideTaskCall): void {
    this.#logger?.debug({ event: "side_task.accepted", taskClass, call }, "side task accepted");
    if (this.#logger !== null)
      logTaskMetadata(
        this.#logger,
        this.#metadataLevel,
        { event: "side_task.metadata", taskClass, call },
        metadata ?? {},
      );
  }

  async #run<Reading>(
    { task, read }: Prepared<Reading>,
    time: TaskTime,
    startedAtMs: number,
  ): Promise<Reading & SideTaskServed> {
    const about = { taskClass: task.taskClass, call: callOf(task) };
    const run = new TaskRun({
      task,
      read,
      time,
      routes: this.#routes,
      circuitOf: (place) => this.#circuits.of(place),
      plans: this.#plans,
      limits: this.#limits,
      now: this.#now,
      onTried: (trial) => this.#listeners.emit("event", { type: "route_tried", ...about, ...trial }),
      onFallThrough: (trial) =>
        this.#logger?.warn(
          { event: "side_task.fall_through", ...about, ...trial },
          "a route failed; trying the next",
        ),
      onSend: ({ baseUrl, model }, reasons) => {
        const provider = new URL(baseUrl).origin;
        this.#logger?.info(
          { event: "side_task.external_send", ...about, reasons, provider, model },
          "sending a side task to the external provider",
        );
        this.#listeners.emit("event", { type: "external_send", ...about, reasons, provider });
      },
    });
    try {
      const result = await run.run();
      const { route, model, usage } = result;
      this.#noteEnd(task, { route, outcome: "served", usage, startedAtMs });
      const ms = result.routesTried.at(-1)?.ms;
      this.#logger?.info({ event: "side_task.served", ...about, route, model, ms }, "side task served");
      return result;
    } catch (error) {
      const known = error instanceof CodexNativeApiSideTaskError ? error : null;
      const outcome = known?.code ?? "internal";
      this.#noteEnd(task, {
        route: null,
        outcome,
        usage: null,
        startedAtMs,
      });
      const facts = error instanceof CodexNativeApiSideTaskError ? pickFacts(error) : { err: error };
      this.#logger?.warn({ event: "side_task.failed", ...about, ...facts }, "side task failed");
      throw error;
    }
  }

  #noteEnd(task: PreparedTask, { route, outcome, usage, startedAtMs }: TaskEnd): void {
    const { taskClass } = task;
    const ms = Math.round(this.#now() - startedAtMs);
    this.#listeners.emit("event", {
      type: "task_ended",
      taskClass,
      call: callOf(task),
      route,
      outcome,
      ms,
      usage,
    });
    const tokens = usage === null ? {} : { input: usage.inputTokens, output: usage.outputTokens };
    this.#listeners.emit("end", { taskClass, route: route ?? "none", outcome, ms, tokens });
  }
}

interface HostEvents {
  readonly event: SideTaskEvent;
  readonly end: SideTaskCount;
}

interface TaskEnd {
  readonly route: SideTaskRouteName | null;
  readonly outcome: string;
  readonly usage: TokenUsage | null;
  readonly startedAtMs: number;
}

/** What of a request concerns how it is run. */
type TaskTerms = Pick<SideTaskRequest, "taskClass" | "timeoutMs" | "signal" | "metadata">;

interface Prepared<Reading> {
  readonly task: PreparedTask;
  /** Makes the result of what a route answered. */
  readonly read: (reply: RouteAnswer["reply"]) => Reading | Promise<Reading>;
}

function callOf({ asked }: PreparedTask): SideTaskCall {
  return asked === null ? "execute" : "decide";
}

/** `given` has the names that no task has; one of those that cannot be read is left alone. */
function checkShape<Request extends object>(
  check: (request: Request) => void,
  { request, given }: { readonly request: Request; readonly given: object },
): void {
  try {
    check({ ...withoutNulls({ ...given }), ...request });
  } catch (error) {
    if (error instanceof CodexNativeApiSideTaskError) throw error;
  }
}

function chooseHost(
  runtime: SideTaskRuntime | undefined,
  service: SideTaskService | undefined,
): Parameters<typeof makeDirectRoute>[0] {
  if (runtime !== undefined && service !== undefined) {
    const message = "A router takes a runtime or a service, not both.";
    throw new CodexNativeApiSideTaskError("bad_request", message, { param: "service" });
  }
  if (service !== undefined) return { service };
  return runtime === undefined ? null : { runtime };
}

/** One signal of the host's may stand for all its tasks, which is no leak. Node warns of the eleventh listener. */
function expectTasks(signal: AbortSignal | undefined, most: number): void {
  if (!(signal instanceof EventTarget)) return;
  const present = getMaxListeners(signal);
  if (present !== 0 && present < most + 10) setMaxListeners(most + 10, signal);
}

function refuseUnsafe({ localApi, external, network = {} }: SideTaskSettings): void {
  const refuse = (message: string, field: string) => {
    throw new CodexNativeApiSideTaskError("bad_request", message, { param: `settings.${field}` });
  };
  if (localApi !== null && parseLocalApiUrl(localApi.baseUrl) === null)
    refuse("The service's URL must be one of this machine.", "localApi.baseUrl");
  const fault = external === null ? null : findProviderFault(external);
  if (fault !== null) refuse(fault.problem, `external.${fault.field}`);
  const way = external === null ? null : chooseProviderProxy(external.baseUrl, network).fault;
  if (way !== null) refuse(`${way.variable} ${way.problem}.`, `network.${way.variable}`);
}

/** A switch that was forgotten looks like a host that wants it so. */
function warnOfExternalOnly({
  settings,
  runtime,
  service,
  logger,
}: CodexNativeApiSideTaskRouterOptions): void {
  const { localApi, external } = settings;
  if (localApi !== null || runtime !== undefined || service !== undefined || external === null) return;
  const { when = defaultExternalReasons } = external;
  if (!when.includes("no_native_route")) return;
  const provider = new URL(external.baseUrl).origin;
  const message = "there is no native route: every side task will be sent to the external provider";
  logger?.warn({ event: "side_task.external_only", provider }, message);
}

/** For the log: codes only, since messages of providers may quote the task. */
function pickFacts({ code, routesTried }: CodexNativeApiSideTaskError): object {
  return { code, routesTried };
}
