import { connect } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { FakeRuntime } from "../support/fake-runtime.js";
import { call, namedToken, serveFake } from "../support/http-fixture.js";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test("with a token, everything but the probes asks for it", async (t) => {
  const fixture = await serveFake(t, { authToken: "s3cret" });
  for (const path of [
    "/v1/models",
    "/v1/models/gpt-fake",
    "/v1/health",
    "/v1/nowhere",
    "/nowhere",
    "/%761/models",
  ]) {
    const answer = await call(fixture, path);
    t.equal(answer.status, 401, path);
    t.equal(answer.headers["www-authenticate"], 'Bearer realm="codex-native-api"', path);
    t.match(answer.json(), { error: { code: "invalid_auth_token", type: "authentication_error" } }, path);
  }
  const wrong = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers: bearer("guess") });
  t.equal(wrong.status, 401);
  t.match(wrong.headers, { "www-authenticate": /error="invalid_token"/, "x-should-retry": "false" });
  t.equal(fixture.runtime.turns.length, 0);
  const right = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers: bearer("s3cret") });
  t.equal(right.status, 200);
  for (const path of ["/livez", "/readyz"]) t.equal((await call(fixture, path)).status, 200, path);
});

t.test("a host name that is not ours is refused: it may point here by DNS rebinding", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/responses", {
    body: { input: "hi" },
    headers: { host: `rebound.evil.example:${fixture.port}` },
  });
  t.equal(answer.status, 403);
  t.match(answer.json(), { error: { code: "host_not_allowed", type: "permission_error" } });
  t.equal((await call(fixture, "/livez", { headers: { host: "evil.example" } })).status, 403);
  t.equal((await call(fixture, "/v1/models", { headers: { host: "localhost" } })).status, 200);
});

t.test("a web page is refused, preflight included", async (t) => {
  const fixture = await serveFake(t);
  const headers = { origin: "https://evil.example" };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers });
  t.equal(answer.status, 403);
  t.match(answer.json(), { error: { code: "origin_not_allowed" } });
  const preflight = await call(fixture, "/v1/responses", {
    method: "OPTIONS",
    headers: { ...headers, "access-control-request-method": "POST" },
  });
  t.equal(preflight.status, 403);
  t.notOk("access-control-allow-origin" in preflight.headers);
  const image = await call(fixture, "/v1/models", { headers: { "sec-fetch-site": "cross-site" } });
  t.equal(image.status, 403);
});

t.test("a page of an allowed origin may call, and its browser is told so", async (t) => {
  const origin = "https://app.example";
  const fixture = await serveFake(t, { authToken: "s3cret", allowedOrigins: [origin] });
  const preflight = await call(fixture, "/v1/responses", {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type",
    },
  });
  t.equal(preflight.status, 204);
  t.match(preflight.headers, {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": /POST/,
    "access-control-allow-headers": "authorization, content-type",
  });
  const headers = { origin, ...bearer("s3cret") };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi", stream: true }, headers });
  t.equal(answer.status, 200);
  t.match(answer.headers, { "access-control-allow-origin": origin, vary: "origin" });
  const refused = await call(fixture, "/v1/models", { headers: { origin } });
  t.equal(refused.status, 401);
  t.equal(refused.headers["access-control-allow-origin"], origin);
});

t.test("extensions and desktop programs may call where their origin is allowed, exactly", async (t) => {
  const origins = [
    "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://2b9e5c1a-4f3d-4e2b-9c1d-0a1b2c3d4e5f",
    "vscode-webview://1a2b3c4d5e6f",
    "tauri://localhost",
    "capacitor://localhost",
  ];
  const fixture = await serveFake(t, { allowedOrigins: origins });
  const ask = (origin: string) =>
    call(fixture, "/v1/responses", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  for (const origin of origins) {
    const preflight = await ask(origin);
    t.equal(preflight.status, 204, origin);
    t.equal(preflight.headers["access-control-allow-origin"], origin);
    const answer = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers: { origin } });
    t.equal(answer.status, 200, origin);
    t.equal(answer.headers["access-control-allow-origin"], origin);
  }
  for (const origin of [
    "null",
    "app://evil.md",
    "app://obsidian.md.evil.example",
    "app://obsidian.md:80",
    "https://obsidian.md",
    "http://localhost",
    "chrome-extension://bbcdefghijklmnopabcdefghijklmnop",
    "tauri://evil",
  ]) {
    t.equal((await ask(origin)).status, 403, origin);
  }
});

t.test("no setting lets the origin null in, which every sandboxed page has", async (t) => {
  const fixture = await serveFake(t, { allowedOrigins: ["null", "*", "https://app.example"] });
  for (const origin of ["null", "*", "https://other.example"]) {
    t.equal((await call(fixture, "/v1/models", { headers: { origin } })).status, 403, origin);
  }
});

t.test("a server that others can reach is not made without a token", async (t) => {
  const options = {
    runtime: new FakeRuntime(),
    port: 0,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024,
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    unsupportedParameters: "ignore",
    version: "0",
  } as const;
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "box.example"]) {
    t.throws(
      () => new CodexNativeApiServer({ ...options, host, authToken: null }),
      /without an authToken/,
      host,
    );
    t.throws(
      () => new CodexNativeApiServer({ ...options, host, authToken: "fifteen-chars-1" }),
      /less than 16 characters/,
      host,
    );
    const strong = "sixteen-chars-16";
    t.doesNotThrow(() => new CodexNativeApiServer({ ...options, host, authToken: strong }), host);
    const tokens = [namedToken("ada", strong)];
    t.doesNotThrow(() => new CodexNativeApiServer({ ...options, host, authToken: null, tokens }), host);
  }
});

t.test("what is not HTTP is refused in our own shape", async (t) => {
  const { port } = await serveFake(t);
  const socket = connect(port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.end("HELLO\r\n\r\n");
  const answer = await text(socket);
  t.match(answer, /^HTTP\/1\.1 400 /);
  t.match(answer, /x-request-id: req_/);
  t.match(answer, /"code":"invalid_request"/);
});

t.test("a request that does not arrive in time is given up", async (t) => {
  const { port } = await serveFake(t, { limits: { headersTimeoutMs: 20, requestTimeoutMs: 40 } });
  const halves = [
    "GET /livez HTTP/1.1\r\nhost: localhost\r\n",
    "POST /livez HTTP/1.1\r\nhost: localhost\r\n",
  ];
  for (const half of halves) {
    const socket = connect(port, "127.0.0.1");
    t.teardown(() => socket.destroy());
    socket.write(half);
    t.match(await text(socket), /^HTTP\/1\.1 408 /);
  }
});

t.test("connections beyond the bound are dropped, those within it are served", async (t) => {
  const fixture = await serveFake(t, { limits: { maxConnections: 1 } });
  t.equal((await call(fixture, "/livez")).status, 200);
  const second = connect(fixture.port, "127.0.0.1");
  t.teardown(() => second.destroy());
  t.equal(await text(second).catch(() => "reset"), "");
  t.equal((await call(fixture, "/livez")).status, 200);
});

/** Sends text as it is and reads what comes until the end. */
async function exchange(t: Test, port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.write(request);
  return text(socket);
}

t.test("headers up to their bound are taken, larger ones refused", async (t) => {
  const { port } = await serveFake(t, { limits: { maxHeaderBytes: 4096 } });
  const padded = (bytes: number) =>
    `GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-pad: ${"x".repeat(bytes)}\r\n\r\n`;
  t.match(await exchange(t, port, padded(3900)), /^HTTP\/1\.1 200 /);
  t.match(await exchange(t, port, padded(4200)), /^HTTP\/1\.1 431 /);
});

t.test("a connection carries as many requests as its bound says", async (t) => {
  const { port } = await serveFake(t, { limits: { maxRequestsPerConnection: 2 } });
  const one = (connection: string) =>
    `GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: ${connection}\r\n\r\n`;
  const answers = await exchange(t, port, one("keep-alive").repeat(2) + one("close"));
  t.strictSame(answers.match(/^HTTP\/1\.1 \d+/gm), ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503"]);
});

t.test("a body up to its bound is taken, a larger one refused, with a length or in chunks", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 2048 });
  const body = (bytes: number) => JSON.stringify({ input: "x".repeat(bytes - 12) });
  t.equal(Buffer.byteLength(body(2048)), 2048);
  t.equal((await call(fixture, "/v1/responses", { body: body(2048) })).status, 200);
  const refused = await call(fixture, "/v1/responses", { body: body(2049) });
  t.match(refused.json(), { error: { code: "body_too_large" } });
  t.equal(refused.status, 413);
  const head = "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
  const chunks = `${head}transfer-encoding: chunked\r\n\r\n800\r\n${body(2048)}\r\n1\r\n \r\n0\r\n\r\n`;
  t.match(await exchange(t, fixture.port, chunks), /^HTTP\/1\.1 413 .*"code":"body_too_large"/s);
  t.equal(fixture.runtime.turns.length, 1);
});

t.test("an idle connection is closed after its time", async (t) => {
  const { port } = await serveFake(t, { limits: { keepAliveTimeoutMs: 20 } });
  t.match(await exchange(t, port, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

t.test("a running server takes other names, origins, tokens and bounds", async (t) => {
  const fixture = await serveFake(t, { authToken: "s3cret" });
  const asked = (headers: Record<string, string>, body: object = { input: "hi" }) =>
    call(fixture, "/v1/responses", { headers, body });
  const own = { host: "box.lan", origin: "https://app.example", ...bearer("changed") };
  t.equal((await asked(own)).status, 403);
  const settings = {
    authToken: "changed",
    allowedHosts: ["box.lan"],
    allowedOrigins: ["https://app.example"],
    maxBodyBytes: 1024,
  };
  fixture.server.reconfigure(settings);
  t.equal((await asked(own)).status, 200);
  t.equal((await asked(bearer("s3cret"))).status, 401);
  t.equal((await asked(bearer("changed"), { input: "x".repeat(1024) })).status, 413);
  fixture.server.reconfigure({ ...settings, limits: { maxConnections: 1 } });
  const kept = connect(fixture.port, "127.0.0.1");
  const dropped = connect(fixture.port, "127.0.0.1");
  t.teardown(() => kept.destroy());
  t.teardown(() => dropped.destroy());
  t.equal(await text(dropped).catch(() => "reset"), "");
});
