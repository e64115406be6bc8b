/**
 * The service's configuration after parsing: complete, checked and frozen. Code that uses it sees no optional field, no
 * unparsed text, and no environment variable. All types except those of tokens follow from the options table.
 */
import type {
  admissionOptions,
  codexOptions,
  decisionOptions,
  modelOptions,
  turnOptions,
  workerOptions,
} from "./codex-options.js";
import type { NamedToken } from "./named-token.js";
import type { Values } from "./option.js";
import type {
  authOptions,
  continuationOptions,
  httpOptions,
  listenOptions,
  processOptions,
  requestOptions,
} from "./service-options.js";

/** The values that a host may give for a group of options. */
type Given<Group> = {
  readonly [K in keyof Group]?:
    | (Group[K] extends { readonly type: { toText(given: infer G): string } } ? G : never)
    | undefined;
};

/** Where the service listens. */
export type ListenConfig = Values<typeof listenOptions>;

/** The tokens that callers must send. */
export interface AuthConfig {
  /** Bearer token for `/v1/*` and `/metrics`; null: there is no unnamed token. */
  readonly token: string | null;
  /** Tokens beside it. With no `token` and none of these, callers need no token. */
  readonly tokens: readonly NamedToken[];
}

/** Which Codex runs, on whose login, and where its state is. */
export type CodexConfig = Values<typeof codexOptions>;

/** How turns run, and their longest times. */
export type TurnsConfig = Values<typeof turnOptions>;

/** What names of models stand for. */
export type ModelsConfig = Values<typeof modelOptions>;

/** What answers decisions. */
export type DecisionsConfig = Values<typeof decisionOptions>;

/** How many turns run and wait at once. */
export type AdmissionConfig = Values<typeof admissionOptions>;

/** Bounds of the registry of stored responses. */
export type ContinuationConfig = Values<typeof continuationOptions>;

/** The log of requests. */
export type RequestsConfig = Values<typeof requestOptions>;

/** Which requests the service accepts. */
export type HttpConfig = Values<typeof httpOptions>;

/** Least severe level that is logged; `serve` obeys it, a host has a logger of its own. */
export type LogLevel = CodexNativeApiConfig["logLevel"];

/** `auto`: text on a terminal, JSON lines elsewhere. */
export type LogFormat = CodexNativeApiConfig["logFormat"];

/** Request parameters that Codex cannot use: dropped and listed in the answer, or refused with 400. */
export type UnsupportedParameterPolicy = HttpConfig["unsupportedParameters"];

/** The configuration in force: what a `CodexNativeApiService` runs on. Made by `createConfig`. */
export interface CodexNativeApiConfig
  extends Omit<Values<typeof processOptions>, "config">,
    Values<typeof workerOptions> {
  readonly listen: ListenConfig;
  readonly auth: AuthConfig;
  readonly codex: CodexConfig;
  readonly turns: TurnsConfig;
  readonly models: ModelsConfig;
  readonly decisions: DecisionsConfig;
  readonly admission: AdmissionConfig;
  readonly continuation: ContinuationConfig;
  readonly requests: RequestsConfig;
  readonly http: HttpConfig;
}

/**
 * Settings that a host program gives, in the shape of the config file. Those left out or undefined have their defaults
 * (docs/configuration.md). Relative paths start from the working directory.
 */
export interface CodexNativeApiSettings
  extends Omit<Given<typeof processOptions>, "config" | "logLevel" | "logFormat">,
    Omit<Given<typeof workerOptions>, "appServer"> {
  /** One process of the service for all workers (default) or for each, or the address of one that it must not stop. */
  readonly appServer?: "shared" | "stdio" | `unix://${string}` | `ws://${string}` | undefined;
  readonly listen?: Given<typeof listenOptions> | undefined;
  readonly auth?: Given<typeof authOptions> | undefined;
  readonly codex?: Given<typeof codexOptions> | undefined;
  readonly turns?: Given<typeof turnOptions> | undefined;
  readonly models?: Given<typeof modelOptions> | undefined;
  readonly decisions?: Given<typeof decisionOptions> | undefined;
  readonly admission?: Given<typeof admissionOptions> | undefined;
  readonly continuation?: Given<typeof continuationOptions> | undefined;
  readonly requests?: Given<typeof requestOptions> | undefined;
  readonly http?: Given<typeof httpOptions> | undefined;
}
