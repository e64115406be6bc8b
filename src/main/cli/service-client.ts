/** A client of the running service. Its address and token come from the service's own configuration. */
import { Agent, type Dispatcher, request } from "undici";
import { isJsonObject, type JsonObject, parseJsonObject } from "../../workers/contract/json.js";
import type { CodexNativeApiConfig } from "../config/types.js";

export interface ServiceAnswer {
  readonly status: number;
  /** Null where the body is not a JSON object. */
  readonly body: JsonObject | null;
}

interface ServiceStream {
  readonly status: number;
  /** The data of each event. Ends with the stream; throws when the stream breaks. */
  readonly events: AsyncIterable<JsonObject>;
}

/** Larger than any answer of the service. */
const maxAnswerBytes = 64 * 1024 * 1024;
const connectTimeoutMs = 5_000;

/** The service's URL for callers on this machine; null when it picks a port by itself. */
export function serviceAddress({ listen }: CodexNativeApiConfig): string | null {
  if (listen.port === 0) return null;
  const host = listen.host === "0.0.0.0" ? "127.0.0.1" : listen.host === "::" ? "::1" : listen.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${listen.port}`;
}

export class ServiceClient {
  readonly baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    pipelining: 1,
    maxResponseSize: maxAnswerBytes,
    // A model may think for longer than any fixed time; each call has its own deadline or signal.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  constructor(baseUrl: string, token: string | null) {
    this.baseUrl = baseUrl;
    this.#headers = token === null ? {} : { authorization: `Bearer ${token}` };
  }

  /** Rejects when nothing answers in time. */
  async get(path: string, timeoutMs: number): Promise<ServiceAnswer> {
    return readAnswer(await this.#send(path, { method: "GET", signal: AbortSignal.timeout(timeoutMs) }));
  }

  /** Resolves with an answer for a refusal, and else with a stream. `requestId`: by which the service's log knows the request. */
  async post(
    path: string,
    body: JsonObject,
    signal: AbortSignal,
    requestId: string | null = null,
  ): Promise<ServiceAnswer | ServiceStream> {
    const headers = {
      "content-type": "application/json",
      ...(requestId !== null && { "x-request-id": requestId }),
    };
    const response = await this.#send(path, { method: "POST", signal, headers, body: JSON.stringify(body) });
    const isStream = String(response.headers["content-type"]).startsWith("text/event-stream");
    if (!isStream) return readAnswer(response);
    return { status: response.statusCode, events: readServerSentEvents(response.body, maxAnswerBytes) };
  }

  /** Ends every exchange and connection. */
  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }

  #send(
    path: string,
    {
      headers = {},
      ...options
    }: {
      readonly method: "GET" | "POST";
      readonly signal: AbortSignal;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    },
  ): Promise<Dispatcher.ResponseData> {
    return request(`${this.baseUrl}${path}`, {
      ...options,
      dispatcher: this.#agent,
      headers: { ...this.#headers, ...headers },
    });
  }
}

async function readAnswer(response: Dispatcher.ResponseData): Promise<ServiceAnswer> {
  return { status: response.statusCode, body: parseJsonObject(await response.body.text()) };
}

/** The JSON objects of a stream of server-sent events. An event larger than `maxEventChars` is an error. */
async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  maxEventChars: number,
): AsyncGenerator<JsonObject> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    const frames = pending.split("\n\n");
    pending = frames.pop() ?? "";
    if (pending.length > maxEventChars) throw new Error("an event of the stream is too large");
    for (const frame of frames) {
      const event = readFrame(frame);
      if (event !== null) yield event;
    }
  }
}

/** Null for comments and `[DONE]`, which hold no object. */
function readFrame(frame: string): JsonObject | null {
  const lines = frame.split("\n").filter((line) => line.startsWith("data:"));
  const data = lines.map((line) => line.slice("data:".length).trimStart()).join("\n");
  if (!data.startsWith("{")) return null;
  const value: unknown = JSON.parse(data);
  return isJsonObject(value) ? value : null;
}
