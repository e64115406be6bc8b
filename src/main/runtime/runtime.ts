import os from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { missingFeatures } from "../../workers/contract/codex-capabilities.js";
import { CodexNativeApiError } from "../errors.js";
import { unboundedRoom } from "./admission/admission.js";
import { UpstreamLimits } from "./admission/upstream-limits.js";
import { CodexSupervision } from "./codex-supervision.js";
import { IsolatedTurns } from "./isolated-turns.js";
import { chooseModel } from "./model-choice.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { WorkerSlots } from "./pool/worker-slots.js";
import { PromptForms } from "./prompt-forms.js";
import type { CodexNativeRuntimeOptions, RuntimeSettings } from "./runtime-options.js";
import type {
  HealthOptions,
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeModel,
  NativeRuntimeHealth,
  NativeTurnRuntime,
  Readiness,
  RequestTarget,
  ToolOutput,
  TurnTerms,
} from "./types.js";

type RuntimeState = "idle" | "starting" | "running" | "closing" | "closed";

const providerKind = "openai-native";
/** Each step of a child's stop ladder: twice SIGTERM, then SIGKILL. A Codex without turns ends within a tenth of it. */
const stopStepMs = 500;
/** Idle native threads kept for their chains. One costs the app-server 1 to 2 MB: 64 of them were measured to add 60 % to it. */
const maxLoadedThreads = 16;
/** At 0.85 MB each: about 340 MB beside the 150 MB of an empty app-server. */
const maxThreadsKept = 400;
/** Codex before 0.169 logs some 20 KB a turn (0.150 and 0.160, with short prompts): thousands of turns. */
const maxLogBytes = 128 * 1024 * 1024;
const defaultSpareThreads = 8;
/** Public reports tell of refused upgrades beyond some 50 connections of one account. */
const defaultUpstreamConnections = 32;
const defaultUpstreamConnectionsPerSecond = 16;
/** One costs as much memory as any idle thread. Somebody who asks every few minutes still finds one. */
const spareThreads = {
  idleMs: 900_000,
  // The real backend ends every WebSocket after 60 minutes (earendil-works/pi#6268), without notice to us.
  maxAgeMs: 50 * 60_000,
  minAvailableBytes: 512 * 1024 * 1024,
} as const;
const noSpareThreads = { ready: 0, taken: 0, missed: 0, discarded: 0 } as const;
/** How long, and how many, turns may wait for outputs of the caller's functions. */
const parking = { ttlMs: 600_000, maxTurns: 1_000 } as const;
/** Bound of the pool's own, which admission never lets turns reach: a reload may raise admission's, and not the pool's. */
const mostConcurrentTurns = 100_000;
/** How long `start` waits before it answers that Codex is not ready yet. */
const startTimeoutMs = 30_000;

/**
 * The supervisor without HTTP: keeps an app-server and worker threads alive and runs isolated turns on them. A host program
 * may use it directly; the HTTP service is one user of it.
 */
export class CodexNativeRuntime implements NativeTurnRuntime {
  #options: CodexNativeRuntimeOptions;
  readonly #logger: Logger;
  readonly #supervision: CodexSupervision;
  /** Null: refusals of the backend are passed on as they come. */
  readonly #limits: UpstreamLimits | null;
  readonly #forms: PromptForms;
  #turns: IsolatedTurns | null = null;
  #state: RuntimeState = "idle";
  #opening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** Nobody waits for turns any more. */
  #isDestroyed = false;

  constructor(options: CodexNativeRuntimeOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    const { upstreamLimit: limit = "auto" } = options.turns;
    const limitsOptions = {
      most: () => this.#options.admission.maxConcurrentTurns,
      file: join(options.codex.stateDir, "upstream-limits.json"),
      now: () => performance.now(),
      wallClock: Date.now,
    };
    const accountInForce = () => this.#supervision.facts.account?.id ?? null;
    this.#limits =
      limit === "none" ? null : new UpstreamLimits({ ...limitsOptions, limit }, accountInForce, logger);
    this.#forms = new PromptForms({
      profile: options.turns.profile,
      file: join(options.codex.stateDir, "prompt-forms.json"),
      codex: () => {
        const { facts, installation, codexVersion: version } = this.#supervision;
        const { catalog, catalogPaths } = installation;
        return { version, accountId: facts.account?.id ?? null, catalog, catalogPaths };
      },
      now: () => performance.now(),
      wallClock: Date.now,
      logger,
    });
    this.#supervision = new CodexSupervision(
      {
        codex: {
          ...options.codex,
          profile: options.turns.profile,
          silenceLimitMs: longestSilence(options.turns),
          stopStepMs,
        },
        appServer: options.appServer,
        workers: options.workers,
        maxConcurrentTurns: mostConcurrentTurns,
        version: options.version,
        accountId: options.accountId ?? null,
        maxThreadsKept: options.maxThreadsKept ?? maxThreadsKept,
        maxLogBytes: options.maxLogBytes ?? maxLogBytes,
      },
      logger,
    );
  }

  /** Takes other bounds from here on; turns that wait or run keep those they began with. */
  reconfigure(settings: RuntimeSettings): void {
    // By name: a whole configuration may be given, whose other parts are not in force.
    const { defaultModel, idleTimeoutMs, idleTimeoutsMs = {}, timeoutMs } = settings.turns;
    const { maxConcurrentTurns, maxQueue, queueTimeoutMs } = settings.admission;
    const turns = { defaultModel, idleTimeoutMs, idleTimeoutsMs, timeoutMs };
    const admission = { maxConcurrentTurns, maxQueue, queueTimeoutMs };
    this.#options = {
      ...this.#options,
      turns: { ...this.#options.turns, ...turns },
      admission: { ...this.#options.admission, ...admission },
    };
    this.#turns?.reconfigure({ ...turns, admission });
  }

  /**
   * Opens the runtime and resolves with where it stands once that is known: not ready is an answer too (no binary, no
   * login, closed meanwhile), and the runtime goes on trying. May be called again, also after it failed.
   */
  async start(): Promise<Readiness> {
    await this.open();
    return this.#supervision.readiness.settled(startTimeoutMs);
  }

  /**
   * Starts threads and app-server without waiting for Codex; a further call joins the first. Rejects with
   * `native_runtime_unavailable` when the state directory cannot be used: then nothing is left of it, and it may be called again.
   * Closed meanwhile, it resolves, with nothing left. Throws once the runtime is closed, for good: make another.
   */
  open(): Promise<void> {
    if (this.#closing !== null) {
      return Promise.reject(
        new CodexNativeApiError(
          "native_runtime_unavailable",
          `This runtime is ${this.#state}; make another.`,
        ),
      );
    }
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    this.#enter("starting");
    try {
      await Promise.all([this.#limits?.load(), this.#forms.load()]);
      await this.#supervision.open((slots) => {
        this.#turns = this.#createTurns(slots);
        return this.#turns;
      });
      this.#enter("running");
    } catch (error) {
      this.#opening = null;
      this.#enter("idle");
      throw error;
    }
  }

  /** Nothing leads back from closing. */
  #enter(state: RuntimeState): void {
    if (this.#closing !== null && state !== "closed") return;
    this.#state = state;
  }

  get readiness(): Readiness {
    return this.#supervision.readiness.current;
  }

  /** Whether the runtime expects to be ready within moments, by itself: Codex is starting, or a connection was lost. */
  get recovering(): boolean {
    return this.#supervision.readiness.phase === "recovering";
  }

  /**
   * Calls the listener whenever readiness was decided anew, which may be with the same outcome; returns the function that
   * unsubscribes. The listener must not throw.
   */
  onReadinessChange(listener: () => void): () => void {
    return this.#supervision.readiness.onChange(listener);
  }

  /** Resolves once the runtime is ready, or is not and will not be within moments; at the latest after `timeoutMs`. */
  untilSettled(timeoutMs: number): Promise<Readiness> {
    return this.#supervision.readiness.settled(timeoutMs);
  }

  health({ refresh = false }: HealthOptions = {}): NativeRuntimeHealth {
    if (refresh) this.#supervision.upkeep.noteOnlooker();
    return {
      readiness: this.#supervision.readiness.current,
      providerProfileId: this.#providerProfileId,
      providerKind,
      account: this.#supervision.facts.account,
      rateLimits: this.#supervision.facts.rateLimits,
      codexVersion: this.#supervision.codexVersion,
      managedTexts: this.#supervision.facts.managedTexts,
      profile: this.#options.turns.profile,
      appServer: {
        ...this.#supervision.source.health(),
        loadedThreads: this.#supervision.facts.loadedThreads,
      },
      workers: this.#supervision.slots?.health() ?? [],
      queue: this.#turns?.queue ?? { depth: 0, running: 0 },
      spareThreads: this.#turns?.spareThreads ?? noSpareThreads,
      upstreamLimits: {
        limits: this.#limits?.health() ?? [],
        refusals: this.#limits?.refusals ?? 0,
        connections: this.#turns?.upstreamConnections ?? { held: 0, bound: null, refused: 0 },
      },
      promptForms: { models: this.#forms.health(), changes: this.#forms.changes },
      degraded: [
        ...(this.#hangingCalls > 0 ? ["unanswered_calls"] : []),
        ...this.#supervision.installation.degraded,
        ...this.#supervision.source.degraded,
        ...this.#supervision.installation.accountBase.findDegraded(
          this.#supervision.facts.account?.authMode,
          this.#supervision.codexVersion,
        ),
        ...missingFeatures(this.#supervision.codexVersion),
      ],
    };
  }

  async listModels(): Promise<readonly NativeModel[]> {
    const readiness = await this.#supervision.readiness.settled(this.#options.admission.queueTimeoutMs);
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    return (this.#supervision.facts.models ?? []).filter((model) => !model.hidden);
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
    terms: TurnTerms = {},
  ): Promise<IsolatedTurnResult | null> {
    return this.#turns?.resume(turnId, outputs, handlers, terms) ?? null;
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

  findParkedTurn(callIds: readonly string[], owner: string | null = null): string | null {
    return this.#turns?.findParked(callIds, owner) ?? null;
  }

  abandonTurn(turnId: string): void {
    this.#turns?.abandon(turnId);
  }

  /**
   * Ends a worker thread at once, with whatever runs on it; another takes its place under a new generation. For a thread that
   * hangs: its turns that showed nothing are run again elsewhere.
   */
  async recycleWorker(workerId: string): Promise<void> {
    const slot = this.#supervision.slots?.all().find((candidate) => candidate.id === workerId);
    if (slot !== undefined) await this.#supervision.slots?.pool.terminate(slot.threadId);
  }

  /** Replaces the app-server by a new generation and answers once that is ready, or why it is not. */
  async reconnect(): Promise<Readiness> {
    await this.#supervision.restart("Codex is restarting, as it was asked to.");
    return this.#supervision.readiness.settled(startTimeoutMs);
  }

  /**
   * Lets turns in flight end within the grace, then stops everything, a start under way included. A second call joins the first.
   */
  close(): Promise<void> {
    this.#closing ??= this.#stop(this.#options.shutdownGraceMs);
    return this.#closing;
  }

  /** Stops everything now, also when `close` is under way; turns in flight end with `native_runtime_unavailable`. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    this.#closing ??= this.#stop(0);
    this.#turns?.cutGraceShort();
    await this.#closing;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = "closing";
    this.#supervision.quiesce();
    // It sees that it is over, and stops. Why it failed was said to whoever opened it.
    await this.#opening?.catch(() => {});
    await this.#turns?.close(this.#isDestroyed ? 0 : graceMs);
    await Promise.all([this.#limits?.close(), this.#forms.close()]);
    await this.#supervision.close();
    this.#enter("closed");
  }

  get #hangingCalls(): number {
    const workers = this.#supervision.slots?.health() ?? [];
    return workers.reduce((sum, { hangingCalls = 0 }) => sum + hangingCalls, 0);
  }

  get #providerProfileId(): string {
    return this.#options.providerProfileId ?? "openai-default";
  }

  #createTurns(slots: WorkerSlots): IsolatedTurns {
    const { readiness, facts, installation } = this.#supervision;
    const { turns, admission, appServer } = this.#options;
    return new IsolatedTurns(
      {
        admission,
        idleTimeoutMs: turns.idleTimeoutMs,
        idleTimeoutsMs: turns.idleTimeoutsMs ?? {},
        timeoutMs: turns.timeoutMs,
        processPerWorker: appServer.kind === "stdio",
        parking,
        maxLoadedThreads,
        spareThreads: { ...spareThreads, maxThreads: turns.spareThreads ?? defaultSpareThreads },
        connections: {
          // Other logins have no WebSocket connections that outlive a turn.
          most: () =>
            facts.account?.authMode === "chatgpt"
              ? (turns.upstreamConnections ?? defaultUpstreamConnections)
              : null,
          perSecond: turns.upstreamConnectionsPerSecond ?? defaultUpstreamConnectionsPerSecond,
        },
        now: () => performance.now(),
        wallClock: () => Date.now(),
        bootClock: () => os.uptime() * 1_000,
      },
      {
        slots,
        readiness,
        logger: this.#logger,
        codexVersion: () => this.#supervision.codexVersion,
        forms: this.#forms,
        chooseModel: (requested) =>
          chooseModel({
            requested,
            configured: this.#options.turns.defaultModel,
            catalog: facts.models,
            customProvider: (installation.home?.modelProvider ?? "openai") !== "openai",
          }),
        describeTarget: (slot) => this.#describeTarget(slot),
        observer: {
          onTurnEnded: (observation) => {
            this.#supervision.upkeep.noteWork();
            this.#options.observer?.onTurnEnded(observation);
          },
        },
        windowOpensInMs: (options) => this.#supervision.windowOpensInMs(options),
        room: this.#limits ?? unboundedRoom,
        onGenerationIdle: (generation) => this.#supervision.onGenerationIdle(generation),
        onThreadStarted: (generation) => this.#supervision.onThreadStarted(generation),
        availableBytes: () => process.availableMemory(),
      },
    );
  }

  #describeTarget(slot: WorkerSlot): RequestTarget {
    return {
      providerProfileId: this.#providerProfileId,
      providerKind,
      accountId: this.#supervision.facts.account?.id ?? null,
      workerId: slot.id,
      appServerGeneration: slot.appServerGeneration,
      managedTexts: this.#supervision.facts.managedTexts,
    };
  }
}

function longestSilence({ idleTimeoutMs, idleTimeoutsMs = {} }: CodexNativeRuntimeOptions["turns"]): number {
  return Math.max(idleTimeoutMs, ...Object.values(idleTimeoutsMs));
}
