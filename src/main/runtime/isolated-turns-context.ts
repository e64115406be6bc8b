import type { Logger } from "pino";
import type { AccountRoom, AdmissionBounds, AdmissionOptions } from "./admission/admission.js";
import type { UpstreamConnectionsOptions } from "./admission/upstream-connections.js";
import type { ParkedTurnsOptions } from "./parked-turns.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { WorkerSlots } from "./pool/worker-slots.js";
import type { PromptForms } from "./prompt-forms.js";
import type { ReadinessState } from "./readiness-state.js";
import type { SpareThreadsOptions } from "./spare-threads.js";
import type { SilenceLimits } from "./turn-assignment.js";
import type { NativeRuntimeObserver, RequestTarget } from "./types.js";

export interface IsolatedTurnsOptions extends SilenceLimits {
  readonly admission: AdmissionOptions & { readonly startGate: number };
  readonly timeoutMs: number;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  readonly parking: ParkedTurnsOptions;
  /** Idle native threads that stay loaded for the chains they belong to. */
  readonly maxLoadedThreads: number;
  readonly spareThreads: SpareThreadsOptions;
  /** Connections to the backend, over running turns, spares, loaded and parked threads. */
  readonly connections: Pick<UpstreamConnectionsOptions, "most" | "perSecond">;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly wallClock: () => number;
  /** Since the machine was started, the time that it slept included. */
  readonly bootClock: () => number;
}

export interface IsolatedTurnsContext {
  readonly slots: WorkerSlots;
  readonly readiness: ReadinessState;
  readonly logger: Logger;
  /** Of the app-server that turns run on; null while it is not known. */
  readonly codexVersion: () => string | null;
  readonly forms: PromptForms;
  /** Throws `model_not_found`. */
  readonly chooseModel: (requested: string | undefined) => string;
  readonly describeTarget: (slot: WorkerSlot) => RequestTarget;
  /** When the plan's used-up window opens again, in milliseconds; null where that is not known. `anew`: asks Codex first. */
  readonly windowOpensInMs: (options: { readonly anew: boolean }) => Promise<number | null>;
  /** What the account lets run at once. */
  readonly room: AccountRoom;
  readonly observer: NativeRuntimeObserver | null;
  /** The last turn on an app-server of this generation is over, parked ones included. */
  readonly onGenerationIdle: (appServerGeneration: number) => void;
  readonly onThreadStarted: (appServerGeneration: number) => void;
  /** Memory that the machine, or the container, has left, in bytes. */
  readonly availableBytes: () => number;
}

/** What can be changed while turns run. */
export interface TurnBounds extends Pick<IsolatedTurnsOptions, keyof SilenceLimits | "timeoutMs"> {
  readonly admission: AdmissionBounds;
}

/** What supervision asks and tells of the turns that run on what it keeps alive. */
export interface SupervisedTurns {
  /** Codex told of the plan's windows: when a used-up one opens, in milliseconds; null where none is used up. */
  noteWindow(opensInMs: number | null): void;
  /** Room may have appeared. */
  pump(): void;
  /** Native threads of a lost connection are gone. */
  forgetDeadThreads(): void;
  /** Their login is gone. */
  abandonParked(): void;
  /** Whether nothing runs on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean;
}
