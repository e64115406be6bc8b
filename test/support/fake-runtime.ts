/** A `NativeTurnRuntime` that a test plays by hand: no process, no thread, no model. */
import type { TurnEnd } from "../../src/main/dialects/dialect.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { type NamingFacts, resolveModelName } from "../../src/main/runtime/model-names.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  JsonObject,
  NamedModel,
  NativeModel,
  NativeRuntimeHealth,
  NativeTurnRuntime,
  TokenUsage,
  ToolOutput,
  TurnEvent,
  TurnStarted,
} from "../../src/main/runtime/types.js";
import { newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";

export const fakeUsage: TokenUsage = {
  inputTokens: 11,
  cachedInputTokens: 3,
  cacheWriteInputTokens: 5,
  outputTokens: 7,
  reasoningOutputTokens: 2,
  totalTokens: 18,
};

/** The end of a turn that says no more than that. */
export const ended: TurnEnd = { outcome: { status: "completed" }, usage: null, unmet: [] };

export const fakeTarget = {
  providerProfileId: "openai",
  providerKind: "chatgpt",
  accountId: "acct_1",
  workerId: "worker-1",
  appServerGeneration: 4,
} as const;

export const fakeStarted: TurnStarted = {
  threadId: "thread_1",
  turnId: "turn_1",
  model: "gpt-fake",
  target: fakeTarget,
};

export const fakeModels: readonly NativeModel[] = ["gpt-fake", "gpt-fake-mini"].map((id, index) => ({
  id,
  displayName: id.toUpperCase(),
  description: "A model of no substance",
  isDefault: index === 0,
  hidden: false,
  defaultReasoningEffort: "medium",
  supportedReasoningEfforts: ["low", "medium", "high"],
  inputModalities: ["text", "image"],
  serviceTiers: [],
}));

export const readyHealth: NativeRuntimeHealth = {
  readiness: { ready: true },
  providerProfileId: "openai",
  providerKind: "chatgpt",
  account: { id: "acct_1", email: "user@example.com", plan: "plus", authMode: "chatgpt" },
  rateLimits: {
    primary: { usedPercent: 12, windowMinutes: 300, resetsAt: 1_800_000_000 },
    secondary: null,
    plan: "plus",
    reached: null,
  },
  codexVersion: newestTestedCodex,
  profile: "lean",
  catalog: { models: 2, defaultModel: "gpt-fake" },
  appServer: {
    generation: 4,
    pid: 4242,
    rssBytes: 150_000_000,
    idleCpuPercent: 0.125,
    restarts: 0,
    rotations: { login: 2, memory: 1 },
    lastRotation: { reason: "memory", atMs: 1_790_000_000_400 },
    uptimeMs: 1000,
    loadedThreads: 0,
    transport: "shared",
  },
  workers: [
    {
      id: "worker-1",
      generation: 1,
      state: "ready",
      activeTurns: 0,
      completedTurns: 0,
      reconnects: 0,
      lastReportAgeMs: 10,
      eventLoopDelayMs: 0.1,
    },
  ],
  queue: { depth: 0, running: 0 },
  spareThreads: { ready: 1, taken: 5, missed: 2, discarded: 1 },
  upstreamLimits: {
    limits: [{ model: null, limit: 6, running: 2, ceiling: 7 }],
    refusals: 3,
    connections: { held: 3, bound: 32, refused: 0 },
  },
  degraded: [],
};

type RequestShown = Omit<IsolatedTurnRequest, "items"> & { readonly items: readonly JsonObject[] };

/** One turn in a test's hands. */
export class FakeTurn {
  readonly handlers: IsolatedTurnHandlers;
  readonly #given: IsolatedTurnRequest;
  #shown: RequestShown | null = null;

  constructor(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers) {
    this.#given = request;
    this.handlers = handlers;
  }

  /** With its items as values, which are read only for tests that look at them. */
  get request(): RequestShown {
    this.#shown ??= { ...this.#given, items: [...this.#given.items] };
    return this.#shown;
  }

  /** The turn leaves the queue. One that starts has left it. */
  admit(): void {
    this.handlers.onAdmission?.(true);
  }

  start(started: TurnStarted = fakeStarted): void {
    this.handlers.onTurnStarted?.(started);
  }

  /** Settles when the reader wants more. */
  async emit(...events: readonly TurnEvent[]): Promise<void> {
    for (const event of events) await this.handlers.onEvent?.(event);
  }

  async emitText(id: string, deltas: readonly string[]): Promise<void> {
    await this.emit({ type: "item.started", itemId: id, itemType: "message" });
    for (const delta of deltas) await this.emit({ type: "text.delta", itemId: id, delta });
    await this.emit({ type: "item.completed", item: messageItem(id, deltas.join("")) });
  }

  /** Settles when the caller gives the turn up. */
  async aborted(): Promise<void> {
    const { signal } = this.handlers;
    if (signal === undefined || signal.aborted) return;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  result(status: "completed" | "cancelled" = "completed"): IsolatedTurnResult {
    return { ...fakeStarted, outcome: { status }, usage: fakeUsage };
  }
}

export type FakeScript = (turn: FakeTurn) => Promise<IsolatedTurnResult>;

export class FakeRuntime implements NativeTurnRuntime {
  /** Every turn asked for, in order. */
  readonly turns: FakeTurn[] = [];
  /** Whether they are kept, with all that their requests hold. */
  keepsTurns = true;
  script: FakeScript = answerHello;
  currentHealth: NativeRuntimeHealth = readyHealth;
  models: readonly NativeModel[] = fakeModels;
  /** What names of models are resolved with. Null: every name is taken for an id. */
  naming: NamingFacts | null = null;
  /** Ids of turns that wait for outputs, with the calls they wait for. */
  readonly parked = new Map<string, readonly string[]>();
  /** Outputs given to parked turns, in order. */
  readonly outputs: (readonly ToolOutput[])[] = [];
  readonly abandoned: string[] = [];

  health(): NativeRuntimeHealth {
    return this.currentHealth;
  }

  async listModels(): Promise<readonly NativeModel[]> {
    const { readiness } = this.currentHealth;
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    return this.models;
  }

  async resolveModel(name: string): Promise<NamedModel> {
    const named = this.naming === null ? null : resolveModelName(name, this.naming);
    return named ?? { model: name, alias: null, effort: null, serviceTier: null };
  }

  async runIsolatedTurn(
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult> {
    const turn = new FakeTurn(request, handlers);
    if (this.keepsTurns) this.turns.push(turn);
    return await this.script(turn);
  }

  async continueIsolatedTurn(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult | null> {
    if (!this.parked.delete(turnId)) return null;
    this.outputs.push(outputs);
    const turn = new FakeTurn({ items: [] }, handlers);
    return await this.script(turn);
  }

  /** Source threads of `continueThread`, in order; answers null unless the thread is in `loaded`. */
  readonly continued: string[] = [];
  readonly loaded = new Set<string>();

  async continueThread(
    source: { readonly threadId: string; readonly turnId: string },
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers = {},
  ): Promise<IsolatedTurnResult | null> {
    this.continued.push(source.threadId);
    return this.loaded.has(source.threadId) ? this.runIsolatedTurn(request, handlers) : null;
  }

  releaseThread(threadId: string): void {
    this.loaded.delete(threadId);
  }

  /** Owners of parked turns; one without is nobody's. */
  readonly owners = new Map<string, string>();

  findParkedTurn(callIds: readonly string[], owner: string | null = null): string | null {
    for (const [turnId, waiting] of this.parked) {
      if (this.owners.has(turnId) && this.owners.get(turnId) !== owner) continue;
      if (callIds.some((callId) => waiting.includes(callId))) return turnId;
    }
    return null;
  }

  abandonTurn(turnId: string): void {
    this.parked.delete(turnId);
    this.abandoned.push(turnId);
  }
}

export const helloDeltas = ["Hel", "lo, ", "wörld 🌍"] as const;

/** The script unless a test brings its own. */
export async function answerHello(turn: FakeTurn): Promise<IsolatedTurnResult> {
  turn.start();
  await turn.emitText("msg_1", helloDeltas);
  await turn.emit({ type: "model_call.completed", usage: fakeUsage });
  return turn.result();
}

/** Waits until the caller leaves, then ends as the real runtime does. */
export async function answerUntilAborted(turn: FakeTurn): Promise<IsolatedTurnResult> {
  turn.start();
  await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
  await turn.aborted();
  return turn.result("cancelled");
}

/** As Codex hands it on: without annotations and logprobs. */
export function messageItem(id: string, text: string): JsonObject {
  return {
    type: "message",
    id,
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text }],
    internal_chat_message_metadata_passthrough: { turn_id: "turn_1" },
  };
}

export function failure(
  code: ConstructorParameters<typeof CodexNativeApiError>[0],
  retryAfterMs?: number,
): CodexNativeApiError {
  return new CodexNativeApiError(
    code,
    `failed with ${code}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}
