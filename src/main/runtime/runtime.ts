import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { CodexNativeApiError } from "../errors.js";
import type { AdmissionOptions } from "./admission/admission.js";
import { type AppServerSource, type AppServerTransport, createAppServerSource } from "./app-server-source.js";
import { CodexFacts } from "./codex-facts.js";
import { CodexInstallation, type CodexInstallationOptions } from "./codex-installation.js";
import { IsolatedTurns } from "./isolated-turns.js";
import { LoginWatch } from "./login-watch.js";
import { chooseModel } from "./model-choice.js";
import type { ConnectionChange, WorkerSlot } from "./pool/worker-slot.js";
import { WorkerSlots } from "./pool/worker-slots.js";
import { ReadinessState } from "./readiness-state.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeModel,
  NativeRuntimeHealth,
  NativeTurnRuntime,
  Readiness,
  RequestTarget,
  ToolOutput,
} from "./types.js";
import { WorkerChildren } from "./worker-children.js";

export interface CodexNativeRuntimeOptions {
  readonly codex: Omit<CodexInstallationOptions, "profile" | "stopStepMs">;
  readonly appServer: AppServerTransport;
  readonly turns: {
    readonly profile: CodexInstallationOptions["profile"];
    /** Model when a request names none; null leaves it to Codex's catalog. */
    readonly defaultModel: string | null;
    readonly idleTimeoutMs: number;
    readonly timeoutMs: number;
  };
  /** Worker threads. */
  readonly workers: number;
  readonly admission: Omit<AdmissionOptions, "readyTimeoutMs"> & { readonly startGate: number };
  /** How long turns in flight may take to end on `close`, in milliseconds. */
  readonly shutdownGraceMs: number;
  /** Version of this service, which Codex is told. */
  readonly version: string;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
}

type RuntimeState = "idle" | "starting" | "running" | "closing" | "closed";

const providerKind = "openai-native";
const reportIntervalMs = 1_000;
const extrasIntervalMs = 5_000;
const workerCloseTimeoutMs = 5_000;
/** Each step of a child's stop ladder. */
const stopStepMs = 2_000;
/** Idle native threads kept for their chains, at 0.85 MB of the app-server's memory each. */
const maxLoadedThreads = 64;
/** How long, and how many, turns may wait for outputs of the caller's functions. */
const parking = { ttlMs: 600_000, maxTurns: 1_000 } as const;
/** How long a turn waits for a runtime that is about to be ready again. */
const readyTimeoutMs = 5_000;
/** How long `start` waits before it answers that Codex is not ready yet. */
const startTimeoutMs = 30_000;

/**
 * The supervisor without HTTP: keeps an app-server and worker threads alive and runs isolated turns on them. A host program
 * may use it directly; the HTTP service is one user of it.
 */
export class CodexNativeRuntime implements NativeTurnRuntime {
  readonly #options: CodexNativeRuntimeOptions;
  readonly #logger: Logger;
  readonly #readiness = new ReadinessState();
  readonly #facts: CodexFacts;
  readonly #installation: CodexInstallation;
  readonly #source: AppServerSource;
  readonly #loginWatch: LoginWatch;
  #slots: WorkerSlots | null = null;
  #turns: IsolatedTurns | null = null;
  #state: RuntimeState = "idle";
  #extrasTimer: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;
  /** Generation of the app-server that `#facts` speak of; 0 while none. */
  #factsGeneration = 0;
  /** Generation of the app-server that workers were last sent to. */
  #dialledGeneration = 0;
  #codexVersion: string | null = null;
  #hungTimer: NodeJS.Timeout | null = null;

  constructor(options: CodexNativeRuntimeOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#facts = new CodexFacts(logger);
    this.#installation = new CodexInstallation(
      { ...options.codex, profile: options.turns.profile, stopStepMs },
      logger,
    );
    this.#source = createAppServerSource(
      options.appServer,
      this.#installation,
      {
        onDial: (dial) => {
          this.#factsGeneration = 0;
          const former = this.#dialledGeneration;
          this.#dialledGeneration = dial.appServerGeneration;
          if (former > 0 && this.#turns?.isIdle(former) !== false) this.#source.release(former);
          this.#slots?.connect(dial);
        },
        onDown: ({ reason, blocked }) => this.#onAppServerDown(reason, blocked),
      },
      logger,
    );
    this.#loginWatch = new LoginWatch(() => void this.#onLoginChanged());
  }

  /**
   * Opens the runtime and resolves with where it stands once that is known: not ready is an answer too (no binary, no
   * login), and the runtime goes on trying.
   */
  async start(): Promise<Readiness> {
    await this.open();
    return this.#readiness.settled(startTimeoutMs);
  }

  /** Starts threads and app-server without waiting for Codex. Rejects only when the state directory cannot be used. */
  async open(): Promise<void> {
    if (this.#state !== "idle") throw new Error(`A runtime that is ${this.#state} cannot be started.`);
    this.#state = "starting";
    this.#readiness.setRecovering("Codex is starting.");
    const { instance, ledger } = await this.#installation.open();
    const children = new WorkerChildren(ledger, this.#logger);
    const slots = new WorkerSlots({
      threads: this.#options.workers,
      maxConcurrentTurns: this.#options.admission.maxConcurrentTurns,
      workDirectory: instance.work,
      clientVersion: this.#options.version,
      reportIntervalMs,
      closeTimeoutMs: workerCloseTimeoutMs,
      now: () => performance.now(),
      callbacks: {
        onConnection: (slot, change) => this.#onConnection(slot, change),
        onAccountChanged: () => void this.#readFacts(),
        onRateLimits: (rateLimits) => this.#facts.noteRateLimits(rateLimits),
        onChild: (slot, pid) => children.set(slot.id, pid),
        onLost: (slot) => this.#onWorkerLost(slot),
        onError: (error) =>
          this.#logger.error({ event: "worker.error", err: error }, "a worker thread failed"),
      },
    });
    this.#slots = slots;
    this.#turns = this.#createTurns(slots);
    this.#state = "running";
    this.#extrasTimer = setInterval(() => void this.#readExtras(), extrasIntervalMs);
    this.#extrasTimer.unref();
    this.#startSource();
  }

  get readiness(): Readiness {
    return this.#readiness.current;
  }

  health(): NativeRuntimeHealth {
    return {
      readiness: this.#readiness.current,
      providerProfileId: this.#providerProfileId,
      providerKind,
      account: this.#facts.account,
      rateLimits: this.#facts.rateLimits,
      codexVersion: this.#codexVersion ?? this.#installation.binary?.version ?? null,
      profile: this.#options.turns.profile,
      appServer: { ...this.#source.health(), loadedThreads: this.#facts.loadedThreads },
      workers: this.#slots?.health() ?? [],
      queue: { depth: this.#turns?.depth ?? 0, running: this.#turns?.running ?? 0 },
      degraded: this.#installation.degraded,
    };
  }

  async listModels(): Promise<readonly NativeModel[]> {
    const readiness = await this.#readiness.settled(readyTimeoutMs);
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    return (this.#facts.models ?? []).filter((model) => !model.hidden);
  }

  async runIsolatedTurn(
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult> {
    if (this.#turns === null) {
      throw new CodexNativeApiError("native_runtime_unavailable", "The runtime is not started.");
    }
    return this.#turns.run(request, handlers);
  }

  async continueIsolatedTurn(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult | null> {
    return this.#turns?.resume(turnId, outputs, handlers) ?? null;
  }

  async continueThread(
    source: { readonly threadId: string; readonly turnId: string },
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult | null> {
    return this.#turns?.runOnThread(source, request, handlers) ?? null;
  }

  releaseThread(threadId: string): void {
    this.#turns?.releaseThread(threadId);
  }

  findParkedTurn(callIds: readonly string[]): string | null {
    return this.#turns?.findParked(callIds) ?? null;
  }

  abandonTurn(turnId: string): void {
    this.#turns?.abandon(turnId);
  }

  /**
   * Ends a worker thread at once, with whatever runs on it; another takes its place under a new generation. For a thread that
   * hangs: its turns that showed nothing are run again elsewhere.
   */
  async recycleWorker(workerId: string): Promise<void> {
    const slot = this.#slots?.all().find((candidate) => candidate.id === workerId);
    if (slot !== undefined) await this.#slots?.pool.terminate(slot.threadId);
  }

  /** Replaces the app-server by a new generation and answers once that is ready, or why it is not. */
  async reconnect(reason = "asked for"): Promise<Readiness> {
    this.#readiness.setRecovering("Codex is restarting.");
    await this.#source.restart(reason).catch((error: unknown) => this.#onStartFailed(error));
    return this.#readiness.settled(startTimeoutMs);
  }

  /** Lets turns in flight end within the grace, then stops everything. A second call joins the first. */
  close(): Promise<void> {
    this.#closing ??= this.#stop(this.#options.shutdownGraceMs);
    return this.#closing;
  }

  /** Stops everything now, also when `close` is under way; turns in flight end with `native_runtime_unavailable`. */
  async destroy(): Promise<void> {
    this.#closing ??= this.#stop(0);
    this.#turns?.hurry();
    await this.#closing;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = "closing";
    if (this.#extrasTimer !== null) clearInterval(this.#extrasTimer);
    if (this.#hungTimer !== null) clearTimeout(this.#hungTimer);
    this.#loginWatch.stop();
    await this.#turns?.close(graceMs);
    this.#readiness.setStopped();
    await this.#slots?.close();
    await this.#source.close();
    await this.#installation.close();
    this.#state = "closed";
  }

  get #providerProfileId(): string {
    return this.#options.providerProfileId ?? "openai-default";
  }

  #createTurns(slots: WorkerSlots): IsolatedTurns {
    const { turns, admission, appServer } = this.#options;
    return new IsolatedTurns(
      {
        admission: { ...admission, readyTimeoutMs },
        profile: turns.profile,
        idleTimeoutMs: turns.idleTimeoutMs,
        timeoutMs: turns.timeoutMs,
        processPerWorker: appServer.kind === "stdio",
        parking,
        maxLoadedThreads,
        now: () => performance.now(),
      },
      {
        slots,
        readiness: this.#readiness,
        logger: this.#logger,
        chooseModel: (requested) =>
          chooseModel({
            requested,
            configured: turns.defaultModel,
            catalog: this.#facts.models,
            customProvider: (this.#installation.home?.modelProvider ?? "openai") !== "openai",
          }),
        describeTarget: (slot) => this.#describeTarget(slot),
        windowOpensInMs: () => this.#facts.windowOpensInMs(Date.now()),
        onGenerationIdle: (generation) => {
          if (generation < this.#dialledGeneration) this.#source.release(generation);
        },
      },
    );
  }

  #describeTarget(slot: WorkerSlot): RequestTarget {
    return {
      providerProfileId: this.#providerProfileId,
      providerKind,
      accountId: this.#facts.account?.id ?? null,
      workerId: slot.id,
      appServerGeneration: slot.appServerGeneration,
    };
  }

  #startSource(): void {
    this.#source.start().then(
      () => this.#watchLogin(),
      (error: unknown) => {
        this.#onStartFailed(error);
        this.#watchLogin();
      },
    );
  }

  #watchLogin(): void {
    const authFile = this.#installation.home?.authFile;
    if (this.#state === "running" && authFile !== undefined) this.#loginWatch.start(authFile);
  }

  #onStartFailed(error: unknown): void {
    const reason =
      error instanceof CodexNativeApiError ? error.message : "Codex could not be started; the log says why.";
    this.#logger.error({ event: "app_server.start_failed", err: error }, reason);
    this.#readiness.setBlocked({ code: "native_runtime_unavailable", message: reason, retryAfterMs: 5000 });
  }

  #onAppServerDown(reason: string, blocked: boolean): void {
    this.#factsGeneration = 0;
    if (this.#state !== "running") return;
    // Once blocked it stays so until an app-server is ready: each failed try would otherwise hold callers up again.
    if (blocked || this.#readiness.phase === "blocked") {
      this.#readiness.setBlocked({ code: "native_runtime_unavailable", message: reason, retryAfterMs: 5000 });
    } else {
      this.#readiness.setRecovering(reason);
    }
  }

  #onConnection(slot: WorkerSlot, change: ConnectionChange): void {
    const { id, generation } = slot;
    this.#logger.debug(
      { event: "worker.connection", worker: id, generation, ...change },
      "worker connection",
    );
    if (change.state === "ready") {
      this.#codexVersion = change.codexVersion;
      if (this.#factsGeneration !== change.appServerGeneration) void this.#readFacts();
      else this.#decideReadiness();
      this.#turns?.pump();
      return;
    }
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
  }

  #onWorkerLost(slot: WorkerSlot): void {
    this.#logger.error(
      { event: "worker.lost", worker: slot.id, generation: slot.generation },
      "a worker thread is gone; another takes its place",
    );
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
  }

  #checkAnyWorkerReady(): void {
    if (this.#readiness.phase !== "ready") return;
    if (this.#slots?.leastBusy(() => true) !== null) return;
    this.#readiness.setRecovering("No worker is connected to Codex.");
    this.#watchForHang();
  }

  /** An app-server that lives and lets nobody in is hung: workers would dial it for ever. */
  #watchForHang(): void {
    this.#hungTimer ??= setTimeout(() => {
      this.#hungTimer = null;
      if (this.#readiness.phase !== "recovering" || this.#source.health().pid === null) return;
      this.#logger.error({ event: "app_server.hung" }, "the app-server lets no worker in; replacing it");
      this.#source.restart("hung").catch((error: unknown) => this.#onStartFailed(error));
      this.#watchForHang();
    }, hungTimeoutMs);
    this.#hungTimer.unref();
  }

  /** Asks Codex who is logged in and what models there are; readiness follows from the answer. */
  async #readFacts(): Promise<void> {
    const slot = this.#slots?.leastBusy(() => true) ?? null;
    if (slot === null || this.#state !== "running") return;
    const generation = slot.appServerGeneration;
    try {
      await this.#facts.readEssentials(slot);
    } catch (error) {
      if (this.#state !== "running") return;
      this.#logger.warn({ event: "codex_facts.failed", err: error }, "Codex did not say who is logged in");
      if (this.#readiness.phase === "ready") return;
      await delay(readFactsRetryMs, undefined, { ref: false });
      return this.#readFacts();
    }
    if (generation !== slot.appServerGeneration || !slot.ready) return;
    this.#factsGeneration = generation;
    this.#decideReadiness();
    void this.#readExtras();
  }

  #decideReadiness(): void {
    if (this.#facts.loginRequired) {
      this.#readiness.setBlocked({
        code: "native_login_required",
        message: "Codex is not logged in on this machine. Run `codex login`; the service notices by itself.",
      });
      this.#logger.warn({ event: "codex.login_required" }, "Codex is not logged in: run `codex login`");
      return;
    }
    const wasReady = this.#readiness.phase === "ready";
    this.#readiness.setReady();
    if (wasReady) return;
    const binary = this.#installation.binary;
    const { account } = this.#facts;
    this.#logger.info(
      {
        event: "codex.ready",
        binary: binary?.path,
        found: binary?.source,
        codexVersion: this.#codexVersion,
        account: account?.email ?? account?.authMode,
        plan: account?.plan,
        transport: this.#options.appServer.kind,
        profile: this.#options.turns.profile,
        models: this.#facts.models?.length,
      },
      "Codex is ready",
    );
  }

  async #readExtras(): Promise<void> {
    const slot = this.#slots?.leastBusy(() => true) ?? null;
    if (slot !== null && this.#readiness.phase === "ready") await this.#facts.readExtras(slot);
  }

  /** A running app-server keeps the login it started with: only a new one sees another. */
  async #onLoginChanged(): Promise<void> {
    if (this.#state !== "running") return;
    this.#logger.info({ event: "codex.login_changed" }, "the Codex login changed; starting a new app-server");
    this.#readiness.setRecovering("The Codex login changed; Codex is restarting with it.");
    this.#turns?.abandonParked();
    await this.#source.rotate("login changed").catch((error: unknown) => this.#onStartFailed(error));
  }
}

const readFactsRetryMs = 250;
/** How long no worker gets in before a living app-server counts as hung. */
const hungTimeoutMs = 5_000;
