/** A server over a fake runtime on a real socket, gone when the test is. */
import type { Test } from "tap";
import { Agent, request } from "undici";
import { digestToken, type NamedToken } from "../../src/main/config/named-token.js";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import type { CodexNativeApiServerOptions } from "../../src/main/http/server-options.js";
import { FakeRuntime } from "./fake-runtime.js";
import { LogLines } from "./log-lines.js";
import { assertDocumented } from "./openapi-check.js";
import { parseSse, type SseEvent } from "./sse-events.js";

export interface HttpFixture {
  readonly runtime: FakeRuntime;
  readonly server: CodexNativeApiServer;
  readonly url: string;
  readonly port: number;
  readonly agent: Agent;
  /** Log lines so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Settles with the first line of that event, also if it was written before. */
  readonly logged: (event: string) => Promise<Readonly<Record<string, unknown>>>;
}

export async function serveFake(
  t: Test,
  options: Partial<CodexNativeApiServerOptions> = {},
): Promise<HttpFixture> {
  const runtime = new FakeRuntime();
  const log = new LogLines();
  const server = new CodexNativeApiServer({
    runtime,
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024 * 1024,
    unsupportedParameters: "ignore",
    version: "0.0.0-test",
    logger: log.logger,
    ...options,
  });
  const { url, port } = await server.start();
  const agent = new Agent({ connections: null });
  t.teardown(async () => {
    await agent.destroy();
    await server.destroy();
  });
  return { runtime, server, url, port, agent, lines: log.lines, logged: (event) => log.logged(event) };
}

export function namedToken(name: string, token: string, changes: Partial<NamedToken> = {}): NamedToken {
  return {
    name,
    sha256: digestToken(token),
    models: null,
    maxConcurrentTurns: null,
    priority: "interactive",
    disabled: false,
    ...changes,
  };
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON. */
  readonly json: () => unknown;
}

export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH";
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON, text as it is. */
  readonly body?: object | string;
}

/** One request and its whole answer, which must be as the OpenAPI document has it. */
export async function call(fixture: HttpFixture, path: string, options: Call = {}): Promise<HttpAnswer> {
  const { body } = options;
  const answer = await request(fixture.url + path, {
    dispatcher: fixture.agent,
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...options.headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  assertDocumented({
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    path,
    requestBody: body,
    status: answer.statusCode,
    contentType: String(answer.headers["content-type"] ?? ""),
    text,
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text,
    json: () => JSON.parse(text),
  };
}

/** The id that an answer's object has. */
export function idOf(answer: Pick<HttpAnswer, "json">): string {
  const body = answer.json();
  if (typeof body !== "object" || body === null || !("id" in body))
    throw new Error("an answer without an id");
  return String(body.id);
}

/** A stream of events that is read as far as a test asks. */
export interface OpenStream {
  readonly status: number;
  /** Reads on to the next event of this type; fails if the stream ends before. */
  next(type: string): Promise<SseEvent>;
  /** Reads on to the end. */
  rest(): Promise<readonly SseEvent[]>;
  /** Goes away. */
  leave(): void;
}

export async function openStream(
  fixture: Pick<HttpFixture, "url" | "agent">,
  path: string,
  options: Call = {},
): Promise<OpenStream> {
  const { body } = options;
  const answer = await request(fixture.url + path, {
    dispatcher: fixture.agent,
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers: { "content-type": "application/json", ...options.headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  answer.body.on("error", () => {});
  const events = readEvents(answer.body);
  return {
    status: answer.statusCode,
    next: async (type) => {
      for (let step = await events.next(); step.done !== true; step = await events.next()) {
        if (step.value.event === type) return step.value;
      }
      throw new Error(`The stream ended before ${type}.`);
    },
    rest: async () => {
      const rest: SseEvent[] = [];
      for await (const event of events) rest.push(event);
      return rest;
    },
    leave: () => answer.body.destroy(),
  };
}

async function* readEvents(body: AsyncIterable<Buffer>): AsyncGenerator<SseEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const whole = text.lastIndexOf("\n\n") + 2;
    if (whole === 1) continue;
    yield* parseSse(text.slice(0, whole)).events;
    text = text.slice(whole);
  }
  if (text !== "") throw new Error(`The stream breaks off: ${JSON.stringify(text.slice(-80))}`);
}
