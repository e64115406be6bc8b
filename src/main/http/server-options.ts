import type { Logger } from "pino";
import type { LoopShare } from "../../workers/contract/pace.js";
import { defaults } from "../config/defaults.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";
import type { UnsupportedParameterPolicy } from "../dialects/requests/fields.js";
import type { Exchanges } from "../exchange/exchanges.js";
import type { NativeTurnRuntime } from "../runtime/types.js";
import type { AccessOptions } from "./access-policy.js";
import type { JsonBounds } from "./body/json-scan.js";
import type { CallerTurns } from "./in-flight.js";
import type { MetricsSink } from "./metrics-sink.js";

/** What a server that runs can be given anew. */
export interface ServerSettings extends AccessOptions {
  readonly maxBodyBytes: number;
  /** JSON values in one request body. Default 1000000. */
  readonly maxBodyValues?: number;
  /** JSON values in one item of `input` or `messages`, and in all other fields together. Default 20000. */
  readonly maxItemValues?: number;
  /** `maxHeaderBytes` stays what it was when the server was made. */
  readonly limits?: Partial<ListenerLimits>;
}

/** What a `CodexNativeApiServer` serves, where, and to whom. */
export interface CodexNativeApiServerOptions extends ServerSettings {
  readonly runtime: NativeTurnRuntime;
  /** Where stored responses are kept; its owner's to start and close. */
  readonly registry: CodexNativeApiContinuationRegistry;
  /** Address or name to bind, an IPv6 address without brackets. */
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
  readonly unsupportedParameters: UnsupportedParameterPolicy;
  /** This service's version, for health. */
  readonly version: string;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Told of every request, and served at `/metrics`; its owner's to start and close. Default: there is no such route. */
  readonly metrics?: MetricsSink;
  /** A silent stream gets a comment at the latest this long after its last byte, so that no proxy or client gives it up. Default 15000. */
  readonly keepAliveCommentMs?: number;
  /** Who gets whitespace before a JSON answer that is long in coming. Default `on-request`. */
  readonly jsonKeepAlive?: "on-request" | "always";
  /**
   * How long the head of a stream waits for the model's first output after its turn left the queue, so that a turn which fails before
   * is answered with its error's status. 0: no wait. Default 10000.
   */
  readonly streamHeadHoldMs?: number;
}

/** Bounds on connections and on how slowly a request may come. */
export interface ListenerLimits {
  /** Size of a request's headers. Default 16384. */
  readonly maxHeaderBytes: number;
  /** Time for a request's headers to arrive. Default 30000. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request to arrive, body included. Default 120000. */
  readonly requestTimeoutMs: number;
  /** A body that falls behind this speed by `slowBodyGraceMs` is given up; 0: none is. Default 8192. */
  readonly minBodyBytesPerSecond: number;
  /** Default 10000. */
  readonly slowBodyGraceMs: number;
  /** An idle connection is closed after this. Default 72000, above what clients and proxies usually keep. */
  readonly keepAliveTimeoutMs: number;
  /** A client that takes nothing of an answer for this long, though there is more, is cut off. Default 60000. */
  readonly stalledReaderTimeoutMs: number;
  /** Connections at once; one more is dropped. Default 4096. */
  readonly maxConnections: number;
  /** Requests on one connection; 0 sets no bound. Default 0. */
  readonly maxRequestsPerConnection: number;
}

const { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, minBodyBytesPerSecond, maxConnections } =
  defaults.http;

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
};

export function jsonBoundsOf({
  maxBodyValues = defaults.http.maxBodyValues,
  maxItemValues = defaults.http.maxItemValues,
}: ServerSettings): JsonBounds {
  return { maxBodyValues, maxItemValues };
}

export const defaultKeepAliveCommentMs = 15_000;

/** What answers need of the server. */
export interface RouteContext {
  readonly runtime: NativeTurnRuntime;
  readonly exchanges: Exchanges;
  readonly registry: CodexNativeApiContinuationRegistry;
  readonly callerTurns: CallerTurns;
  /** Of the thread that serves HTTP. */
  readonly loopShare: LoopShare;
  readonly unsupportedParameters: UnsupportedParameterPolicy;
  readonly keepAliveCommentMs: number;
  /** Default `on-request`. */
  readonly jsonKeepAlive?: "on-request" | "always";
  readonly streamHeadHoldMs: number;
  readonly limits: Partial<ListenerLimits>;
  readonly version: string;
  readonly localhostOnly: boolean;
  readonly logger: Logger | undefined;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** Milliseconds that only grow, for durations. */
  readonly clock: () => number;
}
