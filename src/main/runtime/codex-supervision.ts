import type { Logger } from "pino";
import { hasFeature } from "../../workers/contract/codex-capabilities.js";
import { CodexNativeApiError } from "../errors.js";
import { type AppServerSource, type AppServerTransport, createAppServerSource } from "./app-server-source.js";
import { CodexFacts } from "./codex-facts.js";
import { CodexInstallation, type CodexInstallationOptions } from "./codex-installation.js";
import { FactsReader } from "./facts-reader.js";
import { InstallationWatch } from "./installation-watch.js";
import { LoginWatch } from "./login-watch.js";
import type { ConnectionChange, WorkerSlot } from "./pool/worker-slot.js";
import { WorkerSlots } from "./pool/worker-slots.js";
import { ReadinessState } from "./readiness-state.js";
import { ThreadRotation } from "./thread-rotation.js";
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

/** What supervision asks and tells of the turns that run on what it keeps alive. */
export interface SupervisedTurns {
  /** Room may have appeared. */
  pump(): void;
  /** Native threads of a lost connection are gone. */
  forgetDeadThreads(): void;
  /** Their login is gone. */
  abandonParked(): void;
  /** Whether nothing runs on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean;
}

const reportIntervalMs = 1_000;
const extrasIntervalMs = 5_000;
const workerCloseTimeoutMs = 5_000;
/** A caller waits for it. */
const windowTimeoutMs = 2_000;
/** How long no worker gets in before a living app-server counts as hung. */
const hungTimeoutMs = 5_000;

/**
 * Keeps Codex going: an app-server, the workers connected to it, and what is known of login and catalog. Readiness is the
 * outcome of all three, and each of them coming or going is handled here and nowhere else.
 */
export class CodexSupervision {
  readonly readiness = new ReadinessState();
  readonly facts: CodexFacts;
  readonly installation: CodexInstallation;
  readonly source: AppServerSource;
  readonly #options: CodexSupervisionOptions;
  readonly #logger: Logger;
  readonly #factsReader: FactsReader;
  readonly #loginWatch: LoginWatch;
  readonly #rotation: ThreadRotation;
  readonly #installationWatch: InstallationWatch;
  #slots: WorkerSlots | null = null;
  #turns: SupervisedTurns | null = null;
  #running = false;
  #extrasTimer: NodeJS.Timeout | null = null;
  #hungTimer: NodeJS.Timeout | null = null;
  /** Generation of the app-server that `facts` speak of; 0 while none. */
  #factsGeneration = 0;
  /** Generation of the app-server that workers were last sent to. */
  #dialledGeneration = 0;
  #codexVersion: string | null = null;

  constructor(options: CodexSupervisionOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.facts = new CodexFacts(logger);
    this.installation = new CodexInstallation(options.codex, logger);
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
        },
        onDown: ({ reason, blocked }) => this.#onAppServerDown(reason, blocked),
      },
      logger,
    );
    this.#factsReader = new FactsReader({
      facts: this.facts,
      findSlot: () => (this.#running ? (this.#slots?.leastBusy(() => true) ?? null) : null),
      authFile: () => this.installation.home?.authFile ?? null,
      onRead: (generation) => this.#onFactsRead(generation),
      onFailed: (error) => this.#onFactsFailed(error),
    });
    this.#loginWatch = new LoginWatch(() => void this.#onLoginChanged());
    const ours = options.appServer.kind === "shared" || options.appServer.kind === "stdio";
    const onFailed = (error: unknown) =>
      logger.warn({ event: "app_server.rotation_failed", err: error }, "the app-server stays as it is");
    this.#rotation = new ThreadRotation({
      maxThreads: options.maxThreadsKept,
      applies: () => this.#running && ours && !hasFeature(this.codexVersion, "thread_unload"),
      rotate: (reason) => this.#rotateAppServer(reason),
      onFailed,
    });
    this.#installationWatch = new InstallationWatch({
      inspect: () => this.installation.inspect(),
      maxLogBytes: options.maxLogBytes,
      rotate: (reason) => this.#rotateAppServer(reason),
      onFailed,
    });
  }

  get slots(): WorkerSlots | null {
    return this.#slots;
  }

  /** As the handshake said it, else as the binary did. */
  get codexVersion(): string | null {
    return this.#codexVersion ?? this.installation.binary?.version ?? null;
  }

  /** Starts threads and app-server without waiting for Codex. Rejects when the state directory cannot be used. */
  async open(createTurns: (slots: WorkerSlots) => SupervisedTurns): Promise<void> {
    this.readiness.setRecovering("Codex is starting.");
    const { instance, ledger } = await this.installation.open();
    const children = new WorkerChildren(ledger, this.#logger);
    const slots = new WorkerSlots({
      threads: this.#options.workers,
      maxConcurrentTurns: this.#options.maxConcurrentTurns,
      workDirectory: instance.work,
      clientVersion: this.#options.version,
      reportIntervalMs,
      closeTimeoutMs: workerCloseTimeoutMs,
      now: () => performance.now(),
      callbacks: {
        onConnection: (slot, change) => this.#onConnection(slot, change),
        onAccountChanged: () => void this.#factsReader.read(),
        onRateLimits: (rateLimits) => this.facts.noteRateLimits(rateLimits),
        onChild: (slot, pid) => children.set(slot.id, pid),
        onLost: (slot) => this.#onWorkerLost(slot),
        onError: (error) =>
          this.#logger.error({ event: "worker.error", err: error }, "a worker thread failed"),
      },
    });
    this.#slots = slots;
    this.#turns = createTurns(slots);
    this.#running = true;
    this.#extrasTimer = setInterval(() => void this.#readExtras(), extrasIntervalMs);
    this.#extrasTimer.unref();
    this.#startSource();
  }

  /** Replaces the app-server; all that runs on the old one ends. */
  async restart(reason: string): Promise<void> {
    this.readiness.setRecovering(reason);
    await this.source.restart(reason).catch((error: unknown) => this.#onStartFailed(error));
  }

  /** When the plan's used-up window opens again, in milliseconds; null where that is not known. */
  async windowOpensInMs(): Promise<number | null> {
    const known = this.facts.windowOpensInMs(Date.now());
    const slot = this.#slots?.leastBusy(() => true) ?? null;
    if (known !== null || slot === null) return known;
    // Codex before 0.160 does not tell of a window by itself.
    await this.facts.readRateLimits(slot, windowTimeoutMs);
    return this.facts.windowOpensInMs(Date.now());
  }

  /** The last turn on an app-server of this generation is over. */
  onGenerationIdle(appServerGeneration: number): void {
    if (appServerGeneration < this.#dialledGeneration) this.source.release(appServerGeneration);
  }

  /** A native thread was started on an app-server of this generation. */
  onThreadStarted(appServerGeneration: number): void {
    this.#rotation.noteThread(appServerGeneration);
  }

  /** No more reactions: what ends from here on ends because it is told to. */
  quiesce(): void {
    this.#running = false;
    if (this.#extrasTimer !== null) clearInterval(this.#extrasTimer);
    if (this.#hungTimer !== null) clearTimeout(this.#hungTimer);
    this.#loginWatch.stop();
  }

  async close(): Promise<void> {
    this.quiesce();
    this.readiness.setStopped();
    await this.#slots?.close();
    await this.source.close();
    await this.installation.close();
  }

  async #rotateAppServer(reason: string): Promise<void> {
    this.#logger.info({ event: "app_server.rotating", reason }, `starting a new app-server: ${reason}`);
    await this.source.rotate(reason);
  }

  #startSource(): void {
    this.source.start().then(
      () => this.#watchLogin(),
      (error: unknown) => {
        this.#onStartFailed(error);
        this.#watchLogin();
      },
    );
  }

  #watchLogin(): void {
    const authFile = this.installation.home?.authFile;
    if (this.#running && authFile !== undefined) this.#loginWatch.start(authFile);
  }

  #onStartFailed(error: unknown): void {
    const reason =
      error instanceof CodexNativeApiError ? error.message : "Codex could not be started; the log says why.";
    this.#logger.error({ event: "app_server.start_failed", err: error }, reason);
    this.readiness.setBlocked({ code: "native_runtime_unavailable", message: reason, retryAfterMs: 5000 });
  }

  #onAppServerDown(reason: string, blocked: boolean): void {
    this.#factsGeneration = 0;
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
    if (this.readiness.phase !== "ready") return;
    if (this.#slots?.leastBusy(() => true) !== null) return;
    this.readiness.setRecovering("No worker is connected to Codex.");
    this.#watchForHang();
  }

  /** An app-server that lives and lets nobody in is hung: workers would dial it for ever. */
  #watchForHang(): void {
    this.#hungTimer ??= setTimeout(() => {
      this.#hungTimer = null;
      if (this.readiness.phase !== "recovering" || this.source.health().pid === null) return;
      this.#logger.error({ event: "app_server.hung" }, "the app-server lets no worker in; replacing it");
      this.source
        .restart("The app-server stopped answering; it is being replaced.")
        .catch((error: unknown) => this.#onStartFailed(error));
      this.#watchForHang();
    }, hungTimeoutMs);
    this.#hungTimer.unref();
  }

  #onFactsRead(appServerGeneration: number): void {
    if (!this.#running) return;
    this.#factsGeneration = appServerGeneration;
    this.#decideReadiness();
    void this.#readExtras();
  }

  #onFactsFailed(error: unknown): void {
    const reason = "Codex does not say who is logged in.";
    this.#logger.warn({ event: "codex_facts.failed", err: error }, reason);
    if (this.readiness.phase === "recovering") this.readiness.setRecovering(reason);
  }

  #decideReadiness(): void {
    if (this.facts.loginRequired) {
      this.readiness.setBlocked({
        code: "native_login_required",
        message: "Codex is not logged in on this machine. Run `codex login`; the service notices by itself.",
      });
      this.#logger.warn({ event: "codex.login_required" }, "Codex is not logged in: run `codex login`");
      return;
    }
    if (this.#options.accountId !== null && this.facts.account?.id !== this.#options.accountId) {
      this.readiness.setBlocked({
        code: "native_login_required",
        message:
          "Codex is logged in with another account than the one this service is for. Log in with that one; the service notices by itself.",
      });
      this.#logger.warn(
        { event: "codex.wrong_account" },
        "Codex is logged in with another account than this service is for",
      );
      return;
    }
    const wasReady = this.readiness.phase === "ready";
    this.readiness.setReady();
    if (wasReady) return;
    const binary = this.installation.binary;
    const { account } = this.facts;
    this.#logger.info(
      {
        event: "codex.ready",
        binary: binary?.path,
        found: binary?.source,
        codexVersion: this.#codexVersion,
        account: account?.email ?? account?.authMode,
        plan: account?.plan,
        transport: this.#options.appServer.kind,
        profile: this.#options.codex.profile,
        models: this.facts.models?.length,
      },
      "Codex is ready",
    );
  }

  async #readExtras(): Promise<void> {
    const slot = this.#slots?.leastBusy(() => true) ?? null;
    if (slot === null || this.readiness.phase !== "ready") return;
    await Promise.all([this.#installationWatch.check(), this.facts.readExtras(slot)]);
  }

  /** A running app-server keeps the login it started with: only a new one sees another. */
  async #onLoginChanged(): Promise<void> {
    if (!this.#running) return;
    this.#logger.info({ event: "codex.login_changed" }, "the Codex login changed; starting a new app-server");
    this.readiness.setRecovering("The Codex login changed; Codex is restarting with it.");
    this.#turns?.abandonParked();
    await this.source
      .rotate("The Codex login changed.")
      .catch((error: unknown) => this.#onStartFailed(error));
  }
}
