/** A service as its page sees it, with no Codex behind it: for states that a real one is seldom in, and for many events. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Test } from "tap";
import type { Entry, ServiceState, Usage } from "../../src/page/wire.js";

const pageFolder = "build/page";

const pageHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
};

/** What the mock answers; tests change it as they like. */
export interface MockedService {
  state: ServiceState;
  /** Newest first. */
  entries: Entry[];
  usage: Usage;
  /** Null: everyone may call. */
  token: string | null;
  /** One-time codes that are still good. */
  codes: Set<string>;
  /** False: `/v1/events` is answered with 404, so that the page polls. */
  hasEvents: boolean;
}

export interface PageMock extends MockedService {
  readonly url: string;
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly authorization: string | null;
  }[];
  send(event: string, data: unknown): void;
  /** Ends every stream of events, as a restart does. */
  cutEvents(): void;
  countReaders(): number;
}

export async function startPageMock(t: Pick<Test, "teardown">, mocked: MockedService): Promise<PageMock> {
  const assets = new Map(
    readdirSync(pageFolder).map((name) => [`/page/${name}`, readFileSync(join(pageFolder, name))]),
  );
  const readers = new Set<ServerResponse>();
  const requests: PageMock["requests"][number][] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, authorization: headers.authorization ?? null });
    const path = url.split("?", 1)[0] ?? "";
    const asset = assets.get(path === "/" ? "/page/index.html" : path);
    if (asset !== undefined)
      return void response.writeHead(200, { ...pageHeaders, "content-type": typeOf(path) }).end(asset);
    if (path === "/v1/page/tokens") return void redeem(request, response, mocked);
    if (mocked.token !== null && headers.authorization !== `Bearer ${mocked.token}`) {
      return refuse(response, 401, "invalid_auth_token", "The bearer token is missing or wrong.");
    }
    if (path === "/v1/events" && mocked.hasEvents) {
      readers.add(response);
      response.on("close", () => readers.delete(response));
      response.writeHead(200, { "content-type": "text/event-stream" });
      return void response.write(formatEvent("state", mocked.state));
    }
    return answer(path, url, response, mocked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return Object.assign(mocked, {
    url: `http://127.0.0.1:${port}`,
    requests,
    send: (event: string, data: unknown) => {
      for (const reader of readers) reader.write(formatEvent(event, data));
    },
    cutEvents: () => {
      for (const reader of readers) reader.destroy();
    },
    countReaders: () => readers.size,
  });
}

function formatEvent(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function answer(path: string, url: string, response: ServerResponse, mocked: MockedService): void {
  const { entries, usage, state } = mocked;
  if (path === "/v1/requests") {
    const { searchParams } = new URL(url, "http://mock");
    const data = entries.slice(0, Number(searchParams.get("limit") ?? 100));
    return sendJson(response, 200, {
      object: "list",
      data,
      has_more: data.length < entries.length,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    });
  }
  const entry = entries.find(({ id }) => path === `/v1/requests/${id}`);
  if (entry !== undefined) return sendJson(response, 200, entry);
  if (path === "/v1/usage" && url.includes("format=csv")) {
    const rows = usage.data.map((row) => Object.values(row).join(","));
    response.writeHead(200, {
      "content-type": "text/csv",
      "content-disposition": 'attachment; filename="usage.csv"',
    });
    return void response.end(`${Object.keys(usage.data[0] ?? {}).join(",")}\r\n${rows.join("\r\n")}\r\n`);
  }
  if (path === "/v1/usage") return sendJson(response, 200, { object: "usage", ...usage });
  if (path === "/v1/health") return sendJson(response, state.ready ? 200 : 503, healthOf(state));
  return refuse(response, 404, "route_not_found", "There is no such route.");
}

function healthOf(state: ServiceState) {
  return {
    native_runtime: {
      ready: state.ready,
      reason: state.reason,
      account: state.account && { plan: state.account.plan, auth_mode: state.account.type },
      rate_limits: null,
      codex_version: state.codex_version,
      app_server: { generation: state.app_server_generation, uptime_ms: state.uptime_ms },
      workers: state.workers,
      queue: { depth: state.turns.waiting, running: state.turns.running },
      spare_threads: { ready: state.spare_threads },
    },
  };
}

async function redeem(
  request: IncomingMessage,
  response: ServerResponse,
  { codes, token }: MockedService,
): Promise<void> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  const body: unknown = JSON.parse(text);
  const code = typeof body === "object" && body !== null && "code" in body ? String(body.code) : "";
  if (!codes.delete(code))
    return refuse(response, 401, "invalid_page_code", "The code is wrong, used or expired.");
  sendJson(response, 200, { object: "page_token", token });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { error: { code, message, type: "error", param: null } });
}

function typeOf(path: string): string {
  if (path.endsWith(".js")) return "text/javascript; charset=utf-8";
  return path.endsWith(".css") ? "text/css; charset=utf-8" : "text/html; charset=utf-8";
}
