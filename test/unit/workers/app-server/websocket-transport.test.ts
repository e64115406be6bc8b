import { once } from "node:events";
import { createServer } from "node:net";
import t, { type Test } from "tap";
import {
  WebSocketTransport,
  type WebSocketTransportOptions,
} from "../../../../src/workers/app-server/websocket-transport.js";
import { listenForWebSockets, listenRaw, temporarySocketPath } from "./support/socket-server.js";
import { WireLog } from "./support/wire-log.js";

const opening = { openTimeoutMs: 5_000 };

function create(t: Test, socketPath: string, overrides: Partial<WebSocketTransportOptions> = {}) {
  const transport = new WebSocketTransport({
    target: { socketPath },
    maxReceivedBytes: 1024 * 1024,
    maxSentBytes: 64 * 1024 * 1024,
    maxFrameBytes: 8 * 1024 * 1024,
    maxBacklogBytes: 64 * 1024 * 1024,
    closeTimeoutMs: 5_000,
    ...overrides,
  });
  t.teardown(() => transport.destroy(new Error("the test is over")));
  return { transport, wire: new WireLog() };
}

t.test("messages go both ways over a unix socket, and a close is told by null", async (t) => {
  const { socketPath } = await listenForWebSockets(t, (client) => {
    client.on("message", (data) => client.send(String(data)));
  });
  const { transport, wire } = create(t, socketPath);
  await transport.start(wire, opening);
  await transport.send('{"text":"é😀"}');
  t.strictSame(await wire.count(1), ['{"text":"é😀"}']);
  await Promise.all([transport.close(), transport.close()]);
  t.strictSame(wire.closes, [null]);
  await t.rejects(transport.send("late"), { code: "transport_failed" });
});

t.test("messages go both ways over loopback TCP", async (t) => {
  const listener = await listenForWebSockets(t, (client) => {
    client.on("message", (data) => client.send(String(data)));
  });
  // The same server, on a port as well.
  const proxy = createServer((socket) => listener.server.emit("connection", socket));
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.teardown(() => proxy.close());
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { transport, wire } = create(t, "", { target: { url: `ws://127.0.0.1:${port}` } });
  await transport.start(wire, opening);
  await transport.send("hello");
  t.strictSame(await wire.count(1), ["hello"]);
  await transport.close();
});

t.test("a binary message is read as text", async (t) => {
  const { socketPath } = await listenForWebSockets(t, (client) => client.send(Buffer.from("é")));
  const { transport, wire } = create(t, socketPath);
  await transport.start(wire, opening);
  t.strictSame(await wire.count(1), ["é"]);
});

t.test("no socket there rejects the start, without a path in the message", async (t) => {
  const { transport, wire } = create(t, temporarySocketPath(t));
  await t.rejects(transport.start(wire, opening), {
    code: "transport_failed",
    message: "cannot reach the app-server (ENOENT)",
  });
  t.strictSame(wire.closes, [], "a wire that never opened does not close");
  await transport.close();
});

t.test("a peer that takes the connection and says nothing is given up at the deadline", async (t) => {
  const socketPath = await listenRaw(t, () => {});
  const { transport, wire } = create(t, socketPath);
  await t.rejects(transport.start(wire, { openTimeoutMs: 20 }), {
    code: "transport_failed",
    message: "the app-server's socket did not open within 20 ms",
  });
  t.strictSame(wire.closes, []);
});

t.test("an abort gives the opening up, before it or during it", async (t) => {
  const abort = new AbortController();
  const socketPath = await listenRaw(t, () => abort.abort());
  for (const { transport, wire } of [create(t, socketPath), create(t, socketPath)]) {
    await t.rejects(transport.start(wire, { ...opening, signal: abort.signal }), {
      code: "transport_failed",
    });
  }
});

t.test("a peer that refuses the upgrade or hangs up during it rejects the start", async (t) => {
  const refusals = [
    "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: no\r\n\r\n",
    "SSH-2.0-OpenSSH\r\n",
    "",
  ];
  for (const refusal of refusals) {
    const socketPath = await listenRaw(t, (socket) => socket.once("data", () => socket.end(refusal)));
    const { transport, wire } = create(t, socketPath);
    await t.rejects(transport.start(wire, opening), { code: "transport_failed" }, refusal);
    t.strictSame(wire.closes, []);
  }
});

t.test("the handshake offers no extension: older app-servers hang up on any", async (t) => {
  let request = "";
  const socketPath = await listenRaw(t, (socket) => {
    socket.once("data", (data) => {
      request = String(data).toLowerCase();
      socket.end();
    });
  });
  const { transport, wire } = create(t, socketPath);
  await t.rejects(transport.start(wire, opening), { code: "transport_failed" });
  t.match(request, "upgrade: websocket");
  t.notMatch(request, "sec-websocket-extensions");
});

t.test("a peer that dies closes the wire, told once", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath);
  const [{ socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  socket.destroy();
  t.match(await wire.closed, {
    code: "transport_failed",
    message: "the app-server's socket closed (code 1006)",
  });
  await transport.close();
  t.equal(wire.closes.length, 1);
});

t.test("a peer that closes in order says why", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath);
  const [{ client }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  client.close(1001, "restarting");
  t.match(await wire.closed, { message: "the app-server's socket closed (code 1001: restarting)" });
});

t.test("a message over the bound closes the wire", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath, { maxReceivedBytes: 1_000 });
  const [{ client }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  client.send("x".repeat(1_000));
  await wire.count(1);
  client.send("x".repeat(1_001));
  t.match(await wire.closed, { code: "transport_failed" });
  t.equal(wire.messages.length, 1);
});

t.test("a message over the bound is not sent, and the wire lives on", async (t) => {
  const { socketPath } = await listenForWebSockets(t, (client) => {
    client.on("message", (data) => client.send(String(data)));
  });
  const { transport, wire } = create(t, socketPath, { maxSentBytes: 10 });
  await transport.start(wire, opening);
  // Bytes, not characters.
  await t.rejects(transport.send("é".repeat(6)), { code: "message_too_large" });
  await transport.send("x".repeat(10));
  t.strictSame(await wire.count(1), ["xxxxxxxxxx"]);
});

t.test("a message over the frame bound arrives whole, wherever it is cut", async (t) => {
  const listener = await listenForWebSockets(t);
  for (const maxFrameBytes of [1, 2, 3, 5, 8, 1_000]) {
    const { transport, wire } = create(t, listener.socketPath, { maxFrameBytes });
    const [{ client }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
    const texts = ["a", "é😀".repeat(20), "after"];
    const received: string[] = [];
    const all = new Promise<void>((resolve) => {
      client.on("message", (data) => {
        received.push(String(data));
        if (received.length === texts.length) resolve();
      });
    });
    await Promise.all(texts.map((text) => transport.send(text)));
    await all;
    t.strictSame(received, texts, `frames of ${maxFrameBytes}`);
    await transport.close();
  }
});

t.test("a send waits while the peer does not read, goes on when it does", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath);
  const [{ client, socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  socket.pause();
  let sent = false;
  const sending = transport.send("x".repeat(16 * 1024 * 1024)).then(() => {
    sent = true;
  });
  // By the time the next connection was made, a send that did not wait would have resolved.
  const other = create(t, listener.socketPath);
  await other.transport.start(other.wire, opening);
  t.equal(sent, false);
  const received = once(client, "message");
  socket.resume();
  await sending;
  t.equal(String((await received)[0]).length, 16 * 1024 * 1024);
});

t.test("a peer that does not read is sent no more than the bound, and all of it once it does", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath, { maxBacklogBytes: 12 * 1024 * 1024 });
  const [{ client, socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  socket.pause();
  const received: number[] = [];
  client.on("message", (data) => received.push(String(data).length));
  const taken = Promise.all([1, 2].map(() => transport.send("x".repeat(8 * 1024 * 1024))));
  await t.rejects(transport.send("one too many"), {
    code: "transport_failed",
    message: "the app-server does not read what it is sent",
  });
  socket.resume();
  await taken;
  await transport.send("and on");
  while (received.length < 3) await once(client, "message");
  t.strictSame(received, [8 * 1024 * 1024, 8 * 1024 * 1024, 6]);
});

t.test("a send that waits fails when the peer dies or the wire is destroyed", async (t) => {
  const listener = await listenForWebSockets(t);
  for (const how of ["peer", "us"]) {
    const { transport, wire } = create(t, listener.socketPath);
    const [{ socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
    socket.pause();
    const sends = Promise.allSettled([1, 2].map(() => transport.send("x".repeat(16 * 1024 * 1024))));
    if (how === "peer") socket.destroy();
    else await transport.destroy(new Error("given up"));
    for (const outcome of await sends) {
      t.match(outcome, { status: "rejected", reason: { code: "transport_failed" } }, how);
    }
    t.equal(wire.closes.length, 1);
  }
});

t.test("a peer that does not answer our close is cut off at the deadline", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath, { closeTimeoutMs: 20 });
  const [{ socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  socket.pause();
  // Not `once`, which rejects at the EPIPE that comes with it.
  const gone = new Promise((resolve) => socket.on("close", resolve));
  await transport.close();
  t.strictSame(wire.closes, [null]);
  socket.resume();
  await gone;
});

t.test("a destroy is told before it returns, and cuts the wire at once", async (t) => {
  const listener = await listenForWebSockets(t);
  const { transport, wire } = create(t, listener.socketPath);
  const [{ socket }] = await Promise.all([listener.nextClient(), transport.start(wire, opening)]);
  const gone = new Promise((resolve) => socket.on("close", resolve));
  const destroyed = transport.destroy(new Error("given up"));
  t.match(wire.closes, [{ message: "given up" }]);
  await Promise.all([destroyed, gone, transport.close()]);
  t.equal(wire.closes.length, 1);
});

t.test("a transport starts once", async (t) => {
  const { socketPath } = await listenForWebSockets(t);
  const { transport, wire } = create(t, socketPath);
  await transport.start(wire, opening);
  await t.rejects(transport.start(wire, opening), { code: "transport_failed" });
});
