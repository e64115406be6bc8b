/**
 * The service's configuration after parsing: complete, checked and frozen. Code past the edge sees no optional field, no
 * text that is still to be parsed, and no environment variable. All but the tokens follows from the options table.
 */
import type { admissionOptions, codexOptions, turnOptions, workerOptions } from "./codex-options.js";
import type { NamedToken } from "./named-token.js";
import type { OptionSpec } from "./option.js";
import type {
  authOptions,
  continuationOptions,
  httpOptions,
  listenOptions,
  processOptions,
} from "./service-options.js";

/** The values in force of a group of options. */
export type Values<Group> = {
  readonly [K in keyof Group]: Group[K] extends OptionSpec<infer _T, infer V> ? V : never;
};

/** What a host may give for a group of options. */
type Given<Group> = {
  readonly [K in keyof Group]?:
    | (Group[K] extends { readonly type: { toText(given: infer G): string } } ? G : never)
    | undefined;
};

/** Where the service listens. */
export type ListenConfig = Values<typeof listenOptions>;

/** What callers must show. */
export interface AuthConfig {
  /** Bearer token for `/v1/*` and `/metrics`; null: there is none without a name. */
  readonly token: string | null;
  /** Beside it; none and no `token`: callers need none. */
  readonly tokens: readonly NamedToken[];
}

/** Which Codex runs, on whose login, and where its state is. */
export type CodexConfig = Values<typeof codexOptions>;

/** How turns run, and for how long at most. */
export type TurnsConfig = Values<typeof turnOptions>;

/** How many turns run and wait at once. */
export type AdmissionConfig = Values<typeof admissionOptions>;

/** Bounds of the registry of stored responses. */
export type ContinuationConfig = Values<typeof continuationOptions>;

/** What requests are taken. */
export type HttpConfig = Values<typeof httpOptions>;

/** Which `CODEX_HOME` the app-server has. */
export type CodexHomeMode = CodexConfig["homeMode"];

/** Least severe level that is logged; `serve` obeys it, a host has a logger of its own. */
export type LogLevel = CodexNativeApiConfig["logLevel"];

/** `auto`: text on a terminal, JSON lines elsewhere. */
export type LogFormat = CodexNativeApiConfig["logFormat"];

/** Request parameters that Codex has no place for: dropped and listed in the answer, or refused with 400. */
export type UnsupportedParameterPolicy = HttpConfig["unsupportedParameters"];

/** The configuration in force: what a `CodexNativeApiService` runs on. Made by `createConfig`. */
export interface CodexNativeApiConfig
  extends Omit<Values<typeof processOptions>, "config">,
    Values<typeof workerOptions> {
  readonly listen: ListenConfig;
  readonly auth: AuthConfig;
  readonly codex: CodexConfig;
  readonly turns: TurnsConfig;
  readonly admission: AdmissionConfig;
  readonly continuation: ContinuationConfig;
  readonly http: HttpConfig;
}

/**
 * Settings that a host program gives, in the shape of the config file; what is left out or undefined has its default
 * (docs/configuration.md). Relative paths start from the working directory.
 */
export interface CodexNativeApiSettings
  extends Omit<Given<typeof processOptions>, "config" | "logLevel" | "logFormat">,
    Omit<Given<typeof workerOptions>, "appServer"> {
  /** One of our own processes for all workers (default) or one for each, or the address of one that is not ours to stop. */
  readonly appServer?: "shared" | "stdio" | `unix://${string}` | `ws://${string}` | undefined;
  readonly listen?: Given<typeof listenOptions> | undefined;
  readonly auth?: Given<typeof authOptions> | undefined;
  readonly codex?: Given<typeof codexOptions> | undefined;
  readonly turns?: Given<typeof turnOptions> | undefined;
  readonly admission?: Given<typeof admissionOptions> | undefined;
  readonly continuation?: Given<typeof continuationOptions> | undefined;
  readonly http?: Given<typeof httpOptions> | undefined;
}
