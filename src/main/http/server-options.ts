import type { Logger } from "pino";
import type { LoopShare } from "../../workers/contract/pace.js";
import { defaults } from "../config/defaults.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";
import type { Exchanges } from "../exchange/exchanges.js";
import { isRequestStore, type RequestLog } from "../observability/requests/request-log.js";
import type { CodexNativeApiRequestStore } from "../observability/requests/types.js";
import { isMetadataLevel, type MetadataLevel, metadataLevels } from "../observability/task-metadata.js";
import {
  findOptionFaults,
  hasMethods,
  isAny,
  isLogger,
  isNumber,
  isText,
  type OptionShape,
  optional,
  refuseFaults,
  required,
} from "../option-shapes.js";
import type { BuiltPage } from "../page-files.js";
import { findRootFault } from "../readable-files/readable-files.js";
import type { NativeTurnRuntime } from "../runtime/types.js";
import type { AccessOptions } from "./access-policy.js";
import type { BodyBounds } from "./body/incoming-body.js";
import type { EventFeed } from "./event-feed.js";
import type { CallerTurns } from "./in-flight.js";
import type { MetricsSink } from "./metrics-sink.js";
import type { PageCodes } from "./page-codes.js";

/** Settings that can change while a server runs. */
export interface ServerSettings extends AccessOptions {
  readonly maxBodyBytes: number;
  /** JSON values in one request body. Default 1000000. */
  readonly maxBodyValues?: number;
  /** JSON values in one item of `input` or `messages`, and in all other fields together. Default 20000. */
  readonly maxItemValues?: number;
  /** At which level the log has what chat bridges say of their tasks, which may be private. Default `silent`: it has not. */
  readonly metadataLevel?: MetadataLevel;
  /** Whether the request log has what was said, which may be private. Default: it has not. */
  readonly requestContent?: boolean;
  /** `maxHeaderBytes` cannot change while the server runs. */
  readonly limits?: Partial<ListenerLimits>;
}

/** Settings of a `CodexNativeApiServer`: what it serves, where, and to whom. */
export interface CodexNativeApiServerOptions extends ServerSettings {
  readonly runtime: NativeTurnRuntime;
  /** Keeps stored responses; its owner starts and closes it. */
  readonly registry: CodexNativeApiContinuationRegistry;
  /** Keeps the request log and the usage; its owner starts and closes it. Default: one in memory. */
  readonly requestStore?: CodexNativeApiRequestStore;
  /** Address or name to bind, an IPv6 address without brackets. */
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
  readonly unsupportedParameters: "ignore" | "reject";
  /**
   * Folders, by absolute path, below which the turns of chat bridges (`metadata.codexbridge`) may read text files by a function
   * `read_file` that is answered here. Default: none.
   */
  readonly readableRoots?: readonly string[];
  /** This service's version, for health. */
  readonly version: string;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Gets a report of every request, and is served at `/metrics`; its owner starts and closes it. Default: there is no such route. */
  readonly metrics?: MetricsSink;
  /** Longest silence of a stream: a comment follows, so that no proxy or client closes it. Default 15000. */
  readonly keepAliveCommentMs?: number;
  /** Which callers get whitespace before a JSON answer that takes long. Default `on-request`. */
  readonly jsonKeepAlive?: "on-request" | "always";
  /**
   * How long the head of a stream waits for the model's first output after its turn left the queue: a turn that fails before is answered
   * with its error's status. 0: no wait. Default 10000.
   */
  readonly streamHeadHoldMs?: number;
  /** Whether the stream of a response ends with `data: [DONE]`, as that of a chat completion always does. Default true. */
  readonly streamDone?: boolean;
}

const shapes: Readonly<Record<keyof CodexNativeApiServerOptions, OptionShape>> = {
  runtime: required("a NativeTurnRuntime, such as a CodexNativeRuntime", (value) =>
    hasMethods(value, "health", "listModels", "runIsolatedTurn", "continueIsolatedTurn", "continueThread"),
  ),
  registry: required("a CodexNativeApiContinuationRegistry", (value) =>
    hasMethods(value, "put", "get", "has", "delete", "stats"),
  ),
  requestStore: optional("a CodexNativeApiRequestStore", isRequestStore),
  host: required("an address or a host name", isText),
  port: required("a number", isNumber),
  authToken: required(
    "a text, or null where there is no token",
    (value) => value === null || typeof value === "string",
  ),
  tokens: optional("a list of named tokens", Array.isArray),
  allowedHosts: required("a list of host names", Array.isArray),
  allowedOrigins: required("a list of origins", Array.isArray),
  unsupportedParameters: required("ignore or reject", (value) => value === "ignore" || value === "reject"),
  readableRoots: optional(
    "a list of absolute paths of folders, none of them the whole file system",
    (value) => Array.isArray(value) && value.every((root) => findRootFault(root) === null),
  ),
  version: required("a text", isText),
  maxBodyBytes: required("a number", isNumber),
  maxBodyValues: optional("a number", isNumber),
  maxItemValues: optional("a number", isNumber),
  metadataLevel: optional(metadataLevels.join(", "), isMetadataLevel),
  requestContent: optional("true or false", (value) => typeof value === "boolean"),
  limits: optional("an object of numbers", (value) => typeof value === "object" && value !== null),
  logger: optional("a pino logger", isLogger),
  metrics: optional("a MetricsSink", isAny),
  keepAliveCommentMs: optional("a number", isNumber),
  jsonKeepAlive: optional("on-request or always", (value) => value === "on-request" || value === "always"),
  streamHeadHoldMs: optional("a number", isNumber),
  streamDone: optional("true or false", (value) => typeof value === "boolean"),
};

/** @throws TypeError that names every option of the wrong shape. */
export function checkServerOptions(options: unknown): void {
  refuseFaults("CodexNativeApiServer", findOptionFaults(options, shapes));
}

/** Bounds on connections, and on how slowly a request may arrive. */
export interface ListenerLimits {
  /** Size of a request's headers. Default 16384. */
  readonly maxHeaderBytes: number;
  /** Time for a request's headers to arrive. Default 30000. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request to arrive, body included. Default 120000. */
  readonly requestTimeoutMs: number;
  /** A body that falls behind this speed by `slowBodyGraceMs` is refused; 0: no limit. Default 8192. */
  readonly minBodyBytesPerSecond: number;
  /** Default 10000. */
  readonly slowBodyGraceMs: number;
  /** An idle connection is closed after this. Default 72000, above what clients and proxies usually keep. */
  readonly keepAliveTimeoutMs: number;
  /** A client that reads nothing of an answer for this long is disconnected. Default 60000. */
  readonly stalledReaderTimeoutMs: number;
  /** Connections at the same time; one more is dropped. Default 4096. */
  readonly maxConnections: number;
  /** Requests on one connection; 0 sets no bound. Default 0. */
  readonly maxRequestsPerConnection: number;
  /** WebSockets of one caller at the same time, all callers without a token being one. Default 256. */
  readonly maxWebSocketsPerCaller: number;
  /** A WebSocket that has been silent for this long is pinged, and closed if it stays silent for as long again. Default 30000. */
  readonly webSocketPingMs: number;
  /** A WebSocket without a request for this long is closed. Default 1800000, half an hour. */
  readonly webSocketIdleMs: number;
  /** A WebSocket takes no requests once it has been open for this long. Default 3600000, an hour, as OpenAI's. */
  readonly webSocketAgeMs: number;
}

const { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, minBodyBytesPerSecond, maxConnections } =
  defaults.http;

export const defaultKeepAliveCommentMs = 15_000;

export const defaultListenerLimits: ListenerLimits = {
  maxHeaderBytes,
  headersTimeoutMs,
  requestTimeoutMs,
  minBodyBytesPerSecond,
  slowBodyGraceMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  stalledReaderTimeoutMs: 60_000,
  maxConnections,
  maxRequestsPerConnection: 0,
  maxWebSocketsPerCaller: 256,
  webSocketPingMs: 30_000,
  webSocketIdleMs: 30 * 60 * 1000,
  webSocketAgeMs: 60 * 60 * 1000,
};

export function bodyBoundsOf({
  maxBodyBytes,
  maxBodyValues,
  maxItemValues,
  limits,
}: ServerSettings): BodyBounds {
  const { minBodyBytesPerSecond, slowBodyGraceMs } = { ...defaultListenerLimits, ...limits };
  return {
    maxBytes: maxBodyBytes,
    pace: { minBytesPerSecond: minBodyBytesPerSecond, graceMs: slowBodyGraceMs },
    maxBodyValues: maxBodyValues ?? defaults.http.maxBodyValues,
    maxItemValues: maxItemValues ?? defaults.http.maxItemValues,
  };
}

/** The parts of the server that routes need. */
export interface RouteContext
  extends Pick<
      CodexNativeApiServerOptions,
      "runtime" | "registry" | "unsupportedParameters" | "jsonKeepAlive" | "streamDone" | "version"
    >,
    Required<Pick<CodexNativeApiServerOptions, "keepAliveCommentMs" | "streamHeadHoldMs" | "limits">> {
  readonly logger: Logger | undefined;
  /** Of now: it can change while the server runs. */
  readonly metadataLevel: () => MetadataLevel;
  readonly exchanges: Exchanges;
  readonly requestLog: RequestLog;
  /** Of now: whether the request log has what was said. */
  readonly requestContent: () => boolean;
  readonly callerTurns: CallerTurns;
  /** Of the thread that serves HTTP. */
  readonly loopShare: LoopShare;
  readonly localhostOnly: boolean;
  readonly openWebSockets: () => number;
  readonly eventFeed: EventFeed;
  readonly pageCodes: PageCodes;
  readonly readPage: () => Promise<BuiltPage | null>;
  /** Milliseconds that only grow, for durations. */
  readonly clock: () => number;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
}
