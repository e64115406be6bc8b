import type { Logger } from "pino";
import type { ThreadSettings } from "../../workers/contract/turn.js";
import type { TakeoverOutcome } from "../codex/login/login-takeover.js";
import type { ReadinessState } from "../codex/supervision/readiness-state.js";
import type { WorkerSlot } from "../codex/workers/worker-slot.js";
import type { WorkerSlots } from "../codex/workers/worker-slots.js";
import type { NamedModel, NativeRuntimeObserver, RequestTarget, TurnErrorData } from "../runtime/types.js";
import type { AccountRoom, AdmissionOptions } from "./admission/admission.js";
import type { UpstreamConnectionsOptions } from "./admission/upstream-connections.js";
import type { PromptForms } from "./prompt-forms.js";
import type { ParkedTurnsOptions } from "./threads/parked-turns.js";
import type { SpareThreadsOptions } from "./threads/spare-threads.js";
import type { TurnBounds } from "./turn-assignment.js";

export interface IsolatedTurnsOptions {
  readonly admission: AdmissionOptions & { readonly startGate: number };
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  readonly parking: ParkedTurnsOptions;
  /** Idle native threads that stay loaded for the chains they belong to. */
  readonly maxLoadedThreads: number;
  readonly spareThreads: SpareThreadsOptions;
  /** Connections to the backend, over running turns, spares, loaded and parked threads. */
  readonly connections: Pick<UpstreamConnectionsOptions, "most" | "perSecond">;
}

export interface IsolatedTurnsContext {
  /** Now: they may change between two turns. */
  readonly turnBounds: () => TurnBounds;
  readonly slots: WorkerSlots;
  readonly readiness: ReadinessState;
  readonly logger: Logger;
  /** Of the app-server that turns run on; null while it is not known. */
  readonly codexVersion: () => string | null;
  readonly forms: PromptForms;
  /** Whether Codex runs on the catalog that this service made of its own, in which no tool of Codex's is left. */
  readonly isCatalogDerived: () => boolean;
  /** Throws `model_not_found` for what is no id. */
  readonly chooseModel: (id: string | undefined) => string;
  /** What a name stands for; null where none is given and none configured. */
  readonly resolveModel: (
    name: string | undefined,
    timeoutMs: number | undefined,
  ) => Promise<NamedModel> | NamedModel | null;
  /** What Codex asks a model for where a turn names no effort; null where it may ask for none. */
  readonly standardEffort: (thread: Pick<ThreadSettings, "model" | "form">) => string | null;
  readonly describeTarget: (slot: WorkerSlot) => RequestTarget;
  /** When the plan's used-up window opens again, in milliseconds; null where that is not known. `anew`: asks Codex first. */
  readonly windowOpensInMs: (options: { readonly fresh: boolean }) => Promise<number | null>;
  /** A turn on an app-server of this generation was refused for its login. Never rejects. */
  readonly takeOverLogin: (appServerGeneration: number) => Promise<TakeoverOutcome>;
  /** What the account lets run at once. */
  readonly room: AccountRoom;
  /** Finds out why a turn could not reach the model backend. Never rejects. */
  readonly explainFailure: (error: TurnErrorData) => Promise<TurnErrorData>;
  /** Called with each segment that is over. A host's code is behind it, which must not throw. */
  readonly onTurnEnded: NativeRuntimeObserver["onTurnEnded"];
  /** The last turn on an app-server of this generation is over, parked ones included. */
  readonly onGenerationIdle: (appServerGeneration: number) => void;
  readonly onThreadStarted: (appServerGeneration: number) => void;
  /** Memory that the machine, or the container, has left, in bytes. */
  readonly availableBytes: () => number;
}
