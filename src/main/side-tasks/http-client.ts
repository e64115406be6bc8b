/** All outgoing HTTP of the router: one keep-alive agent. Whatever goes wrong comes out as a `RouteFailure`. */
import { Agent, request } from "undici";
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import type { SideTaskFailure } from "./fall-through.js";
import { RouteFailure } from "./route-failure.js";

interface HttpClientOptions {
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** Connections to one place. A task waits for none, so it is no less than the tasks that may run. */
  readonly maxConnections: number;
  readonly maxResponseBytes: number;
}

interface HttpPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  /** Bounds the whole exchange. */
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Null where the body is no JSON object. */
  readonly body: JsonObject | null;
  readonly retryAfterMs: number | null;
}

export class HttpClient {
  readonly #agent: Agent;

  constructor(options: HttpClientOptions) {
    this.#agent = new Agent({
      connect: { timeout: options.connectTimeoutMs },
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: options.keepAliveMs,
      connections: options.maxConnections,
      pipelining: 1,
      maxResponseSize: options.maxResponseBytes,
      // A model may think for longer than any fixed time: the signal of each exchange bounds it as a whole.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async postJson(post: HttpPost): Promise<HttpAnswer> {
    try {
      const answer = await request(post.url, {
        dispatcher: this.#agent,
        method: "POST",
        headers: { ...post.headers, "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(post.body),
        signal: post.signal,
      });
      const text = await answer.body.text();
      return {
        status: answer.statusCode,
        body: parseObject(text),
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

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    // Not JSON is an answer of its own kind; the route says `bad_answer` or goes by the status.
    return null;
  }
}

/** Whole seconds, as this service and the providers send them; a date is not understood. */
function readRetryAfter(header: string | string[] | undefined): number | null {
  return typeof header === "string" && /^\d{1,7}$/.test(header) ? Number(header) * 1000 : null;
}

const byCode: ReadonlyMap<string, SideTaskFailure> = new Map([
  ["ECONNREFUSED", "unreachable"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EADDRNOTAVAIL", "unreachable"],
  ["ENOTFOUND", "unreachable"],
  ["EAI_AGAIN", "unreachable"],
  ["UND_ERR_CONNECT_TIMEOUT", "unreachable"],
  ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "bad_answer"],
]);

function toRouteFailure(error: unknown): RouteFailure {
  const code = codeOf(error);
  const failure = byCode.get(code) ?? judgeUnknown(error, code);
  const message = error instanceof Error && error.message !== "" ? error.message : code;
  return new RouteFailure(failure, { code, message, cause: error });
}

function judgeUnknown(error: unknown, code: string): SideTaskFailure {
  if (code.startsWith("HPE_")) return "bad_answer";
  // TLS that does not come about sends nothing.
  if (/CERT|^ERR_(TLS|SSL)/.test(code)) return "unreachable";
  const syscall = error instanceof Error && "syscall" in error ? error.syscall : null;
  return syscall === "connect" || syscall === "getaddrinfo" ? "unreachable" : "connection_lost";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "connection_error";
}
