import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import t from "tap";
import { request } from "undici";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { CodexNativeApiServer } from "../../src/main/http/server.js";
import { answerUntilAborted, FakeRuntime } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";
import { parseSse } from "../support/sse-events.js";

async function openStream({ url, agent }: HttpFixture) {
  const answer = await request(`${url}/v1/responses`, {
    dispatcher: agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hi", stream: true }),
  });
  return answer.body;
}

function createServer(port = 0): CodexNativeApiServer {
  return new CodexNativeApiServer({
    runtime: new FakeRuntime(),
    host: "127.0.0.1",
    port,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024,
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    unsupportedParameters: "ignore",
    version: "0",
  });
}

t.test("a stream under way ends by itself within the grace", async (t) => {
  const fixture = await serveFake(t);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fixture.runtime.script = async (turn) => {
    turn.start();
    await released;
    await turn.emitText("msg_1", ["hi"]);
    return turn.result();
  };
  const body = await openStream(fixture);
  const closed = fixture.server.close({ graceMs: 60_000 });
  release();
  t.equal(parseSse(await body.text()).events.at(-1)?.event, "response.completed");
  await closed;
});

t.test("a stream that outlasts the grace gets its terminal event, also if its turn never ends", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    return await new Promise(() => {});
  };
  const body = await openStream(fixture);
  const read = body.text();
  await fixture.server.close({ graceMs: 1 });
  const { events } = parseSse(await read);
  t.match(events.at(-1), {
    event: "response.failed",
    data: { response: { status: "failed", error: { code: "native_runtime_unavailable" } } },
  });
  t.equal(fixture.runtime.turns[0]?.handlers.signal?.aborted, true);
});

t.test("a whole response that outlasts the grace is an error that says to try again", async (t) => {
  const fixture = await serveFake(t);
  let begun: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  fixture.runtime.script = async () => {
    begun();
    return await new Promise(() => {});
  };
  const answer = call(fixture, "/v1/responses", { body: { input: "hi" } });
  await running;
  await fixture.server.close({ graceMs: 1 });
  t.equal((await answer).status, 503);
  t.match((await answer).headers, { "retry-after": "1" });
  t.match((await answer).json(), { error: { code: "native_runtime_unavailable" } });
});

t.test("idle connections do not hold a close up, and a second close joins the first", async (t) => {
  const fixture = await serveFake(t);
  await call(fixture, "/livez");
  const silent = connect(fixture.port, "127.0.0.1");
  t.teardown(() => silent.destroy());
  await once(silent, "connect");
  await Promise.all([fixture.server.close({ graceMs: 60_000 }), fixture.server.close({ graceMs: 1 })]);
  await t.rejects(call(fixture, "/livez"));
});

t.test("a request on an open connection is refused while the server closes", async (t) => {
  const fixture = await serveFake(t);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fixture.runtime.script = async (turn) => {
    turn.start();
    await released;
    return turn.result();
  };
  const socket = connect(fixture.port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  await once(socket, "connect");
  // Connections are accepted in order, so once this one is served ours is known to the server.
  const stream = await openStream(fixture);
  const closed = fixture.server.close({ graceMs: 60_000 });
  socket.write("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const refusal = await text(socket);
  t.match(refusal, /^HTTP\/1\.1 503 /);
  t.match(refusal, /\r\nconnection: close\r\n/i);
  t.match(refusal, /"code":"native_runtime_unavailable"/);
  release();
  t.match(await stream.text(), /response\.completed/);
  await closed;
});

t.test(
  "an answer that waits behind another on its connection is forgotten with the connection",
  async (t) => {
    const fixture = await serveFake(t);
    let begun: () => void = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    fixture.runtime.script = (turn) => {
      if (fixture.runtime.turns.length === 2) begun();
      return answerUntilAborted(turn);
    };
    const socket = connect(fixture.port, "127.0.0.1");
    const body = '{"input":"hi"}';
    const head = "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const whole = `${head}content-length: ${body.length}\r\n\r\n${body}`;
    socket.write(whole + whole);
    await running;
    socket.destroy();
    await Promise.all(fixture.runtime.turns.map((turn) => turn.aborted()));
    await fixture.server.close({ graceMs: 60_000 });
  },
);

t.test("destroy ends everything at once, a close under way included", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = answerUntilAborted;
  const body = await openStream(fixture);
  const ended = body.text().catch(() => "cut");
  const closed = fixture.server.close({ graceMs: 60_000 });
  await fixture.server.destroy();
  await closed;
  await ended;
  t.equal(fixture.runtime.turns[0]?.handlers.signal?.aborted, true);
});

t.test("a server starts once, and tells of an address it cannot have", async (t) => {
  const fixture = await serveFake(t);
  await t.rejects(fixture.server.start(), /is listening/);
  const second = createServer(fixture.port);
  await t.rejects(second.start(), { code: "EADDRINUSE" });
  await second.close({ graceMs: 1 });
});

for (const end of ["close", "destroy"] as const) {
  t.test(`a server that is ended (${end}) while it starts holds no port afterwards`, async (t) => {
    for (const rounds of [0, 1, 2, 3, 4, 8, 16]) {
      const server = createServer();
      t.teardown(() => server.destroy());
      const started = server.start();
      for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
      await (end === "close" ? server.close({ graceMs: 1_000 }) : server.destroy());
      const { url } = await started;
      await t.rejects(request(`${url}/livez`), { code: "ECONNREFUSED" }, `after ${rounds} rounds`);
      await t.rejects(server.start(), /cannot start/);
    }
  });
}

t.test("a server whose address was taken can be started once it is free", async (t) => {
  const holder = await serveFake(t);
  const server = createServer(holder.port);
  t.teardown(() => server.destroy());
  await t.rejects(server.start(), { code: "EADDRINUSE" });
  await holder.server.close({ graceMs: 1 });
  const { port } = await server.start();
  t.equal(port, holder.port);
});

t.test("a server that was never started closes too", async (t) => {
  const server = createServer();
  await server.close({ graceMs: 1 });
  await t.rejects(server.start(), /is closed/);
});
