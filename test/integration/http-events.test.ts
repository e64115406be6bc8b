/** `GET /v1/events` on real sockets, over a runtime that a test plays by hand. */
import { connect } from "node:net";
import t from "tap";
import { EventFeed, eventFeedBounds, type RequestListener } from "../../src/main/http/event-feed.js";
import { describeState } from "../../src/main/http/state-report.js";
import { createQuickApp } from "../fuzz/support/quick-server.js";
import { readyHealth } from "../support/fake-runtime.js";
import { call, type HttpFixture, namedToken, openStream, serveFake } from "../support/http-fixture.js";
import { pollUntil } from "../support/service-harness.js";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const settings = { allowedHosts: [], allowedOrigins: [], maxBodyBytes: 1024 };

const follow = (fixture: HttpFixture, headers: Record<string, string> = {}) =>
  openStream(fixture, "/v1/events", { headers });

t.test("the head and the state come at once", async (t) => {
  const fixture = await serveFake(t);
  const answer = await fetch(`${fixture.url}/v1/events`);
  t.equal(answer.status, 200);
  t.match(answer.headers.get("content-type"), "text/event-stream; charset=utf-8");
  t.equal(answer.headers.get("cache-control"), "no-store");
  t.equal(answer.headers.get("x-accel-buffering"), "no");
  const first = await answer.body?.getReader().read();
  t.match(
    Buffer.from(first?.value ?? []).toString(),
    /^id: 1\nevent: state\ndata: \{"object":"state".*\}\n\n$/,
  );
});

t.test("a change of the state reaches every reader", async (t) => {
  const fixture = await serveFake(t);
  const readers = [await follow(fixture), await follow(fixture)];
  for (const reader of readers) t.match((await reader.next("state")).data, { turns: { running: 0 } });
  fixture.runtime.currentHealth = { ...readyHealth, queue: { depth: 0, running: 3 } };
  for (const reader of readers) t.match((await reader.next("state")).data, { turns: { running: 3 } });
});

t.test("the state is what is known: Codex is not asked for more", async (t) => {
  const fixture = await serveFake(t);
  const asked: unknown[] = [];
  fixture.runtime.health = (options?: unknown) => {
    asked.push(options);
    return readyHealth;
  };
  const reader = await follow(fixture);
  await reader.next("state");
  await pollUntil(() => asked.length > 1);
  t.ok(asked.every((options) => options === undefined));
});

t.test("with a token, a reader needs one", async (t) => {
  const fixture = await serveFake(t, { authToken: "s3cret-s3cret-s3cret" });
  const answer = await call(fixture, "/v1/events");
  t.equal(answer.status, 401);
  t.equal((await follow(fixture, bearer("s3cret-s3cret-s3cret"))).status, 200);
});

t.test("so many may read, one more is refused, and one that leaves makes room", async (t) => {
  const fixture = await serveFake(t);
  const readers = [];
  for (let count = 0; count < eventFeedBounds.maxReaders; count += 1) readers.push(await follow(fixture));
  for (const reader of readers) await reader.next("state");
  const refused = await call(fixture, "/v1/events");
  t.match(refused, { status: 429, headers: { "retry-after": "5" } });
  t.match(refused.json(), { error: { code: "event_readers_exceeded", type: "rate_limit_error" } });
  readers[0]?.leave();
  let late = refused.status;
  await pollUntil(async () => {
    const next = await follow(fixture);
    late = next.status;
    return late === 200;
  });
  t.equal(late, 200);
});

t.test("a shutdown ends the streams at once, without waiting for them", async (t) => {
  const fixture = await serveFake(t);
  const reader = await follow(fixture);
  await reader.next("state");
  const closed = fixture.server.close({ graceMs: 60_000 });
  const rest = await reader.rest();
  t.equal(rest.at(-1)?.event, "state");
  await closed;
});

t.test("a destroyed server leaves no reader", async (t) => {
  const fixture = await serveFake(t);
  const reader = await follow(fixture);
  await reader.next("state");
  const ended = reader.rest().catch(() => []);
  await fixture.server.destroy();
  await ended;
});

t.test("a reload that withdraws a token ends its stream, and no other", async (t) => {
  const tokens = [namedToken("ada", "token-of-ada-ada")];
  const fixture = await serveFake(t, { authToken: "s3cret-s3cret-s3cret", tokens });
  const [ada, own] = [
    await follow(fixture, bearer("token-of-ada-ada")),
    await follow(fixture, bearer("s3cret-s3cret-s3cret")),
  ];
  await ada.next("state");
  await own.next("state");
  fixture.server.reconfigure({ ...settings, authToken: "s3cret-s3cret-s3cret" });
  await ada.rest();
  fixture.runtime.currentHealth = { ...readyHealth, queue: { depth: 5, running: 0 } };
  t.match((await own.next("state")).data, { turns: { waiting: 5 } });
});

t.test("a reload that asks for a token ends the streams that came without", async (t) => {
  const fixture = await serveFake(t);
  const reader = await follow(fixture);
  await reader.next("state");
  fixture.server.reconfigure({ ...settings, authToken: "s3cret-s3cret-s3cret" });
  await reader.rest();
  t.pass("the stream ended");
});

t.test("HEAD has the head alone", async (t) => {
  const fixture = await serveFake(t);
  const head = await call(fixture, "/v1/events", { method: "HEAD" });
  t.match(head, { status: 200, text: "", headers: { "content-type": "text/event-stream; charset=utf-8" } });
});

t.test("there is no replay: a reader that comes back begins with the state", async (t) => {
  const fixture = await serveFake(t);
  const reader = await follow(fixture, { "last-event-id": "0" });
  t.match((await reader.next("state")).data, { object: "state" });
});

t.test("a reader whose connection breaks is forgotten", async (t) => {
  const fixture = await serveFake(t);
  const feed = { readers: () => call(fixture, "/v1/health") };
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write("GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  socket.destroy();
  await fixture.logged("http.request");
  t.equal((await feed.readers()).status, 200);
  const line = fixture.lines.find(({ route }) => route === "/v1/events");
  t.match(line, { outcome: "client_left", level: 20 });
});

t.test("requests are seen as they begin and end, by who may see them", async (t) => {
  const tokens = [namedToken("ada", "token-of-ada-ada"), namedToken("bob", "token-of-bob-bob")];
  const fixture = await serveFake(t, { authToken: "s3cret-s3cret-s3cret", tokens });
  const [all, ada] = [
    await follow(fixture, bearer("s3cret-s3cret-s3cret")),
    await follow(fixture, bearer("token-of-ada-ada")),
  ];
  await all.next("state");
  await ada.next("state");
  for (const token of ["token-of-bob-bob", "token-of-ada-ada"])
    await call(fixture, "/v1/responses", { body: { input: "hi" }, headers: bearer(token) });
  t.match((await ada.next("request.started")).data, { object: "request", caller: "ada", outcome: null });
  t.match((await ada.next("request.ended")).data, { caller: "ada", outcome: "completed", status: 200 });
  for (const caller of ["bob", "ada"]) t.match((await all.next("request.ended")).data, { caller });
});

t.test("polls, the page and its codes are no requests of the log", async (t) => {
  const fixture = await serveFake(t);
  const reader = await follow(fixture);
  for (const path of ["/v1/health", "/readyz", "/v1/requests", "/", "/page/page.00000000.js"])
    await call(fixture, path);
  await call(fixture, "/v1/page/codes", { method: "POST" });
  await call(fixture, "/v1/responses", { body: { input: "hi" } });
  const first = await reader.next("request.started");
  t.match(first.data, { route: "/v1/responses" });
});

t.test("a reader that reads nothing is told what it missed, and begins again with the state", async (t) => {
  let tell: RequestListener = () => {};
  const eventFeed = new EventFeed({
    describeState: () => describeState(readyHealth),
    subscribe: (listener) => {
      tell = listener;
      return () => {};
    },
    admit: () => null,
    wallClock: Date.now,
    clock: () => performance.now(),
  });
  const app = await createQuickApp({ eventFeed, limits: {} });
  const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  t.teardown(async () => {
    eventFeed.close();
    app.server.closeAllConnections();
    await app.close();
  });
  const socket = connect(Number(url.port), "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.write(
    "GET /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer the-default-token\r\n\r\n",
  );
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  // More than the sockets of both sides hold.
  const data = { text: "x".repeat(16 * 1024) };
  for (let count = 0; count < 3_000; count += 1) {
    tell("request.updated", null, () => data);
    if (count % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const told = /event: events\.dropped\ndata: \{"count":[1-9]\d*\}\n\nid: \d+\nevent: state\n/;
  let text = "";
  const isTold = new Promise<void>((resolve) => {
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text = (text + chunk).slice(-200_000);
      if (told.test(text)) resolve();
    });
  });
  socket.resume();
  await isTold;
  t.pass("it was told, and has the state");
});

t.test("readers are counted in the metrics", async (t) => {
  const seen: unknown[] = [];
  const metrics = {
    observeRequest: () => {},
    render: async (server: unknown) => {
      seen.push(server);
      return { contentType: "text/plain", text: "" };
    },
  };
  const fixture = await serveFake(t, { metrics });
  const reader = await follow(fixture);
  await reader.next("state");
  await call(fixture, "/metrics");
  t.match(seen, [{ eventReaders: 1 }]);
});
