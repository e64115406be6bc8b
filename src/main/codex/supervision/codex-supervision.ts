import type { Logger } from "pino";
import { hasFeature } from "../../../workers/contract/codex-capabilities.js";
import type { AppServerHealth, RateLimits } from "../../runtime/types.js";
import { LoginFollower } from "../login/login-follower.js";
import type {
  AppServerEvents,
  AppServerSource,
  DownAppServer,
  ReadyAppServer,
} from "../process/app-server-source.js";
import { SocketDirectoryRefused } from "../process/codex-socket-directory.js";
import { createAppServerSource, createFallbackSource } from "../process/create-app-server-source.js";
import { HangWatch } from "../process/hang-watch.js";
import { ProcessUsageReader } from "../process/process-usage.js";
import { SourceInForce } from "../process/source-in-force.js";
import { closingError } from "../process/unavailable.js";
import type { ConnectionChange, WorkerSlot } from "../workers/worker-slot.js";
import { WorkerSlots } from "../workers/worker-slots.js";
import { AppServerRotation, type RotationReason } from "./app-server-rotation.js";
import { CodexFacts } from "./codex-facts.js";
import { CodexInstallation, type OpenInstallation } from "./codex-installation.js";
import { CodexLog } from "./codex-log.js";
import { FactsReader } from "./facts-reader.js";
import { PlanWindows } from "./plan-windows.js";
import { ReadinessState } from "./readiness-state.js";
import type { CodexSupervisionOptions, SupervisedTurns } from "./supervision-options.js";
import { Upkeep } from "./upkeep.js";
import { UsageWatch } from "./usage-watch.js";

/**
 * Keeps Codex running: the app-server, the workers connected to it, and the facts about login and catalog. Readiness follows
 * from all three, and only this class reacts when one of them changes.
 */
export class CodexSupervision {
  readonly readiness = new ReadinessState();
  readonly facts: CodexFacts;
  readonly installation: CodexInstallation;
  readonly windows: PlanWindows;
  /** The runtime notifies it of finished turns and of health reads. */
  readonly upkeep: Upkeep;
  readonly login: LoginFollower;
  readonly #options: CodexSupervisionOptions;
  readonly #logger: Logger;
  readonly #factsReader: FactsReader;
  readonly #rotation: AppServerRotation;
  readonly #codexLog: CodexLog;
  readonly #hangWatch: HangWatch;
  readonly #usage: UsageWatch;
  #source: SourceInForce | null = null;
  #slots: WorkerSlots | null = null;
  #turns: SupervisedTurns | null = null;
  #running = false;
  #isShuttingDown = false;
  #closing: Promise<void> | null = null;
  /** Generation of the app-server that `facts` were read from; 0 if none. */
  #factsGeneration = 0;
  /** Generation of the app-server that workers were last connected to. */
  #dialledGeneration = 0;
  #codexVersion: string | null = null;

  constructor(options: CodexSupervisionOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.facts = new CodexFacts(logger);
    this.installation = new CodexInstallation(options.codex, options.version, logger);
    const isLatest = (slot: WorkerSlot) => slot.appServerGeneration === this.#dialledGeneration;
    this.#factsReader = new FactsReader({
      facts: this.facts,
      // `installation` describes the latest app-server, so an older one must not answer.
      findSlot: () => (this.#running ? (this.#slots?.leastBusy(isLatest) ?? null) : null),
      installation: this.installation,
      onRead: (generation) => this.#onFactsRead(generation),
      onFailed: (error) => this.#onFactsFailed(error),
    });
    this.login = new LoginFollower({
      installation: this.installation,
      generation: () => this.#dialledGeneration,
      rotate: (text) => this.#rotation.rotate("login", text),
      onRestart: (reason, loginChanged) => {
        this.readiness.setRecovering(reason);
        if (loginChanged) this.#turns?.abandonParked();
      },
      onFailed: (error) => this.#onStartFailed(error),
      logger,
    });
    const { accountBase } = this.installation;
    this.#rotation = new AppServerRotation({
      inspect: () => this.installation.inspect(),
      maxLogBytes: options.maxLogBytes,
      keepsThreads: () =>
        this.#running && this.#ownsAppServer && !hasFeature(this.codexVersion, "thread_unload"),
      maxThreads: options.maxThreadsKept,
      renewalInMs: () => (this.#ownsAppServer ? accountBase.renewalInMs : null),
      renewConfiguration: () => accountBase.renewConfiguration(),
      rotate: (text, reason) => this.#rotateAppServer(text, reason),
      onFailed: (error) =>
        logger.warn({ event: "app_server.rotation_failed", err: error }, "the old app-server stays in use"),
    });
    this.#codexLog = new CodexLog({
      running: () => (this.#ownsAppServer ? this.installation.binary : null),
      search: this.installation.search,
      directory: () => this.installation.directory,
      logger,
    });
    this.#hangWatch = new HangWatch({
      times: () => (this.#running ? (this.#source?.current.hangTimes ?? null) : null),
      isAnswering: () => this.#findSlot() !== null,
      isAppServerAtFault: () => this.#source?.current.isUp === true && this.#slots?.isAnyReporting() === true,
      onHung: () => {
        logger.error({ event: "app_server.hung" }, "the app-server does not answer any worker; replacing it");
        const reason = "The app-server stopped answering; it is being replaced.";
        void this.#bringUp((source) => source.restart(reason));
      },
    });
    const now = () => performance.now();
    const { facts } = this;
    const usageReader = new ProcessUsageReader();
    this.#usage = new UsageWatch({
      bounds: options.usage,
      pids: () => [this.#source?.current.health().pid ?? [], this.#slots?.childPids ?? []].flat(),
      reportedRssBytes: () => facts.reportedRssBytes,
      idleSinceMs: () =>
        this.#turns?.isIdle(this.#dialledGeneration) === true ? this.upkeep.workedAtMs : null,
      read: (pids) => usageReader.read(pids),
      rotate: (reason, text) => this.#rotation.tryToRotate(reason, text),
      now,
      logger,
    });
    this.windows = new PlanWindows({
      facts,
      onRead: () => this.#passWindowOn(),
      findSlot: () => this.#findSlot(),
      now,
    });
    this.upkeep = new Upkeep({
      readDetails: (slot) => facts.readDetails(slot, { withMemory: !this.#ownsAppServer }),
      windows: this.windows,
      findSlot: () => (this.readiness.phase === "ready" ? this.#findSlot() : null),
      inspectDisk: () => Promise.all([this.#rotation.checkDisk(), this.#codexLog.checkBinary()]),
      now,
    });
  }

  /** Names of the features that are missing in this transport mode, and of the bounds that the app-server stays over. */
  get degraded(): readonly string[] {
    return [...(this.#source?.current.degraded ?? []), ...this.#usage.degraded];
  }

  get slots(): WorkerSlots | null {
    return this.#slots;
  }

  /** The version from the handshake, or else from the binary. */
  get codexVersion(): string | null {
    return this.#codexVersion ?? this.installation.binary?.version ?? null;
  }

  /**
   * Starts workers and app-server without waiting for Codex. Rejects if the state directory cannot be used; another call may
   * follow. Does nothing, or stops halfway, once `quiesce` was called.
   */
  async open(createTurns: (slots: WorkerSlots) => SupervisedTurns): Promise<void> {
    this.readiness.setRecovering("Codex is starting.");
    let opened: OpenInstallation;
    try {
      opened = await this.installation.open();
    } catch (error) {
      this.readiness.setStopped();
      throw error;
    }
    if (this.#isShuttingDown) return;
    const { instance, ledger } = opened;
    const { appServer } = this.#options;
    this.#source = new SourceInForce({
      source: createAppServerSource(appServer, this.installation, opened, this.#appServerEvents),
      createFallback: (refused) => createFallbackSource(refused, this.installation, this.#appServerEvents),
      onFallback: (fault) => this.#codexLog.socketDirectoryRefused(fault),
      onReleaseFailed: (err) =>
        this.#logger.error({ event: "app_server.release_failed", err }, "an old app-server did not end"),
    });
    const slots = new WorkerSlots({
      workers: this.#options.workers,
      maxConcurrentTurns: this.#options.maxConcurrentTurns,
      workDirectory: instance.work,
      ledger,
      clientVersion: this.#options.version,
      processPerWorker: appServer.kind === "stdio",
      logger: this.#logger,
      callbacks: {
        onConnection: (slot, change) => this.#onConnection(slot, change),
        onAccountChanged: () => void this.#factsReader.read(),
        onRateLimits: (rateLimits) => this.#noteRateLimits(rateLimits),
        onThreadGone: () => this.#turns?.pump(),
        onSilent: () => this.#checkAnyWorkerReady(),
        onLost: () => this.#onWorkerLost(),
      },
    });
    this.#slots = slots;
    this.#turns = createTurns(slots);
    this.#running = true;
    this.upkeep.start();
    this.#usage.start();
    const started = this.#bringUp((source) => source.start());
    if (this.#ownsAppServer) void this.login.start(started);
  }

  /** Replaces an app-server that has no fault, which ends all turns on it. */
  async restart(reason: string): Promise<void> {
    if (!this.#running) return;
    this.readiness.setRecovering(reason);
    await this.#bringUp((source) => source.restart(reason, true));
  }

  appServerHealth(): Omit<AppServerHealth, "loadedThreads"> {
    const { kind: transport } = this.#options.appServer;
    const none = { transport, generation: 0, pid: null, restarts: 0, uptimeMs: null };
    const source = this.#source?.current.health() ?? none;
    this.#usage.refresh();
    return { ...source, ...this.#usage.health(), ...this.#rotation.health() };
  }

  /** Call when the last turn on an app-server of this generation has ended. */
  onGenerationIdle(appServerGeneration: number): void {
    if (appServerGeneration < this.#dialledGeneration) this.#source?.release(appServerGeneration);
  }

  /** Call when a native thread was started on an app-server of this generation. */
  onThreadStarted(appServerGeneration: number): void {
    this.#rotation.noteThread(appServerGeneration);
    this.upkeep.noteWork();
  }

  /** Stops all reactions: whatever ends from now on, ends because of the shutdown. */
  quiesce(): void {
    this.#running = false;
    this.#isShuttingDown = true;
    this.#source?.stop();
    this.upkeep.stop();
    this.#usage.stop();
    this.#hangWatch.stop();
    this.#rotation.stop();
    this.login.stop();
    this.#factsReader.stop();
  }

  /** Ends workers, app-servers and all their files. Call after `open` has settled. A second call joins the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.quiesce();
    this.readiness.setStopped();
    this.installation.stopPreparing();
    // In parallel, since a service manager waits for the shutdown. All turns have ended, so neither needs the other.
    await Promise.all([this.#slots?.close(), this.#source?.close()]);
    await this.installation.close();
  }

  /** Whether this service started the app-server. Only then does it know the login file, and may replace the app-server. */
  get #ownsAppServer(): boolean {
    return this.#source !== null && this.#source.current.hangTimes !== null;
  }

  readonly #appServerEvents: AppServerEvents = {
    onReady: (server) => this.#onAppServerReady(server),
    onDown: (down) => this.#onAppServerDown(down),
    onRetired: ({ generation, reason }) =>
      this.#logger.info({ event: "app_server.retired", generation, reason }, "app-server retired"),
    onFault: (fault, cause) => this.#logger.error({ event: "app_server.fault", fault, err: cause }, fault),
  };

  async #rotateAppServer(text: string, reason: RotationReason): Promise<void> {
    this.#logger.info({ event: "app_server.rotating", reason }, `starting a new app-server: ${text}`);
    await this.#useSource((source) => source.rotate(text));
  }

  /** Starts or restarts the app-server. Never rejects: a failure makes the service not ready. */
  async #bringUp(act: (source: AppServerSource) => Promise<void>): Promise<void> {
    await this.#useSource(act).catch((error: unknown) => this.#onStartFailed(error));
  }

  async #useSource(act: (source: AppServerSource) => Promise<void>): Promise<void> {
    if (this.#source === null) throw closingError();
    await this.#source.use(act);
  }

  #onStartFailed(error: unknown): void {
    if (!this.#running) return;
    this.#block(this.#codexLog.startFailed(error));
  }

  #block(message: string): void {
    this.readiness.setBlocked({ code: "native_runtime_unavailable", message, retryAfterMs: 5000 });
  }

  #onAppServerReady({ generation, endpoint, pid, maxWorkers }: ReadyAppServer): void {
    this.#codexLog.appServerReady(generation, pid);
    this.login.noteAppServerReady();
    this.#factsGeneration = 0;
    const former = this.#dialledGeneration;
    this.#dialledGeneration = generation;
    if (former > 0 && this.#turns?.isIdle(former) !== false) this.#source?.release(former);
    this.#slots?.connect({ endpoint, appServerGeneration: generation, maxWorkers });
    this.#hangWatch.expectConnection();
    this.#rotation.scheduleRenewal();
    this.#usage.refresh();
  }

  #onAppServerDown(down: DownAppServer): void {
    const { reason, retryInMs, exhausted, cause } = down;
    if (cause instanceof SocketDirectoryRefused && this.#source !== null) {
      // The fallback logs its own failures and retries.
      this.#source.fallBack(cause).catch(() => {});
      return;
    }
    // The service is closing.
    if (retryInMs === null) return;
    this.#codexLog.appServerDown(down);
    // If workers have their own processes, the earlier ones may still run and take turns.
    if (this.#source?.current.isUp === true) return;
    this.#factsGeneration = 0;
    this.#hangWatch.stop();
    if (!this.#running) return;
    // Stay blocked until an app-server is ready; otherwise callers would wait again during each failed attempt.
    if (exhausted || this.readiness.phase === "blocked") this.#block(reason);
    else this.readiness.setRecovering(reason);
  }

  #onConnection(slot: WorkerSlot, change: ConnectionChange): void {
    this.#codexLog.connection(slot, change);
    if (change.state === "ready") {
      this.#codexVersion = change.codexVersion;
      if (this.#factsGeneration !== change.appServerGeneration) void this.#factsReader.read();
      else this.#decideReadiness();
      this.#hangWatch.check();
      this.#turns?.pump();
      return;
    }
    if (change.state === "silent") this.#slots?.markOthersSuspect(slot);
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
    this.#hangWatch.check();
  }

  #onWorkerLost(): void {
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
    this.#hangWatch.expectConnection();
  }

  #checkAnyWorkerReady(): void {
    if (this.readiness.phase !== "ready") return;
    if (this.#findSlot() !== null) return;
    const silent = this.#slots?.all().some(({ connected }) => connected) === true;
    this.readiness.setRecovering(silent ? "Codex does not answer." : "No worker is connected to Codex.");
  }

  #findSlot(): WorkerSlot | null {
    return this.#slots?.leastBusy(() => true) ?? null;
  }

  #onFactsRead(appServerGeneration: number): void {
    if (!this.#running) return;
    this.#factsGeneration = appServerGeneration;
    const { accountBase } = this.installation;
    accountBase.noteRouting(this.facts.routing, {
      replace: () =>
        this.#rotation.rotate("account_settings", "The account's own settings are kept out of prompts."),
      onKept: () => this.#decideReadiness(),
    });
    // After a change of account, the windows of the new one are not known yet.
    if (this.facts.rateLimits === null) this.#turns?.noteWindow(null);
    this.windows.noteAccount(this.facts.account?.id ?? null);
    const rateLimits = accountBase.takeRateLimits();
    if (rateLimits !== null) this.#noteRateLimits(rateLimits);
    this.#decideReadiness();
    void this.#codexLog.noteModels(this.facts.models ?? []);
    this.upkeep.noteReady();
  }

  #noteRateLimits(rateLimits: RateLimits): void {
    this.windows.noteReported(rateLimits);
    this.#passWindowOn();
  }

  #passWindowOn(): void {
    this.#turns?.noteWindow(this.facts.windowOpensInMs(Date.now()));
  }

  #onFactsFailed(error: unknown): void {
    const reason = "Codex does not say who is logged in.";
    this.#logger.warn({ event: "codex_facts.failed", err: error }, reason);
    if (this.readiness.phase === "recovering") this.readiness.setRecovering(reason);
  }

  #decideReadiness(): void {
    if (this.installation.accountBase.isBeingReplaced) return;
    if (this.facts.loginRequired && this.login.restartIfLoginUnseen()) return;
    const fault = this.facts.findLoginFault(this.#options.accountId);
    if (fault !== null) {
      this.readiness.setBlocked({ code: "native_login_required", message: fault.message });
      this.#logger.warn({ event: fault.event }, fault.message);
      return;
    }
    const wasReady = this.readiness.phase === "ready";
    this.login.noteLoginSeen();
    this.readiness.setReady();
    if (wasReady) return;
    const { codex, appServer } = this.#options;
    this.#codexLog.ready({
      codexVersion: this.#codexVersion,
      account: this.facts.account,
      transport: appServer.kind,
      profile: codex.profile,
      models: this.facts.models ?? [],
    });
  }
}
