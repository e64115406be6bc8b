import { Counter, Gauge, type Registry } from "prom-client";
import type {
  AppServerHealth,
  NativeRuntimeHealth,
  PromptFormsHealth,
  RateLimits,
  SpareThreadsHealth,
  UpstreamLimitsHealth,
  WorkerHealth,
} from "../../runtime/types.js";
import { prefix, setOrRemove, toAmount, toSeconds } from "./naming.js";

export interface RegistrySize {
  readonly entries: number;
  readonly bytes: number;
}

/** What a runtime says of itself when somebody asks. */
export class RuntimeReadings {
  readonly #registry: Registry;
  readonly #version: string;
  readonly #build: Gauge<"version" | "codex_version">;
  readonly #ready: Gauge;
  readonly #queueDepth: Gauge;
  readonly #running: Gauge;
  readonly #appServerUp: Gauge;
  readonly #appServerRestarts: Counter;
  readonly #appServerMemory: Gauge;
  readonly #loadedThreads: Gauge;
  readonly #spareThreads: Gauge;
  readonly #spareThreadUses: Counter<"result">;
  readonly #spareThreadsDiscarded: Counter;
  readonly #upstreamLimit: Gauge<"model">;
  readonly #upstreamRefusals: Counter;
  readonly #promptForm: Gauge<"model" | "web_search" | "form">;
  readonly #promptFormChanges: Counter;
  readonly #workersReady: Gauge;
  readonly #reconnects: Counter<"worker">;
  readonly #workerDelay: Gauge<"worker">;
  readonly #hangingCalls: Gauge<"worker">;
  readonly #workerFaults: Counter<"worker" | "fault">;
  readonly #rateLimitUsed: Gauge<"window">;
  readonly #continuationEntries: Gauge;
  readonly #continuationBytes: Gauge;

  constructor(registry: Registry, version: string) {
    this.#registry = registry;
    this.#version = version;
    this.#build = this.#gauge("build_info", "Always 1; versions of this service and of Codex.", [
      "version",
      "codex_version",
    ]);
    this.#ready = this.#gauge("ready", "1 while turns can run.");
    this.#queueDepth = this.#gauge("queue_depth", "Turns that wait for room.");
    this.#running = this.#gauge("turns_running", "Turns that run.");
    this.#appServerUp = this.#gauge("app_server_up", "1 while the app-server runs, as far as is known.");
    this.#appServerRestarts = this.#counter(
      "app_server_restarts_total",
      "Times the app-server was replaced.",
    );
    this.#appServerMemory = this.#gauge("app_server_resident_memory_bytes", "Memory of the app-server.");
    this.#loadedThreads = this.#gauge("app_server_loaded_threads", "Native threads that Codex has loaded.");
    this.#spareThreads = this.#gauge("spare_threads", "Native threads started ahead of need.");
    this.#spareThreadUses = this.#counter(
      "spare_thread_uses_total",
      "Turns, by whether a thread was ready for them.",
      ["result"],
    );
    this.#spareThreadsDiscarded = this.#counter(
      "spare_threads_discarded_total",
      "Native threads started ahead of need and given up unused.",
    );
    this.#upstreamLimit = this.#gauge(
      "upstream_limit",
      "Turns that the account lets run at once, as learned; all models, and those with a limit of their own.",
      ["model"],
    );
    this.#upstreamRefusals = this.#counter(
      "upstream_refusals_total",
      "Turns that the backend refused as one too many; they went back into the queue while they had time.",
    );
    this.#promptForm = this.#gauge(
      "prompt_form",
      "1 for each model whose prompts have another form than Codex's catalog says, since the backend refused that.",
      ["model", "web_search", "form"],
    );
    this.#promptFormChanges = this.#counter(
      "prompt_form_changes_total",
      "Times another form of prompt than before was found to answer.",
    );
    this.#workersReady = this.#gauge("workers_ready", "Worker threads with a connection to the app-server.");
    this.#reconnects = this.#counter(
      "worker_reconnects_total",
      "Connections that a worker lost and made anew.",
      ["worker"],
    );
    this.#workerDelay = this.#gauge(
      "worker_event_loop_delay_seconds",
      "Mean delay of a worker's event loop over its last report.",
      ["worker"],
    );
    this.#hangingCalls = this.#gauge(
      "unanswered_calls",
      "Calls that Codex has left unanswered for more than five seconds while it answers others.",
      ["worker"],
    );
    this.#workerFaults = this.#counter(
      "worker_faults_total",
      "Faults that a worker has met and survived, by name.",
      ["worker", "fault"],
    );
    this.#rateLimitUsed = this.#gauge(
      "rate_limit_used_ratio",
      "Used part of a window of the plan's limits; 1 is all of it.",
      ["window"],
    );
    this.#continuationEntries = this.#gauge("continuation_entries", "Responses kept for continuation.");
    this.#continuationBytes = this.#gauge(
      "continuation_bytes",
      "Size of the responses kept for continuation.",
    );
  }

  read(health: NativeRuntimeHealth, continuation: RegistrySize, nowMs: number): void {
    this.#build.reset();
    this.#build.set({ version: this.#version, codex_version: health.codexVersion ?? "unknown" }, 1);
    this.#ready.set(health.readiness.ready ? 1 : 0);
    this.#queueDepth.set(health.queue.depth);
    this.#running.set(health.queue.running);
    this.#readWorkers(health.workers);
    this.#readAppServer(health.appServer, health.workers.some(isReady));
    this.#readSpareThreads(health.spareThreads);
    this.#readUpstreamLimits(health.upstreamLimits);
    this.#readPromptForms(health.promptForms);
    this.#readRateLimits(health.rateLimits, nowMs);
    this.#continuationEntries.set(continuation.entries);
    this.#continuationBytes.set(continuation.bytes);
  }

  #readWorkers(workers: readonly WorkerHealth[]): void {
    this.#workersReady.set(workers.filter(isReady).length);
    this.#reconnects.reset();
    this.#workerDelay.reset();
    this.#hangingCalls.reset();
    this.#workerFaults.reset();
    for (const { id: worker, reconnects, eventLoopDelayMs, hangingCalls = 0, faults = {} } of workers) {
      this.#reconnects.inc({ worker }, toAmount(reconnects));
      this.#hangingCalls.set({ worker }, toAmount(hangingCalls));
      for (const [fault, times] of Object.entries(faults)) {
        this.#workerFaults.inc({ worker, fault }, toAmount(times));
      }
      if (eventLoopDelayMs !== null) this.#workerDelay.set({ worker }, toSeconds(eventLoopDelayMs));
    }
  }

  #readAppServer(server: AppServerHealth | null, isConnected: boolean): void {
    // Where the process is not ours, or one of each worker's own, there is no id to go by.
    const isUp = isConnected || (server?.pid ?? null) !== null;
    this.#appServerUp.set(isUp ? 1 : 0);
    this.#appServerRestarts.reset();
    this.#appServerRestarts.inc(toAmount(server?.restarts ?? 0));
    setOrRemove(this.#appServerMemory, server?.rssBytes ?? null);
    setOrRemove(this.#loadedThreads, server?.loadedThreads ?? null);
  }

  #readSpareThreads({ ready, taken, missed, discarded }: SpareThreadsHealth): void {
    this.#spareThreads.set(ready);
    this.#spareThreadUses.reset();
    this.#spareThreadUses.inc({ result: "taken" }, toAmount(taken));
    this.#spareThreadUses.inc({ result: "missed" }, toAmount(missed));
    this.#spareThreadsDiscarded.reset();
    this.#spareThreadsDiscarded.inc(toAmount(discarded));
  }

  #readUpstreamLimits(
    { limits, refusals }: Pick<UpstreamLimitsHealth, "limits" | "refusals"> = { limits: [], refusals: 0 },
  ): void {
    this.#upstreamLimit.reset();
    for (const { model, limit } of limits) this.#upstreamLimit.set({ model: model ?? "all" }, limit);
    this.#upstreamRefusals.reset();
    this.#upstreamRefusals.inc(toAmount(refusals));
  }

  #readPromptForms({ models, changes }: PromptFormsHealth = { models: [], changes: 0 }): void {
    this.#promptForm.reset();
    for (const { model, webSearch, form } of models)
      this.#promptForm.set({ model, web_search: String(webSearch), form }, 1);
    this.#promptFormChanges.reset();
    this.#promptFormChanges.inc(toAmount(changes));
  }

  /** A window that has ended since it was told is another one now, of which nothing is known until the next turn. */
  #readRateLimits(limits: RateLimits | null, nowMs: number): void {
    this.#rateLimitUsed.reset();
    for (const name of ["primary", "secondary"] as const) {
      const window = limits?.[name] ?? null;
      if (window === null || (window.resetsAt ?? Number.POSITIVE_INFINITY) * 1_000 <= nowMs) continue;
      this.#rateLimitUsed.set({ window: name }, toAmount(window.usedPercent) / 100);
    }
  }

  #gauge<Label extends string = string>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Gauge<Label>({ name: prefix + name, help, labelNames, registers: [this.#registry] });
  }

  #counter<Label extends string = string>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Counter<Label>({ name: prefix + name, help, labelNames, registers: [this.#registry] });
  }
}

function isReady({ state }: WorkerHealth): boolean {
  return state === "ready";
}
