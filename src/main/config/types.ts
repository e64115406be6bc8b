/**
 * The service's configuration after parsing: complete, checked and frozen. Code past the edge sees no optional field, no
 * text that is still to be parsed, and no environment variable.
 */
import type { TurnProfile } from "../../workers/contract/turn.js";
import type { NamedToken } from "./named-token.js";

/** Which `CODEX_HOME` the app-server has. */
export type CodexHomeMode =
  /** A `CODEX_HOME` of the service's own whose login is a link to the user's. */
  | "isolated"
  /** The user's `CODEX_HOME` itself: the choice for keyring logins. */
  | "user";

/** Which app-server the workers talk to, and whose it is. */
export type AppServerTransport =
  /** One process of ours for all workers, on a private unix socket. */
  | { readonly kind: "shared" }
  /** Each worker spawns a process of its own. */
  | { readonly kind: "stdio" }
  /** A running app-server of someone else's on a unix socket; never stopped by us. */
  | { readonly kind: "unix"; readonly socketPath: string }
  /** A running app-server of someone else's on a loopback port (`ws://127.0.0.1:4500`); never stopped by us. */
  | { readonly kind: "tcp"; readonly url: string };

/** Least severe level that is logged; `serve` obeys it, a host has a logger of its own. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** `auto`: text on a terminal, JSON lines elsewhere. */
export type LogFormat = "auto" | "json" | "text";

/** Request parameters that Codex has no place for: dropped and listed in the answer, or refused with 400. */
export type UnsupportedParameterPolicy = "ignore" | "reject";

/** Where the service listens. */
export interface ListenConfig {
  /** Address or name to bind, an IPv6 address without brackets. Default `127.0.0.1`. */
  readonly host: string;
  /** Default 43182; 0 lets the system pick one. */
  readonly port: number;
}

/** What callers must show. */
export interface AuthConfig {
  /** Bearer token for `/v1/*` and `/metrics`; null: there is none without a name. */
  readonly token: string | null;
  /** Beside it; none and no `token`: callers need none. */
  readonly tokens: readonly NamedToken[];
}

/** Which Codex runs, on whose login, and where its state is. */
export interface CodexConfig {
  /** Command name or absolute path; null means `codex` on PATH, else the installed package's. */
  readonly bin: string | null;
  readonly homeMode: CodexHomeMode;
  /** The user's `CODEX_HOME`, absolute. */
  readonly userHome: string;
  /** Sockets, own `CODEX_HOME` and the pid ledger, absolute. May not exist yet. */
  readonly stateDir: string;
  /** Codex configuration added to the app-server's: dotted key to value, both as in `codex -c key=value`. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether Codex reaches OpenAI by a copy of its built-in provider that is more patient with a silent model. */
  readonly patientProvider: boolean;
}

/** How turns run, and for how long at most. */
export interface TurnsConfig {
  readonly profile: TurnProfile;
  /** Model when a request names none; null means the catalog's default. */
  readonly defaultModel: string | null;
  /** No event of a turn for this long ends it with `turn_stalled`, though Codex says that it runs. */
  readonly idleTimeoutMs: number;
  /** Other limits than that, by model id or by the reasoning effort that a request names; that of the model goes first. */
  readonly idleTimeoutsMs: Readonly<Record<string, number>>;
  /** A turn older than this ends with `turn_timeout`. */
  readonly timeoutMs: number;
  /** Native threads started ahead of need, at most; 0 starts each with its turn. */
  readonly spareThreads: number;
  /** Turns that the account's backend is asked to run at once; `auto` learns it. */
  readonly upstreamLimit: "auto" | "none" | number;
  /** Connections of a ChatGPT account to its backend at most. */
  readonly upstreamConnections: number;
  readonly upstreamConnectionsPerSecond: number;
}

/** How many turns run and wait at once. */
export interface AdmissionConfig {
  /** Turns that may run at once. */
  readonly maxConcurrentTurns: number;
  /** Turns between "sent" and "started" per app-server process: a larger burst makes Codex lose notifications. */
  readonly startGate: number;
  /** Turns that may wait; one more is refused with `queue_full`. */
  readonly maxQueue: number;
  /** A turn that waited this long is refused with `queue_timeout`. */
  readonly queueTimeoutMs: number;
}

/** Bounds of the registry of stored responses. */
export interface ContinuationConfig {
  /** A stored response not used for this long expires. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What requests are taken. */
export interface HttpConfig {
  readonly maxBodyBytes: number;
  /** JSON values in one request body. */
  readonly maxBodyValues: number;
  /** JSON values in one item of `input` or `messages`, and in all other fields together. */
  readonly maxItemValues: number;
  readonly maxHeaderBytes: number;
  /** Time for a request's headers to arrive. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request to arrive; not less than `headersTimeoutMs`. */
  readonly requestTimeoutMs: number;
  /** A body that falls ten seconds behind this speed is given up; 0: none is. */
  readonly minBodyBytesPerSecond: number;
  /** Longest wait of a stream's head for the model's first output, from the turn's admission on; 0: no wait. */
  readonly streamHeadHoldMs: number;
  /** Connections at once; one more is dropped. */
  readonly maxConnections: number;
  /** Host header names taken beside the loopback ones, in lower case, without port. */
  readonly allowedHosts: readonly string[];
  /** Origins that may call, such as `https://app.example` or `app://obsidian.md`, in lower case. */
  readonly allowedOrigins: readonly string[];
  readonly unsupportedParameters: UnsupportedParameterPolicy;
  /** Who gets whitespace before a JSON answer that is long in coming: those that ask by a header, or all. */
  readonly jsonKeepAlive: "on-request" | "always";
}

/** The configuration in force: what a `CodexNativeApiService` runs on. Made by `createConfig`. */
export interface CodexNativeApiConfig {
  /** False: an embedding host does not start the service. The `serve` command serves all the same. */
  readonly enabled: boolean;
  readonly listen: ListenConfig;
  readonly auth: AuthConfig;
  readonly codex: CodexConfig;
  readonly appServer: AppServerTransport;
  readonly turns: TurnsConfig;
  /** Worker threads. */
  readonly workers: number;
  readonly admission: AdmissionConfig;
  readonly continuation: ContinuationConfig;
  readonly http: HttpConfig;
  /** How long turns in flight may take to end when the service stops. */
  readonly shutdownGraceMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}
