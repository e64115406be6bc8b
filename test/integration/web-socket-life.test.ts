/** How a WebSocket ends: by its client, its age, its silence, its token, and the service. */
import t from "tap";
import type { FakeTurn } from "../support/fake-runtime.js";
import { namedToken, serveFake } from "../support/http-fixture.js";
import { SocketCaller } from "../support/web-socket-caller.js";

async function sayAndWait(turn: FakeTurn) {
  turn.start();
  await turn.emit({ type: "item.started", itemId: "msg_1", itemType: "message" });
  await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
  await turn.aborted();
  return turn.result("cancelled");
}

t.test("a client that leaves cancels what runs and what waits", async (t) => {
  const fixture = await serveFake(t);
  const { runtime, url } = fixture;
  runtime.script = sayAndWait;
  const caller = await SocketCaller.open(t, url);
  caller.create({ input: "runs" });
  caller.create({ input: "waits" });
  await caller.next("response.output_text.delta");
  caller.webSocket.terminate();
  await runtime.turns[0]?.aborted();
  await caller.closed;
  while (!fixture.lines.some(({ method }) => method === "WS")) await new Promise(setImmediate);
  const line = fixture.lines.find(({ method }) => method === "WS");
  t.match(line, { outcome: "client_left", status: null });
});

t.test(
  "a turn that fails before its first word is an error with a status, later a failed response",
  async (t) => {
    const { runtime, url } = await serveFake(t);
    const { CodexNativeApiError } = await import("../../src/main/errors.js");
    const fail = () => {
      throw new CodexNativeApiError("rate_limit_exceeded", "Too many.", { retryAfterMs: 7_000 });
    };
    runtime.script = async (turn) => {
      turn.start();
      return fail();
    };
    const caller = await SocketCaller.open(t, url);
    caller.create({ input: "hi" });
    t.match(await caller.next("response.created", "error"), {
      type: "error",
      status: 429,
      error: { code: "rate_limit_exceeded", message: "Too many." },
      headers: { "retry-after": "7" },
    });
    runtime.script = async (turn) => {
      turn.start();
      await turn.emitText("msg_1", ["Hel"]);
      return fail();
    };
    t.match(await caller.ask({ input: "hi" }), { status: "failed", error: { code: "rate_limit_exceeded" } });
  },
);

t.test("a service that stops lets responses end, ends the rest, and goes away", async (t) => {
  const { runtime, url, server } = await serveFake(t);
  const idle = await SocketCaller.open(t, url);
  let end = () => {};
  const mayEnd = new Promise<void>((resolve) => {
    end = resolve;
  });
  const busy = await SocketCaller.open(t, url);
  runtime.script = async (turn) => {
    turn.start();
    await turn.emitText("msg_1", ["Hel"]);
    await mayEnd;
    return turn.result();
  };
  busy.create({ input: "ends in time" });
  busy.create({ input: "waits" });
  await busy.next("response.output_text.delta");
  const stuck = await SocketCaller.open(t, url);
  runtime.script = sayAndWait;
  stuck.create({ input: "does not end" });
  await stuck.next("response.output_text.delta");
  const closed = server.close({ graceMs: 300 });
  t.match(await idle.closed, { code: 1001, reason: "The service is shutting down." });
  end();
  t.match(await busy.ended(), { status: "completed" });
  t.match(await busy.next("error"), { status: 503, error: { code: "native_runtime_unavailable" } });
  t.match(await busy.closed, { code: 1001 });
  t.match(await stuck.ended(), { status: "failed", error: { code: "native_runtime_unavailable" } });
  t.match(await stuck.closed, { code: 1001 });
  await closed;
});

t.test("a client that answers no close is cut off when the service stops", async (t) => {
  const { url, server } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  caller.webSocket.pause();
  await server.close({ graceMs: 0 });
  caller.webSocket.resume();
  await caller.closed;
  t.pass();
});

t.test("a service that is destroyed cuts its connections off", async (t) => {
  const { url, server, runtime } = await serveFake(t);
  runtime.script = sayAndWait;
  const caller = await SocketCaller.open(t, url);
  caller.create({ input: "hi" });
  await caller.next("response.output_text.delta");
  await server.destroy();
  await caller.closed;
  t.pass();
});

t.test("a token that is withdrawn ends its responses and its connections", async (t) => {
  const { runtime, url, server } = await serveFake(t, {
    tokens: [namedToken("ada", "ada-token-0123456789"), namedToken("bob", "bob-token-0123456789")],
  });
  runtime.script = sayAndWait;
  const open = (name: string) =>
    SocketCaller.open(t, url, { headers: { authorization: `Bearer ${name}-token-0123456789` } });
  const ada = await open("ada");
  const idle = await open("ada");
  const bob = await open("bob");
  ada.create({ input: "hi" });
  await ada.next("response.output_text.delta");
  server.reconfigure({
    authToken: null,
    tokens: [namedToken("bob", "bob-token-0123456789")],
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024,
  });
  t.match(await ada.ended(), { status: "failed", error: { code: "invalid_auth_token" } });
  t.match(await ada.closed, { code: 1008 });
  t.match(await idle.closed, { code: 1008, reason: "The token was withdrawn." });
  bob.send(`{"type":"response.create","input":"${"x".repeat(2000)}"}`);
  t.match(
    await bob.next("error"),
    { status: 413, error: { code: "body_too_large" } },
    "new bounds hold at once",
  );
});

t.test("a connection that was used for nothing is closed, and one that grew old takes no more", async (t) => {
  const { url, runtime } = await serveFake(t, { limits: { webSocketIdleMs: 200, webSocketPingMs: 1_000 } });
  const idle = await SocketCaller.open(t, url);
  t.match(await idle.closed, { code: 1001, reason: "The connection was not used." });
  const { url: other, runtime: otherRuntime } = await serveFake(t, {
    limits: { webSocketAgeMs: 300, webSocketPingMs: 1_000 },
  });
  otherRuntime.script = async (turn) => {
    turn.start();
    await turn.emitText("msg_1", ["Hel"]);
    await new Promise((resolve) => setTimeout(resolve, 600));
    return turn.result();
  };
  const old = await SocketCaller.open(t, other);
  old.create({ input: "hi" });
  await old.next("response.created");
  const late = new Promise((resolve) => setTimeout(resolve, 400));
  await late;
  old.create({ input: "too late" });
  t.match(await old.next("error"), { status: 400, error: { code: "websocket_connection_limit_reached" } });
  t.match(await old.ended(), { status: "completed" }, "what runs goes on");
  t.match(await old.closed, { code: 1001 });
  t.equal(runtime.turns.length, 0);
});

t.test("a client that answers no ping is cut off", async (t) => {
  const { url } = await serveFake(t, { limits: { webSocketPingMs: 200 } });
  const alive = await SocketCaller.open(t, url);
  const dead = await SocketCaller.open(t, url, { autoPong: false });
  t.match(await dead.closed, { code: 1006 });
  t.match(await alive.ask({ input: "hi" }), { status: "completed" });
});

t.test("a slow reader holds its own turn back, and is cut off when it takes nothing", async (t) => {
  const { url, runtime } = await serveFake(t, { limits: { stalledReaderTimeoutMs: 500 } });
  let said = 0;
  runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "item.started", itemId: "msg_1", itemType: "message" });
    for (; said < 1000 && turn.handlers.signal?.aborted !== true; said += 1) {
      await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "x".repeat(100_000) });
    }
    return turn.result();
  };
  const caller = await SocketCaller.open(t, url);
  caller.webSocket.pause();
  caller.create({ input: "hi" });
  await runtime.turns[0]?.aborted();
  while (runtime.turns.length === 0) await new Promise(setImmediate);
  await runtime.turns[0]?.aborted();
  t.ok(said < 500, `${said} deltas of 100 kB were taken in`);
});
