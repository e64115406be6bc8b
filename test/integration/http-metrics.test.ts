import t, { type Test } from "tap";
import { ServiceMetrics } from "../../src/main/observability/metrics/service-metrics.js";
import { answerUntilAborted, fakeModels, readyHealth } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";
import { readMetric } from "../support/metrics-text.js";
import { pollUntil } from "../support/service-harness.js";
import { SocketCaller } from "../support/web-socket-caller.js";

const requests = "codex_native_api_http_requests_total";

function createMetrics(): ServiceMetrics {
  return new ServiceMetrics({
    version: "0.0.0-test",
    health: () => readyHealth,
    continuation: () => ({ entries: 0, bytes: 0 }),
    readCatalog: async () => fakeModels,
    wallClock: Date.now,
  });
}

async function serveMetrics(t: Test, options: Parameters<typeof serveFake>[1] = {}) {
  const metrics = createMetrics();
  return { metrics, fixture: await serveFake(t, { metrics, ...options }) };
}

async function scrape(fixture: HttpFixture, headers: Record<string, string> = {}): Promise<string> {
  return (await call(fixture, "/metrics", { headers })).text;
}

t.test("metrics are served in Prometheus' text format", async (t) => {
  const { fixture } = await serveMetrics(t);
  const answer = await call(fixture, "/metrics");
  t.equal(answer.status, 200);
  t.match(answer.headers["content-type"], /^text\/plain; version=0\.0\.4; charset=utf-8$/);
  t.ok(answer.headers["x-request-id"]);
  t.match(answer.text, /^# TYPE codex_native_api_http_requests_total counter$/m);
  t.equal(readMetric(answer.text, "codex_native_api_ready"), 1);
});

t.test("metrics are behind the token", async (t) => {
  const { fixture } = await serveMetrics(t, { authToken: "correct-horse-battery" });
  const refused = await call(fixture, "/metrics");
  t.equal(refused.status, 401);
  t.notMatch(refused.text, /codex_native_api_/);
  const authorization = "Bearer correct-horse-battery";
  t.match(await call(fixture, "/metrics", { headers: { authorization } }), { status: 200 });
  t.equal(readMetric(await scrape(fixture, { authorization }), requests, { status: "401" }), 1);
});

t.test("without a sink there is no such route", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/metrics");
  t.equal(answer.status, 404);
  t.match(answer.json(), { error: { code: "route_not_found" } });
});

t.test("metrics are read by GET and HEAD only", async (t) => {
  const { fixture } = await serveMetrics(t);
  const answer = await call(fixture, "/metrics", { method: "DELETE" });
  t.equal(answer.status, 405);
  t.equal(answer.headers.allow, "GET, HEAD");
  t.match(await call(fixture, "/metrics", { method: "HEAD" }), { status: 200, text: "" });
});

t.test("a scrape is logged at debug, for it comes too often", async (t) => {
  const { fixture } = await serveMetrics(t);
  await scrape(fixture);
  const line = await fixture.logged("http.request");
  t.match(line, { route: "/metrics", level: 20 });
});

t.test("requests are counted by the pattern of their route", async (t) => {
  const { fixture } = await serveMetrics(t);
  await call(fixture, "/v1/models/gpt-fake");
  await call(fixture, "/v1/models/gpt-fake-mini");
  await call(fixture, "/v1/models/none");
  await call(fixture, "/made/up");
  await call(fixture, "/made/up/too");
  const page = await scrape(fixture);
  const route = "/v1/models/:id";
  t.equal(readMetric(page, requests, { route, method: "GET", status: "200", code: "" }), 2);
  t.equal(readMetric(page, requests, { route, status: "404", code: "model_not_found" }), 1);
  t.equal(readMetric(page, requests, { route: "unmatched", status: "404", code: "route_not_found" }), 2);
  t.equal(
    readMetric(page, "codex_native_api_http_request_duration_seconds_count", { route, method: "GET" }),
    3,
  );
});

t.test("a client that leaves is counted as such", async (t) => {
  const { fixture } = await serveMetrics(t);
  fixture.runtime.script = answerUntilAborted;
  const abort = new AbortController();
  const answer = await fetch(`${fixture.url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello", stream: true }),
    signal: abort.signal,
  });
  t.equal(answer.status, 200);
  abort.abort();
  await fixture.logged("http.request");
  t.equal(
    readMetric(await scrape(fixture), requests, {
      route: "/v1/responses",
      status: "499",
      code: "client_left",
    }),
    1,
  );
});

t.test("an error told in a stream that began with 200 is counted by its code", async (t) => {
  const { fixture } = await serveMetrics(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "item.started", itemId: "msg_1", itemType: "message" });
    throw new Error("unforeseen");
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hello", stream: true } });
  t.equal(answer.status, 200);
  const counted = async () =>
    readMetric(await scrape(fixture), requests, { status: "200", code: "internal_error" }) === 1;
  await pollUntil(counted);
});

t.test("two servers in one process count for themselves", async (t) => {
  const one = await serveMetrics(t);
  const two = await serveMetrics(t);
  await call(one.fixture, "/v1/models");
  const route = "/v1/models";
  t.equal(readMetric(await scrape(one.fixture), requests, { route }), 1);
  t.equal(readMetric(await scrape(two.fixture), requests, { route }), null);
});

t.test("metrics and health count the WebSockets that are open", async (t) => {
  const { fixture } = await serveMetrics(t);
  const inMetrics = async () => readMetric(await scrape(fixture), "codex_native_api_web_sockets");
  const inHealth = async () => (await call(fixture, "/v1/health")).json();
  t.equal(await inMetrics(), 0);
  const [first] = await Promise.all([SocketCaller.open(t, fixture.url), SocketCaller.open(t, fixture.url)]);
  t.equal(await inMetrics(), 2);
  t.match(await inHealth(), { web_sockets: { open: 2 } });
  first.webSocket.close();
  await first.closed;
  await pollUntil(async () => (await inMetrics()) === 1);
  t.match(await inHealth(), { web_sockets: { open: 1 } });
});
