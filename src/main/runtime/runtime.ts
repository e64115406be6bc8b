import { join } from "node:path";
import type { Logger } from "pino";
import { missingFeatures } from "../../workers/contract/codex-capabilities.js";
import { CodexSupervision } from "../codex/supervision/codex-supervision.js";
import type { WorkerSlot } from "../codex/workers/worker-slot.js";
import type { WorkerSlots } from "../codex/workers/worker-slots.js";
import { defaults } from "../config/defaults.js";
import { CodexNativeApiError } from "../errors.js";
import { unboundedRoom } from "../turns/admission/admission.js";
import { UpstreamLimits } from "../turns/admission/upstream-limits.js";
import { IsolatedTurns, noTurnsHealth } from "../turns/isolated-turns.js";
import { PromptForms } from "../turns/prompt-forms.js";
import { resolveDecisionModel } from "./decision-models.js";
import {
  chooseModel,
  describeCatalog,
  judgeAliases,
  type NamingFacts,
  resolveDefault,
  resolveModelName,
  standardEffort,
} from "./model-names.js";
import { checkRuntimeOptions, longestSilence, runtimeBounds, usageBoundsOf } from "./options-in-force.js";
import type { CodexNativeRuntimeOptions, RuntimeSettings } from "./runtime-options.js";
import type {
  HealthOptions,
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NamedModel,
  NativeModel,
  NativeRuntimeHealth,
  NativeTurnRuntime,
  Readiness,
  RequestTarget,
  ResolveOptions,
  ToolOutput,
  TurnTerms,
} from "./types.js";

const providerKind = "openai-native";
const clocks = { now: () => performance.now(), wallClock: Date.now } as const;

/**
 * The supervisor without HTTP: keeps an app-server and worker threads alive and runs isolated turns on them. A host program
 * may use it directly; the HTTP service is one user of it.
 */
export class CodexNativeRuntime implements NativeTurnRuntime {
  #options: CodexNativeRuntimeOptions;
  readonly #providerProfileId: string;
  readonly #logger: Logger;
  readonly #supervision: CodexSupervision;
  /** Null: callers get each refusal of the backend as it comes. */
  readonly #limits: UpstreamLimits | null;
  readonly #forms: PromptForms;
  #turns: IsolatedTurns | null = null;
  #isClosed = false;
  #opening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** `destroy` was called: turns get no grace. */
  #isDestroyed = false;

  /** @throws TypeError that names every option of the wrong shape. */
  constructor(options: CodexNativeRuntimeOptions, logger: Logger) {
    checkRuntimeOptions(options, logger);
    this.#options = options;
    this.#providerProfileId = options.providerProfileId ?? "openai-default";
    this.#logger = logger;
    const { upstreamLimit: limit = "auto" } = options.turns;
    const accountId = () => this.#supervision.facts.account?.id ?? null;
    const limitsOptions = {
      most: () => this.#options.admission.maxConcurrentTurns,
      file: join(options.codex.stateDir, "upstream-limits.json"),
      ...clocks,
    };
    this.#limits =
      limit === "none" ? null : new UpstreamLimits({ ...limitsOptions, limit }, accountId, logger);
    this.#forms = new PromptForms({
      profile: options.turns.profile,
      file: join(options.codex.stateDir, "prompt-forms.json"),
      codex: () => {
        const { installation, codexVersion: version } = this.#supervision;
        const { catalog, catalogPaths } = installation;
        return { version, accountId: accountId(), catalog, catalogPaths };
      },
      ...clocks,
      logger,
    });
    this.#supervision = new CodexSupervision(
      {
        codex: {
          ...options.codex,
          profile: options.turns.profile,
          silenceLimitMs: longestSilence(options.turns),
          stopStepMs: runtimeBounds.stopStepMs,
        },
        appServer: options.appServer,
        workers: options.workers,
        maxConcurrentTurns: runtimeBounds.mostConcurrentTurns,
        version: options.version,
        accountId: options.accountId ?? null,
        maxThreadsKept: options.maxThreadsKept ?? runtimeBounds.maxThreadsKept,
        maxLogBytes: options.maxLogBytes ?? runtimeBounds.maxLogBytes,
        usage: usageBoundsOf(options),
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
      ...(settings.models !== undefined && { models: settings.models }),
      ...(settings.decisions !== undefined && { decisions: settings.decisions }),
      turns: { ...this.#options.turns, ...turns },
      admission: { ...this.#options.admission, ...admission },
    };
    this.#turns?.reconfigure(admission);
  }

  /**
   * Opens the runtime and resolves with where it stands once that is known: not ready is an answer too (no binary, no
   * login, closed meanwhile), and the runtime keeps trying. May be called again, also after it failed.
   */
  async start(): Promise<Readiness> {
    await this.open();
    return this.#supervision.readiness.settled(runtimeBounds.startTimeoutMs);
  }

  /**
   * Starts threads and app-server without waiting for Codex; a further call joins the first. Rejects with
   * `native_runtime_unavailable` when the state directory cannot be used: then nothing is left of it, and it may be called again.
   * Closed meanwhile, it resolves, with nothing left. Throws once the runtime is closed, for good: make another.
   */
  open(): Promise<void> {
    if (this.#closing !== null) {
      const message = `This runtime is ${this.#isClosed ? "closed" : "closing"}; make another.`;
      return Promise.reject(new CodexNativeApiError("native_runtime_unavailable", message));
    }
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    try {
      await Promise.all([this.#limits?.load(), this.#forms.load()]);
      await this.#supervision.open((slots) => {
        this.#turns = this.#createTurns(slots);
        return this.#turns;
      });
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  get readiness(): Readiness {
    return this.#supervision.readiness.current;
  }

  /** Whether the runtime expects to be ready within moments, by itself: Codex is starting, or a connection was lost. */
  get recovering(): boolean {
    return this.#supervision.readiness.phase === "recovering";
  }

  /**
   * Calls the listener whenever readiness was determined, which may be with the same outcome; returns the function that
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
    if (refresh) this.#supervision.upkeep.noteHealthRead();
    const { readiness, facts, codexVersion, installation, slots, login } = this.#supervision;
    const { account, rateLimits, managedTexts, loadedThreads } = facts;
    const workers = slots?.health() ?? [];
    const { queue, spareThreads, connections } = this.#turns?.health() ?? noTurnsHealth;
    const limits = this.#limits?.health() ?? [];
    return {
      readiness: readiness.current,
      providerProfileId: this.#providerProfileId,
      providerKind,
      account,
      rateLimits,
      codexVersion,
      managedTexts,
      profile: this.#options.turns.profile,
      catalog: describeCatalog(this.#naming),
      aliases: judgeAliases(this.#naming),
      appServer: {
        ...this.#supervision.appServerHealth(),
        loadedThreads,
        loginTakeovers: login.health.count,
      },
      workers,
      queue,
      spareThreads,
      upstreamLimits: { limits, refusals: this.#limits?.refusals ?? 0, connections },
      promptForms: { models: this.#forms.health(), changes: this.#forms.changes },
      degraded: [
        ...(workers.some(({ hangingCalls = 0 }) => hangingCalls > 0) ? ["unanswered_calls"] : []),
        ...(login.health.isRefused ? ["login_refused"] : []),
        ...installation.degraded,
        ...this.#supervision.degraded,
        ...installation.accountBase.findDegraded(account?.authMode, codexVersion),
        ...missingFeatures(codexVersion),
      ],
    };
  }

  async listModels(): Promise<readonly NativeModel[]> {
    const readiness = await this.#supervision.readiness.settled(this.#options.admission.queueTimeoutMs);
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    return (this.#supervision.facts.models ?? []).filter(({ hidden }) => !hidden);
  }

  async resolveModel(
    name: string,
    { timeoutMs = Number.POSITIVE_INFINITY, forDecisions = false }: ResolveOptions = {},
  ): Promise<NamedModel> {
    const { decisions = { model: null, ...defaults.decisions } } = this.#options;
    const resolve = (given: string) =>
      forDecisions
        ? resolveDecisionModel(given, this.#namingNow, decisions)
        : resolveModelName(given, this.#namingNow);
    const named = resolve(name);
    if (named !== null) return named;
    const waitMs = Math.min(timeoutMs, this.#options.admission.queueTimeoutMs);
    const readiness = await this.#supervision.readiness.settled(waitMs);
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    return resolve(name) ?? { model: name, alias: null, effort: null, serviceTier: null };
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

  async expectTurn(request: IsolatedTurnRequest, signal?: AbortSignal): Promise<void> {
    await this.#turns?.expect(request, signal);
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
    this.#turns?.threads.release(threadId);
  }

  findParkedTurn(callIds: readonly string[], owner: string | null = null): string | null {
    return this.#turns?.parked.find(callIds, owner) ?? null;
  }

  abandonTurn(turnId: string): void {
    this.#turns?.parked.abandon(turnId);
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
    return this.#supervision.readiness.settled(runtimeBounds.startTimeoutMs);
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
    this.#supervision.quiesce();
    // An opening under way notices the close and stops. If it failed, the caller of `open` got the error.
    await this.#opening?.catch(() => {});
    await this.#turns?.close(this.#isDestroyed ? 0 : graceMs);
    await Promise.all([this.#limits?.close(), this.#forms.close()]);
    await this.#supervision.close();
    this.#isClosed = true;
  }

  #createTurns(slots: WorkerSlots): IsolatedTurns {
    const { readiness, facts, installation } = this.#supervision;
    const { turns, admission, appServer } = this.#options;
    const { parking, maxLoadedThreads, spareThreads } = runtimeBounds;
    return new IsolatedTurns(
      {
        admission,
        processPerWorker: appServer.kind === "stdio",
        parking,
        maxLoadedThreads,
        spareThreads: { ...spareThreads, maxThreads: turns.spareThreads ?? defaults.turns.spareThreads },
        connections: {
          // Other logins have no WebSocket connections that outlive a turn.
          most: () =>
            facts.account?.authMode === "chatgpt"
              ? (turns.upstreamConnections ?? defaults.turns.upstreamConnections)
              : null,
          perSecond: turns.upstreamConnectionsPerSecond ?? defaults.turns.upstreamConnectionsPerSecond,
        },
      },
      {
        turnBounds: () => this.#options.turns,
        slots,
        readiness,
        logger: this.#logger,
        codexVersion: () => this.#supervision.codexVersion,
        isCatalogDerived: () => this.#supervision.installation.catalog !== null,
        forms: this.#forms,
        chooseModel: (id) => chooseModel(id, this.#naming),
        resolveModel: (name, timeoutMs) =>
          name === undefined
            ? resolveDefault(this.#namingNow)
            : (resolveModelName(name, this.#namingNow) ?? this.resolveModel(name, { timeoutMs })),
        describeTarget: (slot) => this.#describeTarget(slot),
        standardEffort: (thread) => standardEffort(thread, this.#supervision),
        onTurnEnded: (observation) => {
          this.#supervision.upkeep.noteWork();
          if (observation.firstEventMs !== null) this.#supervision.login.noteAnswered();
          this.#options.observer?.onTurnEnded(observation);
        },
        // Somebody else's app-server has an environment of its own.
        explainFailure: async (error) =>
          appServer.kind === "shared" || appServer.kind === "stdio"
            ? installation.network.explain(error)
            : error,
        windowOpensInMs: (options) => this.#supervision.windows.opensInMs(options),
        takeOverLogin: (generation) => this.#supervision.login.takeOver(generation),
        room: this.#limits ?? unboundedRoom,
        onGenerationIdle: (generation) => this.#supervision.onGenerationIdle(generation),
        onThreadStarted: (generation) => this.#supervision.onThreadStarted(generation),
        availableBytes: () => process.availableMemory(),
      },
    );
  }

  /** For requests: while Codex is not ready, the catalog may still be that of another login. */
  get #namingNow(): NamingFacts {
    return this.readiness.ready ? this.#naming : { ...this.#naming, catalog: null };
  }

  /** What names of models are resolved with, as far as it was ever known. */
  get #naming(): NamingFacts {
    const { facts, installation } = this.#supervision;
    return {
      aliases: this.#options.models?.aliases ?? {},
      defaultName: this.#options.turns.defaultModel,
      catalog: facts.models,
      isOpen: (installation.home?.modelProvider ?? "openai") !== "openai",
    };
  }

  #describeTarget(slot: WorkerSlot): RequestTarget {
    const { account, managedTexts } = this.#supervision.facts;
    return {
      providerProfileId: this.#providerProfileId,
      providerKind,
      accountId: account?.id ?? null,
      workerId: slot.id,
      appServerGeneration: slot.appServerGeneration,
      managedTexts,
    };
  }
}
