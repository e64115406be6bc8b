import type { Logger } from "pino";
import type { TurnAssignment } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import { Admission, type AdmissionOptions, type Permit } from "./admission/admission.js";
import { StartGate } from "./admission/start-gate.js";
import { ParkedTurns, type ParkedTurnsOptions } from "./parked-turns.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { WorkerSlots } from "./pool/worker-slots.js";
import type { ReadinessState } from "./readiness-state.js";
import { type LegResult, TurnSession } from "./turn-session.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  RequestTarget,
  ToolOutput,
  TurnProfile,
} from "./types.js";

export interface IsolatedTurnsOptions {
  readonly admission: AdmissionOptions & { readonly startGate: number };
  readonly profile: TurnProfile;
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  readonly parking: ParkedTurnsOptions;
  readonly now: () => number;
}

export interface IsolatedTurnsContext {
  readonly slots: WorkerSlots;
  readonly readiness: ReadinessState;
  readonly logger: Logger;
  /** Throws `model_not_found`. */
  readonly chooseModel: (requested: string | undefined) => string;
  readonly describeTarget: (slot: WorkerSlot) => RequestTarget;
}

interface Place {
  readonly slot: WorkerSlot;
  readonly leaveGate: () => void;
}

/** A turn that showed nothing is run again once when the plumbing under it broke. */
const maxAttempts = 2;
const defaultCaller = "default";

/** Takes turns in, finds each a worker, runs it, and runs it once more elsewhere when that can be done unseen. */
export class IsolatedTurns {
  readonly #options: IsolatedTurnsOptions;
  readonly #context: IsolatedTurnsContext;
  readonly #admission: Admission<Place>;
  readonly #gate: StartGate;
  readonly #parked: ParkedTurns;
  readonly #shutdown = new AbortController();
  #onIdle: (() => void) | null = null;

  constructor(options: IsolatedTurnsOptions, context: IsolatedTurnsContext) {
    this.#options = options;
    this.#context = context;
    this.#parked = new ParkedTurns(options.parking);
    this.#gate = new StartGate(options.admission.startGate);
    this.#admission = new Admission<Place>(
      options.admission,
      () => this.#findPlace(),
      () => context.readiness.current,
      options.now,
    );
    context.readiness.onChange((phase) => {
      if (phase === "blocked") this.#admission.failWaiting(this.#notReady());
      this.#admission.pump();
    });
  }

  get depth(): number {
    return this.#admission.depth;
  }

  get running(): number {
    return this.#admission.running;
  }

  /** A worker became ready: what waits may start. */
  pump(): void {
    this.#admission.pump();
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    if (request.items.length === 0) {
      throw new CodexNativeApiError("invalid_request", "There is nothing to answer: the input is empty.", {
        param: "input",
      });
    }
    const signal = this.#mergeSignals(handlers);
    for (let attempt = 1; ; attempt += 1) {
      const permit = await this.#acquire(request, signal);
      const { result, session } = await this.#attempt(permit, request, { ...handlers, signal });
      if (attempt < maxAttempts && mayRunAgain(result) && !signal.aborted) {
        this.#context.logger.warn(
          { event: "turn.run_again", requestId: request.requestId, worker: permit.place.slot.id },
          "a turn that had shown nothing is run again",
        );
        continue;
      }
      return this.#conclude(result, session);
    }
  }

  /** Goes on with a parked turn; null when there is none to go on with, or it died before it showed anything more. */
  async resume(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    const session = this.#parked.take(
      turnId,
      outputs.map((output) => output.callId),
    );
    if (session === null) return null;
    // It has its native thread and its worker already: there is nothing to wait for.
    const leave = this.#admission.enterNow();
    try {
      const result = await session.resume(outputs, { ...handlers, signal: this.#mergeSignals(handlers) });
      return mayRunAgain(result) ? null : this.#conclude(result, session);
    } finally {
      this.#leave(leave);
    }
  }

  findParked(callIds: readonly string[]): string | null {
    return this.#parked.find(callIds);
  }

  abandon(turnId: string): void {
    this.#parked.abandon(turnId);
  }

  get parkedCount(): number {
    return this.#parked.size;
  }

  /** No new turns; those that run have the given time, then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    this.#admission.close(shuttingDown());
    this.#parked.abandonAll();
    if (this.#admission.running === 0) return;
    await this.#idle(graceMs);
    this.#shutdown.abort();
    if (this.#admission.running > 0) await this.#idle(cancelTimeoutMs);
  }

  /** Ends the grace of a `close` under way. */
  hurry(): void {
    this.#shutdown.abort();
    this.#onIdle?.();
  }

  #idle(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #acquire(request: IsolatedTurnRequest, signal: AbortSignal): Promise<Permit<Place>> {
    const { readiness } = this.#context;
    if (readiness.phase === "blocked" || readiness.phase === "stopped") throw this.#notReady();
    try {
      return await this.#admission.acquire({ caller: request.caller ?? defaultCaller, signal });
    } catch (error) {
      throw this.#shutdown.signal.aborted ? shuttingDown() : error;
    }
  }

  async #attempt(
    permit: Permit<Place>,
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<{ readonly result: LegResult; readonly session: TurnSession }> {
    const { slot, leaveGate } = permit.place;
    try {
      const session = new TurnSession(this.#context.slots.pool, {
        assignment: this.#assignment(request),
        slot,
        target: this.#context.describeTarget(slot),
        timeoutMs: this.#options.timeoutMs,
        onLeftGate: () => {
          leaveGate();
          this.#admission.pump();
        },
      });
      const result = await session.run(handlers);
      if (isInfrastructureFault(result)) slot.doubt();
      return { result, session };
    } finally {
      leaveGate();
      this.#leave(permit.release);
    }
  }

  #leave(release: () => void): void {
    release();
    if (this.#admission.running === 0) this.#onIdle?.();
  }

  #mergeSignals(handlers: IsolatedTurnHandlers): AbortSignal {
    const { signal } = this.#shutdown;
    return handlers.signal === undefined ? signal : AbortSignal.any([signal, handlers.signal]);
  }

  #assignment(request: IsolatedTurnRequest): Omit<TurnAssignment, "turnKey"> {
    return {
      thread: {
        profile: this.#options.profile,
        model: this.#context.chooseModel(request.model),
        instructions: request.instructions ?? "",
        tools: request.tools ?? [],
        webSearch: request.webSearch ?? false,
        verbosity: request.verbosity ?? null,
      },
      turn: {
        effort: request.effort ?? null,
        summary: request.summary ?? null,
        serviceTier: request.serviceTier ?? null,
        outputSchema: request.outputSchema ?? null,
      },
      items: request.items,
      idleTimeoutMs: this.#options.idleTimeoutMs,
    };
  }

  #findPlace(): Place | null {
    const { slots, readiness } = this.#context;
    if (readiness.phase !== "ready") return null;
    const slot = slots.leastBusy((candidate) => this.#gate.hasRoom(this.#processKey(candidate)));
    return slot === null ? null : { slot, leaveGate: this.#gate.enter(this.#processKey(slot)) };
  }

  #processKey(slot: WorkerSlot): string {
    return this.#options.processPerWorker ? slot.id : String(slot.appServerGeneration);
  }

  #conclude(result: LegResult, session: TurnSession): IsolatedTurnResult {
    const { outcome, started, usage, handlerError } = result;
    if (handlerError !== undefined) throw handlerError;
    if (outcome.status === "failed") throw CodexNativeApiError.fromTurnError(outcome.error);
    if (outcome.status === "cancelled" && this.#shutdown.signal.aborted) throw shuttingDown();
    if (started === null) {
      throw new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
    }
    if (outcome.status === "parked") this.#parked.park(started.turnId, session, outcome.callIds);
    return { ...started, outcome, usage };
  }

  #notReady(): CodexNativeApiError {
    const readiness = this.#context.readiness.current;
    return readiness.ready ? shuttingDown() : CodexNativeApiError.fromTurnError(readiness.error);
  }
}

/** Longest wait for turns that were told to end, in milliseconds. */
const cancelTimeoutMs = 6_000;

function isInfrastructureFault({ outcome }: LegResult): boolean {
  return outcome.status === "failed" && outcome.error.infrastructure === true;
}

function mayRunAgain(result: LegResult): boolean {
  return isInfrastructureFault(result) && !result.emitted;
}

function shuttingDown(): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.", {
    retryAfterMs: 1000,
  });
}
