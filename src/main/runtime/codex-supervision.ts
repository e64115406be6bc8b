import type { Logger } from "pino";
import { hasFeature } from "../../workers/contract/codex-capabilities.js";
import type { AppServerSource, AppServerTransport } from "./app-server-source.js";
import { CodexFacts } from "./codex-facts.js";
import {
  CodexInstallation,
  type CodexInstallationOptions,
  type OpenInstallation,
} from "./codex-installation.js";
import { CodexLog } from "./codex-log.js";
import { createAppServerSource } from "./create-app-server-source.js";
import { FactsReader } from "./facts-reader.js";
import { HangWatch } from "./hang-watch.js";
import { InstallationWatch } from "./installation-watch.js";
import type { SupervisedTurns } from "./isolated-turns-context.js";
import { LoginFollower } from "./login-follower.js";
import { ManagedConfigurationWatch } from "./managed-configuration-watch.js";
import { PlanWindows } from "./plan-windows.js";
import type { ConnectionChange, WorkerSlot } from "./pool/worker-slot.js";
import { WorkerSlots } from "./pool/worker-slots.js";
import { ReadinessState } from "./readiness-state.js";
import { ThreadRotation } from "./thread-rotation.js";
import type { RateLimits } from "./types.js";
import { Upkeep } from "./upkeep.js";
import { WorkerChildren } from "./worker-children.js";

export interface CodexSupervisionOptions {
  readonly codex: CodexInstallationOptions;
  readonly appServer: AppServerTransport;
  /** Worker threads. */
  readonly workers: number;
  readonly maxConcurrentTurns: number;
  /** Version of this service, which Codex is told. */
  readonly version: string;
  /** The only account that turns may run under; null for any. */
  readonly accountId: string | null;
  /** Threads that an app-server which cannot unload them is given before a new one takes over. */
  readonly maxThreadsKept: number;
  /** What Codex's log databases may grow to while an app-server runs, in bytes. */
  readonly maxLogBytes: number;
}

const reportIntervalMs = 1_000;
/** Longer than the stop ladder of a process of the worker's own. */
const workerCloseTimeoutMs = 2_000;
/** A caller waits for it. */
const windowTimeoutMs = 2_000;
/** A thread that reported within this time is there to hear an app-server. */
const heardWithinMs = 3_000;

/**
 * Keeps Codex going: an app-server, the workers connected to it, and what is known of login and catalog. Readiness is the
 * outcome of all three, and each of them coming or going is handled here and nowhere else.
 */
export class CodexSupervision {
  readonly readiness = new ReadinessState();
  readonly facts: CodexFacts;
  readonly installation: CodexInstallation;
  readonly source: AppServerSource;
  /** To be told of turns that end and of those who look at health. */
  readonly upkeep: Upkeep;
  readonly #options: CodexSupervisionOptions;
  readonly #logger: Logger;
  readonly #factsReader: FactsReader;
  readonly #login: LoginFollower;
  readonly #rotation: ThreadRotation;
  readonly #installationWatch: InstallationWatch;
  readonly #configurationWatch: ManagedConfigurationWatch;
  readonly #codexLog: CodexLog;
  readonly #hangWatch: HangWatch;
  readonly #windows: PlanWindows;
  #slots: WorkerSlots | null = null;
  #turns: SupervisedTurns | null = null;
  #children: WorkerChildren | null = null;
  #running = false;
  #isOver = false;
  #closing: Promise<void> | null = null;
  /** Generation of the app-server that `facts` speak of; 0 while none. */
  #factsGeneration = 0;
  /** Generation of the app-server that workers were last sent to. */
  #dialledGeneration = 0;
  #codexVersion: string | null = null;

  constructor(options: CodexSupervisionOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.facts = new CodexFacts(logger);
    this.installation = new CodexInstallation(options.codex, options.version, logger);
    this.source = createAppServerSource(
      options.appServer,
      this.installation,
      {
        onDial: (dial) => {
          this.#factsGeneration = 0;
          const former = this.#dialledGeneration;
          this.#dialledGeneration = dial.appServerGeneration;
          if (former > 0 && this.#turns?.isIdle(former) !== false) this.source.release(former);
          this.#slots?.connect(dial);
          this.#hangWatch.expectConnection();
          this.#configurationWatch.schedule();
        },
        onDown: ({ reason, blocked }) => this.#onAppServerDown(reason, blocked),
      },
      logger,
    );
    const isLatest = (slot: WorkerSlot) => slot.appServerGeneration === this.#dialledGeneration;
    this.#factsReader = new FactsReader({
      facts: this.facts,
      // What is installed is what the latest app-server was started with: one of before would be taken for it.
      findSlot: () => (this.#running ? (this.#slots?.leastBusy(isLatest) ?? null) : null),
      installed: () => ({
        authFile: this.installation.home?.authFile ?? null,
        catalog: this.installation.catalog,
        accountBase: this.installation.accountBase,
      }),
      onRead: (generation) => this.#onFactsRead(generation),
      onFailed: (error) => this.#onFactsFailed(error),
    });
    this.#login = new LoginFollower({
      installation: this.installation,
      rotate: (reason) => this.source.rotate(reason),
      onStartAgain: (reason, loginChanged) => {
        this.readiness.setRecovering(reason);
        if (loginChanged) this.#turns?.abandonParked();
      },
      onFailed: (error) => this.#onStartFailed(error),
      logger,
    });
    const onFailed = (error: unknown) =>
      logger.warn({ event: "app_server.rotation_failed", err: error }, "the app-server stays as it is");
    this.#rotation = new ThreadRotation({
      maxThreads: options.maxThreadsKept,
      applies: () =>
        this.#running && this.source.hangTimes !== null && !hasFeature(this.codexVersion, "thread_unload"),
      rotate: (reason) => this.#rotateAppServer(reason),
      onFailed,
    });
    this.#installationWatch = new InstallationWatch({
      inspect: () => this.installation.inspect(),
      maxLogBytes: options.maxLogBytes,
      rotate: (reason) => this.#rotateAppServer(reason),
      onFailed,
    });
    const { accountBase } = this.installation;
    this.#configurationWatch = new ManagedConfigurationWatch({
      renewalInMs: () => (this.source.hangTimes === null ? null : accountBase.renewalInMs),
      renew: () => accountBase.renewConfiguration(),
      rotate: (reason) => this.#rotateAppServer(reason),
      onFailed,
    });
    this.#codexLog = new CodexLog({
      running: () => (this.source.hangTimes === null ? null : this.installation.binary),
      search: this.installation.search,
      directory: () => this.installation.directory,
      logger,
    });
    this.#hangWatch = this.#createHangWatch();
    const now = () => performance.now();
    const { facts } = this;
    this.#windows = new PlanWindows({ facts, findSlot: () => this.#findSlot(), now });
    this.upkeep = new Upkeep({
      facts,
      windows: this.#windows,
      findSlot: () => (this.readiness.phase === "ready" ? this.#findSlot() : null),
      inspectDisk: () => Promise.all([this.#installationWatch.check(), this.#codexLog.checkBinary()]),
      now,
    });
  }

  get slots(): WorkerSlots | null {
    return this.#slots;
  }

  /** As the handshake said it, else as the binary did. */
  get codexVersion(): string | null {
    return this.#codexVersion ?? this.installation.binary?.version ?? null;
  }

  /**
   * Starts threads and app-server without waiting for Codex. Rejects when the state directory cannot be used; another try may
   * follow. Does nothing, or stops half-way, once `quiesce` was called.
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
    if (this.#isOver) return;
    const { instance, ledger } = opened;
    const children = new WorkerChildren(ledger, this.#logger);
    this.#children = children;
    const slots = new WorkerSlots({
      threads: this.#options.workers,
      maxConcurrentTurns: this.#options.maxConcurrentTurns,
      workDirectory: instance.work,
      clientVersion: this.#options.version,
      reportIntervalMs,
      processPerWorker: this.#options.appServer.kind === "stdio",
      closeTimeoutMs: workerCloseTimeoutMs,
      now: () => performance.now(),
      callbacks: {
        onConnection: (slot, change) => this.#onConnection(slot, change),
        onAccountChanged: () => void this.#factsReader.read(),
        onRateLimits: (rateLimits) => this.#noteRateLimits(rateLimits),
        onThreadGone: () => this.#turns?.pump(),
        onChild: (slot, pid) => children.set(slot.id, pid),
        onSilent: (slot) => this.#onWorkerSilent(slot),
        onLost: (slot) => this.#onWorkerLost(slot),
        onError: (error) =>
          this.#logger.error({ event: "worker.error", err: error }, "a worker thread failed"),
      },
    });
    this.#slots = slots;
    this.#turns = createTurns(slots);
    this.#running = true;
    this.upkeep.start();
    this.#startSource();
  }

  /** Replaces the app-server; all that runs on the old one ends. */
  async restart(reason: string): Promise<void> {
    if (!this.#running) return;
    this.readiness.setRecovering(reason);
    await this.source.restart(reason).catch((error: unknown) => this.#onStartFailed(error));
  }

  /** When the plan's used-up window opens again, in milliseconds; null where that is not known. `anew`: asks Codex first. */
  async windowOpensInMs({ anew }: { readonly anew: boolean }): Promise<number | null> {
    const known = this.facts.windowOpensInMs(Date.now());
    if (known !== null && !anew) return known;
    await this.#windows.read(windowTimeoutMs);
    return this.facts.windowOpensInMs(Date.now());
  }

  /** The last turn on an app-server of this generation is over. */
  onGenerationIdle(appServerGeneration: number): void {
    if (appServerGeneration < this.#dialledGeneration) this.source.release(appServerGeneration);
  }

  /** A native thread was started on an app-server of this generation. */
  onThreadStarted(appServerGeneration: number): void {
    this.#rotation.noteThread(appServerGeneration);
    this.upkeep.noteWork();
  }

  /** No more reactions: what ends from here on ends because it is told to. */
  quiesce(): void {
    this.#running = false;
    this.#isOver = true;
    this.upkeep.stop();
    this.#hangWatch.stop();
    this.#configurationWatch.stop();
    this.#login.stop();
    this.#factsReader.stop();
  }

  /** Ends all there is, an `open` under way included, which must have settled. A second call joins the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.quiesce();
    this.readiness.setStopped();
    this.installation.stopPreparing();
    // Together: turns are over, so that neither waits for the other, and a service manager waits for both.
    await Promise.all([this.#slots?.close(), this.source.close()]);
    await this.#children?.endAll();
    await this.installation.close();
  }

  async #rotateAppServer(reason: string): Promise<void> {
    this.#logger.info({ event: "app_server.rotating", reason }, `starting a new app-server: ${reason}`);
    await this.source.rotate(reason);
  }

  #startSource(): void {
    const started = this.source.start().catch((error: unknown) => this.#onStartFailed(error));
    // Of someone else's app-server we do not know where its login is.
    if (this.source.hangTimes !== null) void this.#login.start(started);
  }

  #onStartFailed(error: unknown): void {
    if (!this.#running) return;
    const reason = this.#codexLog.startFailed(error);
    this.readiness.setBlocked({ code: "native_runtime_unavailable", message: reason, retryAfterMs: 5000 });
  }

  #onAppServerDown(reason: string, blocked: boolean): void {
    this.#factsGeneration = 0;
    this.#hangWatch.stop();
    if (!this.#running) return;
    // Once blocked it stays so until an app-server is ready: each failed try would otherwise hold callers up again.
    if (blocked || this.readiness.phase === "blocked") {
      this.readiness.setBlocked({ code: "native_runtime_unavailable", message: reason, retryAfterMs: 5000 });
    } else {
      this.readiness.setRecovering(reason);
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
      if (this.#factsGeneration !== change.appServerGeneration) void this.#factsReader.read();
      else this.#decideReadiness();
      this.#hangWatch.look();
      this.#turns?.pump();
      return;
    }
    if (change.state === "silent") this.#slots?.suspectOthers(slot);
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
    this.#hangWatch.look();
  }

  #onWorkerSilent(slot: WorkerSlot): void {
    this.#logger.warn(
      { event: "worker.silent", worker: slot.id, generation: slot.generation },
      "a worker thread does not report; it gets no new turns until it does",
    );
    this.#checkAnyWorkerReady();
  }

  #onWorkerLost(slot: WorkerSlot): void {
    this.#logger.error(
      { event: "worker.lost", worker: slot.id, generation: slot.generation },
      "a worker thread is gone; another takes its place",
    );
    this.#turns?.forgetDeadThreads();
    this.#checkAnyWorkerReady();
    this.#hangWatch.expectConnection();
  }

  #checkAnyWorkerReady(): void {
    if (this.readiness.phase !== "ready") return;
    if (this.#isAnyWorkerReady()) return;
    const silent = this.#slots?.all().some(({ connected }) => connected) === true;
    this.readiness.setRecovering(silent ? "Codex does not answer." : "No worker is connected to Codex.");
  }

  #isAnyWorkerReady(): boolean {
    return this.#findSlot() !== null;
  }

  #findSlot(): WorkerSlot | null {
    return this.#slots?.leastBusy(() => true) ?? null;
  }

  #createHangWatch(): HangWatch {
    return new HangWatch({
      times: () => (this.#running ? this.source.hangTimes : null),
      isAnswering: () => this.#isAnyWorkerReady(),
      isToBlame: () =>
        this.source.isUp && this.#slots?.all().some((slot) => slot.heardWithin(heardWithinMs)) === true,
      onHung: () => {
        this.#logger.error({ event: "app_server.hung" }, "the app-server answers no worker; replacing it");
        this.source
          .restart("The app-server stopped answering; it is being replaced.")
          .catch((error: unknown) => this.#onStartFailed(error));
      },
    });
  }

  #onFactsRead(appServerGeneration: number): void {
    if (!this.#running) return;
    this.#factsGeneration = appServerGeneration;
    const { accountBase } = this.installation;
    accountBase.noteRouting(this.facts.routing, {
      replace: () => this.#rotateAppServer("The account's own settings are kept out of prompts."),
      onKept: () => this.#decideReadiness(),
    });
    // Another account has windows of its own, of which nothing is known yet.
    if (this.facts.rateLimits === null) this.#turns?.noteWindow(null);
    this.#windows.noteAccount(this.facts.account?.id ?? null);
    const rateLimits = accountBase.takeRateLimits();
    if (rateLimits !== null) this.#noteRateLimits(rateLimits);
    this.#decideReadiness();
    void this.#codexLog.noteModels(this.facts.models ?? []);
    this.upkeep.noteReady();
  }

  #noteRateLimits(rateLimits: RateLimits): void {
    this.#windows.noteTold(rateLimits);
    this.#turns?.noteWindow(this.facts.windowOpensInMs(Date.now()));
  }

  #onFactsFailed(error: unknown): void {
    const reason = "Codex does not say who is logged in.";
    this.#logger.warn({ event: "codex_facts.failed", err: error }, reason);
    if (this.readiness.phase === "recovering") this.readiness.setRecovering(reason);
  }

  #decideReadiness(): void {
    if (this.installation.accountBase.isBeingReplaced) return;
    if (this.facts.loginRequired && this.#login.startAgainIfUnseen()) return;
    const fault = this.facts.findLoginFault(this.#options.accountId);
    if (fault !== null) {
      this.readiness.setBlocked({ code: "native_login_required", message: fault.message });
      this.#logger.warn({ event: fault.event }, fault.message);
      return;
    }
    const wasReady = this.readiness.phase === "ready";
    this.#login.noteSeen();
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
