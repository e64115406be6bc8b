/** The request log against hostile and careless callers, and over stores that fail. */
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiRequestStore } from "../../src/main/observability/requests/in-memory-request-store.js";
import type { CodexNativeApiRequestStore } from "../../src/main/observability/requests/types.js";
import { answerHello, fakeStarted, fakeUsage } from "../support/fake-runtime.js";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";
import { pollUntil } from "../support/service-harness.js";

type Entry = Readonly<Record<string, unknown>>;

async function readList(fixture: HttpFixture, query = ""): Promise<readonly Entry[]> {
  const answer = await call(fixture, `/v1/requests${query}`);
  t.equal(answer.status, 200, answer.text.slice(0, 500));
  return (answer.json() as { readonly data: readonly Entry[] }).data;
}

async function untilEnded(fixture: HttpFixture, count: number): Promise<readonly Entry[]> {
  const ended = async () => (await readList(fixture, "?limit=1000")).filter(({ state }) => state === "ended");
  await pollUntil(async () => (await ended()).length === count);
  return ended();
}

t.test("names of a megabyte and half emojis are short whole words in an entry", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 16 * 1024 * 1024 });
  const long = "n".repeat(1_000_000);
  const half = `${"x".repeat(127)}\ud83d\ude00`;
  const bodies = [
    { model: long, input: "hi", metadata: { codexbridge: { taskClass: long } }, reasoning: { effort: long } },
    { model: half, input: "hi", metadata: { codexbridge: { taskClass: half } }, service_tier: half },
    { input: "hi", [long]: 1, [`\ud83d${long}`]: 1, temperature: 1 },
    { input: [{ role: "user", content: [{ type: long }] }] },
    { input: "hi", previous_response_id: long },
  ];
  for (const body of bodies) await call(fixture, "/v1/responses", { body: JSON.stringify(body) });
  const entries = await untilEnded(fixture, bodies.length);
  for (const entry of entries) {
    const text = JSON.stringify(entry);
    t.ok(text.length < 4_000, `${text.length} characters`);
    t.ok(text.isWellFormed());
    t.notMatch(text, /\\ud8/i);
  }
  const usage = (await call(fixture, "/v1/usage")).text;
  t.ok(usage.length < 5_000 && usage.isWellFormed());
  const csv = await call(fixture, "/v1/usage?format=csv");
  t.match(csv.headers, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": /^attachment; filename="[\w.-]+"$/,
  });
  t.ok(csv.text.length < 5_000);
});

t.test("a task class cannot be a formula in the CSV", async (t) => {
  const fixture = await serveFake(t);
  const classes = ["=cmd|' /C calc'!A1", '+"x"', "-1", "@SUM(A1)", "\t=1", "a,b", "ünïcödé"];
  for (const taskClass of classes) {
    await call(fixture, "/v1/responses", { body: { input: "hi", metadata: { codexbridge: { taskClass } } } });
  }
  await untilEnded(fixture, classes.length);
  const { text } = await call(fixture, "/v1/usage?format=csv");
  const lines = text.split("\r\n");
  t.equal(lines.length, classes.length + 2);
  for (const cell of text.split(/,|\r\n/)) t.notMatch(cell, /^"?[=+\-@\t]/);
  t.ok(text.includes(`"'=cmd|' /C calc'!A1"`) && text.includes('"a,b"') && text.includes('"\'+""x"""'));
});

t.test("a caller that sends one request id for all gets an entry for each", async (t) => {
  const fixture = await serveFake(t);
  const headers = { "x-request-id": "always-the-same" };
  for (let index = 0; index < 5; index += 1) {
    const answer = await call(fixture, "/v1/responses", { headers, body: { input: "hi" } });
    t.equal(answer.headers["x-request-id"], "always-the-same");
  }
  const ids = (await untilEnded(fixture, 5)).map(({ id }) => String(id));
  t.equal(new Set(ids).size, 5);
  t.ok(ids.every((id) => id.startsWith("always-the-same")));
  const seen: string[] = [];
  for (let after: string | undefined; seen.length < 5; after = seen.at(-1)) {
    const page = await readList(fixture, `?limit=2${after === undefined ? "" : `&after=${after}`}`);
    seen.push(...page.map(({ id }) => String(id)));
  }
  t.strictSame(seen, ids, "pages follow one another all the same");
});

t.test("a query that makes no sense is refused by the name of its parameter", async (t) => {
  const fixture = await serveFake(t);
  for (const [path, param] of [
    ["/v1/requests?limit=0", "limit"],
    ["/v1/requests?limit=1001", "limit"],
    ["/v1/requests?limit=many", "limit"],
    ["/v1/requests?outcome=fine", "outcome"],
    ["/v1/requests?route=a&route=b", "route"],
    [`/v1/requests?model=${"m".repeat(300)}`, "model"],
    ["/v1/requests?after=", "after"],
    ["/v1/requests?after=unknown", "after"],
    ["/v1/usage?format=xml", "format"],
  ] as const) {
    const answer = await call(fixture, path);
    t.equal(answer.status, 400, path);
    t.match(answer.json(), { error: { code: "invalid_request", param } }, path);
  }
  for (const id of ["unknown", "%00", "..%2f..", "a%20b", "x".repeat(400)]) {
    const answer = await call(fixture, `/v1/requests/${id}`);
    t.match(answer.json(), { error: { code: "request_not_found" } }, id);
  }
  t.equal((await call(fixture, "/v1/requests/")).status, 404);
  t.equal((await call(fixture, "/v1/requests", { method: "DELETE" })).status, 405);
  t.strictSame(await readList(fixture), [], "none of these is an entry");
});

t.test("strangers who are refused push out no request of those who may call", async (t) => {
  const store = new InMemoryCodexNativeApiRequestStore({ maxEntries: 20 });
  const tokens = [namedToken("ada", "ada-ada-ada-ada-ada")];
  const fixture = await serveFake(t, { authToken: "the-default-token", tokens, requestStore: store });
  const ask = (token: string) =>
    call(fixture, "/v1/responses", {
      headers: { authorization: `Bearer ${token}` },
      body: { input: "hi" },
    });
  for (let index = 0; index < 10; index += 1) t.equal((await ask("ada-ada-ada-ada-ada")).status, 200);
  for (let index = 0; index < 60; index += 1) t.equal((await ask("a-wrong-token")).status, 401);
  const query = {
    viewer: null,
    limit: 100,
    after: null,
    route: null,
    model: null,
    outcome: null,
    code: null,
  };
  const page = await store.list({ ...query, caller: "ada" });
  t.equal(page?.entries.length, 10);
  t.equal(store.size.entries, 12);
});

t.test("what is polled is neither logged above debug nor kept", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/v1/requests", "/v1/usage", "/v1/requests/unknown", "/v1/health", "/livez"]) {
    await call(fixture, path);
  }
  t.strictSame(await readList(fixture), []);
  const lines = fixture.lines.filter(({ event, status }) => event === "http.request" && status === 200);
  t.ok(lines.length >= 4 && lines.every(({ level }) => level === 20));
});

/** One that does nothing right. */
function brokenStore(how: () => never): CodexNativeApiRequestStore {
  return { begin: how, update: how, end: how, list: how, get: how, usage: how };
}

async function answersWith(t: Test, requestStore: CodexNativeApiRequestStore): Promise<HttpFixture> {
  const fixture = await serveFake(t, { requestStore });
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 200);
  return fixture;
}

t.test("a store that throws costs no caller its answer, and is logged once", async (t) => {
  const fixture = await answersWith(
    t,
    brokenStore(() => {
      throw new Error("disk full");
    }),
  );
  await call(fixture, "/v1/responses", { body: { input: "hi" } });
  for (const path of ["/v1/requests", "/v1/requests/x", "/v1/usage"]) {
    const answer = await call(fixture, path);
    t.equal(answer.status, 503);
    t.match(answer.json(), { error: { code: "request_log_unavailable" } });
    t.notMatch(answer.text, /disk full/);
  }
  const failures = fixture.lines.filter(({ event }) => event === "request_log.failed");
  t.equal(failures.length, 2, "writes once, and reads once");
});

t.test("a store that never answers holds up no caller", async (t) => {
  const never = () => new Promise<never>(() => {});
  await answersWith(t, { begin: never, update: never, end: never, list: never, get: never, usage: never });
});

t.test("what was said is kept from when the configuration asks for it until it no longer does", async (t) => {
  const fixture = await serveFake(t);
  const settings = { authToken: null, allowedHosts: [], allowedOrigins: [], maxBodyBytes: 1024 * 1024 };
  const ask = (id: string) =>
    call(fixture, "/v1/responses", { headers: { "x-request-id": id }, body: { input: "tell me" } });
  await ask("before");
  fixture.server.reconfigure({ ...settings, requestContent: true });
  await ask("during");
  fixture.server.reconfigure(settings);
  await ask("after");
  const entries = new Map((await untilEnded(fixture, 3)).map((entry) => [entry.id, entry.content]));
  t.equal(entries.get("before"), null);
  t.match(entries.get("during"), { input: /tell me/, output: /w\u00f6rld/, metadata: null });
  t.equal(entries.get("after"), null);
});

t.test("tokens of attempts that failed count too", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.admit();
    turn.start({ ...fakeStarted, thread: { kind: "loaded", readyAtMs: performance.now() } });
    await turn.emit({ type: "model_call.completed", usage: fakeUsage });
    turn.handlers.onRetry?.("native_runtime_unavailable");
    return answerHello(turn);
  };
  await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.match(await untilEnded(fixture, 1), [
    {
      outcome: "completed",
      attempts: 2,
      retries: [{ code: "native_runtime_unavailable", at_ms: Number }],
      usage: { total_tokens: 2 * fakeUsage.totalTokens },
    },
  ]);
  t.match((await call(fixture, "/v1/usage")).json(), {
    data: [{ requests: 1, input_tokens: 2 * fakeUsage.inputTokens }],
    other: 0,
  });
});

t.test("retries without end are a list with one", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = (turn) => {
    for (let index = 0; index < 1_000; index += 1) {
      turn.admit();
      turn.handlers.onRetry?.("rate_limit_exceeded");
    }
    return answerHello(turn);
  };
  await call(fixture, "/v1/responses", { body: { input: "hi" } });
  const [entry] = await untilEnded(fixture, 1);
  t.equal(entry?.attempts, 1_001);
  t.ok(Array.isArray(entry?.retries) && entry.retries.length === 16);
});

t.test("a log line has no text of a path, and only as much of a name as an entry has", async (t) => {
  const fixture = await serveFake(t);
  await call(fixture, `/v1/responses/${encodeURIComponent("my secret\nplan")}`);
  await call(fixture, `/v1/responses/${"n".repeat(500)}`);
  const metadata = { codexbridge: { taskClass: "n".repeat(100_000) } };
  await call(fixture, "/v1/responses", { body: { input: "hi", metadata } });
  await untilEnded(fixture, 3);
  t.notMatch(JSON.stringify(fixture.lines), /secret|n{129}/);
  t.match(await fixture.logged("http.request"), { route: "/v1/responses/:response_id", status: 404 });
});
