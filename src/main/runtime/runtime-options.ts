import type { AdmissionBounds, AdmissionOptions } from "./admission/admission.js";
import type { AppServerTransport } from "./app-server-source.js";
import type { CodexInstallationOptions } from "./codex-installation.js";
import type { NativeRuntimeObserver } from "./types.js";

/** What a `CodexNativeRuntime` runs on. A `CodexNativeApiService` makes one from its configuration. */
export interface CodexNativeRuntimeOptions {
  readonly codex: Omit<CodexInstallationOptions, "profile" | "silenceLimitMs" | "stopStepMs">;
  readonly appServer: AppServerTransport;
  readonly turns: {
    readonly profile: CodexInstallationOptions["profile"];
    /** Model when a request names none; null leaves it to Codex's catalog. */
    readonly defaultModel: string | null;
    /** Silence of a turn that Codex runs which ends it all the same, in milliseconds. */
    readonly idleTimeoutMs: number;
    /** Other limits than that, by model id or reasoning effort. Default: none. */
    readonly idleTimeoutsMs?: Readonly<Record<string, number>>;
    readonly timeoutMs: number;
    /** Native threads started ahead of need, at most; 0 starts each with its turn. Default 4. */
    readonly spareThreads?: number;
    /** Turns that the account's backend is asked to run at once. Default `auto`: learned from what it accepts and refuses. */
    readonly upstreamLimit?: "auto" | "none" | number;
    /** Connections of a ChatGPT account to its backend at most. Default 32. */
    readonly upstreamConnections?: number;
    /** New ones within a second. Default 16; 0: no pace. */
    readonly upstreamConnectionsPerSecond?: number;
  };
  /** Worker threads. */
  readonly workers: number;
  readonly admission: AdmissionOptions & { readonly startGate: number };
  /** How long turns in flight may take to end on `close`, in milliseconds. */
  readonly shutdownGraceMs: number;
  /** Version of this service, which Codex is told. */
  readonly version: string;
  /** Native threads that a Codex which cannot unload them (before 0.169) is given before a new process takes over. Default 400. */
  readonly maxThreadsKept?: number;
  /** What Codex's log databases may grow to before a new process takes over, in bytes. Default 128 MiB. */
  readonly maxLogBytes?: number;
  /** Told of every turn, for metrics. Default: nobody. */
  readonly observer?: NativeRuntimeObserver;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
  /**
   * The only Codex account (its ChatGPT account id) that turns may run under: while another is logged in, they are refused with
   * `native_login_required`. Default: whichever is logged in.
   */
  readonly accountId?: string;
}

/** What a runtime that is open can be given anew. */
export interface RuntimeSettings {
  readonly turns: Pick<
    CodexNativeRuntimeOptions["turns"],
    "defaultModel" | "idleTimeoutMs" | "idleTimeoutsMs" | "timeoutMs"
  >;
  readonly admission: AdmissionBounds;
}
