/** Outgoing HTTP of the router: a keep-alive agent. Every fault comes out as a `RouteFailure`. */
import { Agent, type buildConnector } from "undici";
import { type JsonObject, parseJsonObject } from "../../workers/contract/json.js";
import { readLogin } from "../outbound/proxy-tunnel.js";
import type { SideTaskFailure } from "./fall-through.js";
import { httpLimits } from "./limits.js";
import { RouteFailure } from "./route-failure.js";

export interface HttpPost {
  readonly url: string;
  /** Bearer token; null sends none. */
  readonly token: string | null;
  readonly body: JsonObject;
  /** Bounds the whole exchange. */
  readonly signal: AbortSignal;
  /** An HTTP proxy that the request is handed to, with the user and password that it may hold. Default: none. */
  readonly proxy?: URL;
}

export interface HttpAnswer {
  readonly status: number;
  /** Null where the body is not a JSON object. */
  readonly body: JsonObject | null;
  readonly retryAfterMs: number | null;
}

export class HttpClient {
  readonly #agent: Agent;

  /**
   * @param maxConnections to one place; no less than the tasks that may run, since a task waits for none.
   * @param connect opens them; what it fails with as a `RouteFailure` is passed on. Default: undici's own.
   */
  constructor(maxConnections: number, connect?: buildConnector.connector) {
    this.#agent = new Agent({
      connect: connect ?? { timeout: httpLimits.connectTimeoutMs },
      keepAliveTimeout: httpLimits.keepAliveMs,
      keepAliveMaxTimeout: httpLimits.keepAliveMs,
      connections: maxConnections,
      pipelining: 1,
      maxResponseSize: httpLimits.maxResponseBytes,
      // A model may think for longer than any fixed time: each exchange is bounded by its signal.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async postJson({ url, token, body, signal, proxy }: HttpPost): Promise<HttpAnswer> {
    const { origin, host, pathname, search } = new URL(url);
    const login = proxy === undefined ? null : readLogin(proxy);
    try {
      const answer = await this.#agent.request({
        origin: proxy?.origin ?? origin,
        path: `${proxy === undefined ? "" : origin}${pathname}${search}`,
        method: "POST",
        headers: {
          host,
          ...(login !== null && { "proxy-authorization": login }),
          ...(token !== null && { authorization: `Bearer ${token}` }),
          "content-type": "application/json",
          accept: "application/json",
        },
        body: JSON.stringify(body),
        signal,
      });
      return {
        status: answer.statusCode,
        body: parseJsonObject(await answer.body.text()),
        retryAfterMs: readRetryAfter(answer.headers["retry-after"]),
      };
    } catch (error) {
      throw toRouteFailure(error);
    }
  }

  /** Ends every exchange and connection. */
  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Whole seconds, as this service and the providers send them; a date counts as none. */
function readRetryAfter(header: string | string[] | undefined): number | null {
  return typeof header === "string" && /^\d{1,7}$/.test(header) ? Number(header) * 1000 : null;
}

const unreachableCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function toRouteFailure(error: unknown): RouteFailure {
  if (error instanceof RouteFailure) return error;
  const {
    code: given,
    syscall,
    message = "",
  }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
  const code = typeof given === "string" ? given : "connection_error";
  return new RouteFailure(judgeFault(code, syscall), { code, message: message || code, cause: error });
}

function judgeFault(code: string, syscall: string | undefined): SideTaskFailure {
  if (unreachableCodes.has(code)) return "unreachable";
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE" || code.startsWith("HPE_")) return "bad_answer";
  return syscall === "connect" || syscall === "getaddrinfo" ? "unreachable" : "connection_lost";
}
