import type { CodexInstallationOptions } from "../codex/supervision/codex-installation.js";
import type { UsageBounds } from "../codex/supervision/usage-watch.js";
import type { AppServerTransport, ModelAliases } from "../config/codex-choices.js";
import type { AdmissionBounds, AdmissionOptions } from "../turns/admission/admission.js";
import type { NativeRuntimeObserver } from "./types.js";

/** What a `CodexNativeRuntime` runs on. A `CodexNativeApiService` makes one from its configuration. */
export interface CodexNativeRuntimeOptions {
  /** With what an app-server may use before a new one takes over. Default: 6 GiB, and half a core over five idle minutes. */
  readonly codex: Omit<CodexInstallationOptions, "profile" | "silenceLimitMs" | "stopStepMs"> &
    Partial<UsageBounds>;
  readonly appServer: AppServerTransport;
  readonly turns: {
    readonly profile: CodexInstallationOptions["profile"];
    /** Model when a request names none, in any form that a request may use; null leaves it to Codex's catalog. */
    readonly defaultModel: string | null;
    /** A turn is ended after this long without an event, even if Codex still runs it, in milliseconds. */
    readonly idleTimeoutMs: number;
    /** Other limits than that, by model id or reasoning effort. Default: none. */
    readonly idleTimeoutsMs?: Readonly<Record<string, number>>;
    readonly timeoutMs: number;
    /** Native threads started ahead of need, at most; 0 starts each with its turn. Default 8. */
    readonly spareThreads?: number;
    /** Turns that the account's backend is asked to run at once. Default `auto`: learned from what it accepts and refuses. */
    readonly upstreamLimit?: "auto" | "none" | number;
    /** Connections of a ChatGPT account to its backend at most. Default 32. */
    readonly upstreamConnections?: number;
    /** New ones within a second. Default 16; 0: no pace. */
    readonly upstreamConnectionsPerSecond?: number;
  };
  readonly models?: {
    /** Names that stand for a model, an effort and a tier, before those of the catalog. Default: none. */
    readonly aliases: ModelAliases;
  };
  /** What `resolveModel` gives for decisions. Default: the catalog's fastest model, with low effort. */
  readonly decisions?: {
    /** In any form that a request may use; null leaves it to Codex's catalog. */
    readonly model: string | null;
    readonly effort: string;
  };
  /** Worker threads. */
  readonly workers: number;
  readonly admission: AdmissionOptions & { readonly startGate: number };
  /** How long turns in flight may take to end on `close`, in milliseconds. */
  readonly shutdownGraceMs: number;
  /** Version of this service, which it gives Codex as its own. */
  readonly version: string;
  /** Native threads that a Codex which cannot unload them (before 0.169) is given before a new process takes over. Default 400. */
  readonly maxThreadsKept?: number;
  /** What Codex's log databases may grow to before a new process takes over, in bytes. Default 128 MiB. */
  readonly maxLogBytes?: number;
  /** Called with every segment of a turn that is over, for metrics. Default: none. */
  readonly observer?: NativeRuntimeObserver;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
  /**
   * The only Codex account (its ChatGPT account id) that turns may run under: while another is logged in, they are refused with
   * `native_login_required`. Default: whichever is logged in.
   */
  readonly accountId?: string;
}

/** What can be changed while a runtime is open. */
export interface RuntimeSettings {
  readonly turns: Pick<
    CodexNativeRuntimeOptions["turns"],
    "defaultModel" | "idleTimeoutMs" | "idleTimeoutsMs" | "timeoutMs"
  >;
  readonly admission: AdmissionBounds;
  /** Left out: as before. */
  readonly models?: CodexNativeRuntimeOptions["models"];
  /** Left out: as before. */
  readonly decisions?: CodexNativeRuntimeOptions["decisions"];
}
