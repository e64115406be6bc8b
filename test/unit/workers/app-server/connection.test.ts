import t from "tap";
import { optOutNotifications } from "../../../../src/workers/app-server/opt-out-notifications.js";
import { ConnectionHarness } from "./support/connection-harness.js";
import { RecordingListener } from "./support/recording-listener.js";

const inTime = { timeoutMs: 5_000 };

t.test("it is ready when the handshake is done, and sends nothing before", async (t) => {
  const harness = new ConnectionHarness(t);
  const { connection } = harness;
  harness.onReceived = () => {};
  t.equal(connection.state, "idle");
  connection.connect({ kind: "unix", socketPath: "/memory" }, 7);
  t.equal(connection.state, "connecting");
  await t.rejects(connection.call("account/read", {}, inTime), { code: "not_ready" });
  t.throws(() => connection.subscribeThread("1", new RecordingListener()), { code: "not_ready" });
  const { id, params } = await (await harness.dialled()).take("initialize");
  t.strictSame(params, {
    clientInfo: { name: "test", title: "test", version: "1.2.3" },
    capabilities: {
      experimentalApi: true,
      requestAttestation: false,
      optOutNotificationMethods: optOutNotifications,
    },
  });
  t.equal(connection.state, "connecting");
  harness.peer.send({ id, result: { userAgent: "test/0.169.0-alpha.1 (Debian 12.0.0; x86_64) xterm" } });
  await connection.whenReady(inTime);
  t.ok(await harness.peer.take("initialized"));
  t.equal(connection.codexVersion, "0.169.0-alpha.1");
  t.strictSame(harness.changes, [
    { state: "connecting", appServerGeneration: 7, codexVersion: null, reason: null },
    { state: "ready", appServerGeneration: 7, codexVersion: "0.169.0-alpha.1", reason: null },
  ]);
  await connection.whenReady({ timeoutMs: 0 });
});

t.test("a call's answer is checked, and its keys beyond ours are left out", async (t) => {
  const harness = new ConnectionHarness(t);
  const peer = await harness.connect();
  const answer = harness.connection.call("account/read", {}, inTime);
  const { id } = await peer.take("account/read");
  peer.send({ id, result: { account: null, requiresOpenaiAuth: true, future: 1 } });
  t.strictSame(await answer, {
    account: null,
    requiresOpenaiAuth: true,
    userId: null,
    workspaceRouting: null,
  });
  const bad = harness.connection.call("account/read", {}, inTime);
  peer.send({ id: (await peer.take("account/read")).id, result: { account: null } });
  await t.rejects(bad, { code: "bad_answer" });
  t.strictSame(harness.faults.counts, { "bad_answer:account/read": 1 });
});

t.test("a thread's notifications and tool calls reach its listener", async (t) => {
  const harness = new ConnectionHarness(t);
  const peer = await harness.connect();
  const listener = new RecordingListener();
  listener.answer = async ({ callId }) => ({
    success: true,
    contentItems: [{ type: "inputText", text: callId }],
  });
  const unsubscribe = harness.connection.subscribeThread("t", listener);
  const params = { threadId: "t", turnId: "u", itemId: "i", delta: "a" };
  peer.send({ method: "item/agentMessage/delta", params });
  t.strictSame(listener.notifications, [{ method: "item/agentMessage/delta", params }]);
  const call = { threadId: "t", turnId: "u", callId: "c1", namespace: null, tool: "f", arguments: {} };
  peer.send({ id: 0, method: "item/tool/call", params: call });
  t.match(await peer.takeWhere(({ id, result }) => id === 0 && result !== undefined), {
    result: { success: true, contentItems: [{ type: "inputText", text: "c1" }] },
  });
  unsubscribe();
  peer.send({ id: 1, method: "item/tool/call", params: call });
  t.match(await peer.takeWhere(({ id, result }) => id === 1 && result !== undefined), {
    result: { success: false },
  });
  peer.send({ id: 2, method: "who/knows" });
  t.match(await peer.takeWhere(({ id, error }) => id === 2 && error !== undefined), {
    error: { code: -32601 },
  });
});

t.test("notices that concern the account reach their callback, and others of no thread nobody", async (t) => {
  const harness = new ConnectionHarness(t);
  const peer = await harness.connect();
  const updated = { authMode: "chatgpt", planType: "pro" };
  peer.send({ method: "account/updated", params: updated });
  peer.send({ method: "configWarning", params: { summary: "s", details: null } });
  peer.send({ method: "account/updated", params: null });
  peer.send({ method: "something/new", params: {} });
  t.strictSame(harness.accountNotices, [["account/updated", updated]]);
  t.strictSame(harness.faults.counts, { "malformed:account/updated": 1 });
});

t.test("a break fails the calls, tells the listeners once, and is mended", async (t) => {
  const harness = new ConnectionHarness(t);
  const { connection } = harness;
  const peer = await harness.connect(3);
  const listener = new RecordingListener();
  connection.subscribeThread("t", listener);
  const states: string[] = [];
  listener.onConnectionLost = (error) => {
    states.push(connection.state);
    listener.losses.push(error);
  };
  const call = connection.call("account/read", {}, inTime);
  await peer.take("account/read");
  peer.hangUp(new Error("exit code 1"));
  t.strictSame(states, ["connecting"], "nobody who hears of the loss finds it ready");
  await t.rejects(call, { code: "connection_lost", stderrTail: "last words" });
  await connection.whenReady(inTime);
  t.equal(harness.peers.length, 2);
  t.equal(connection.reconnects, 1);
  t.equal(listener.losses.length, 1);
  t.strictSame(harness.states, ["connecting", "ready", "connecting", "ready"]);
  t.match(harness.changes[2], { appServerGeneration: 3, codexVersion: null, reason: "exit code 1" });
  // The listener of before does not hear of the new wire, nor of its end.
  harness.peer.send({ method: "thread/closed", params: { threadId: "t" } });
  harness.peer.hangUp(new Error("again"));
  await connection.whenReady(inTime);
  t.equal(connection.reconnects, 2);
  t.strictSame([listener.notifications.length, listener.losses.length], [0, 1]);
});

t.test("it dials until somebody answers, and says why not", async (t) => {
  const harness = new ConnectionHarness(t);
  harness.startFailure = Object.assign(new Error("connect ENOENT /secret/path"), { code: "ENOENT" });
  harness.connection.connect({ kind: "unix", socketPath: "/secret/path" }, 1);
  const { reason } = await harness.changed((change) => change.reason !== null);
  t.equal(reason, "the app-server could not be reached (ENOENT)");
  harness.startFailure = null;
  await harness.connection.whenReady(inTime);
  t.ok(harness.peers.length >= 2);
  t.ok((harness.faults.counts.dial_failed ?? 0) >= 1);
  t.equal(harness.connection.reconnects, 0, "the first connection is no reconnect");
});

t.test("a peer that closes, refuses or babbles during the handshake is dialled again", async (t) => {
  const harness = new ConnectionHarness(t);
  const misdeeds: ((harness: ConnectionHarness, id: unknown) => void)[] = [
    ({ peer }) => peer.hangUp(new Error("closed during the handshake")),
    ({ peer }, id) => peer.send({ id, error: { code: -32600, message: "bad /secret/path" } }),
    ({ peer }, id) => peer.send({ id, result: { noUserAgent: true } }),
    ({ peer }) => {
      for (let line = 0; line < 100; line += 1) peer.sendText("not json");
    },
  ];
  harness.onReceived = (message, peer) => {
    const misdeed = misdeeds.shift();
    if (misdeed === undefined) {
      peer.send({ id: message.id, result: { userAgent: "codex" } });
      harness.onReceived = () => {};
    } else misdeed(harness, message.id);
  };
  harness.connection.connect({ kind: "unix", socketPath: "/memory" }, 1);
  await harness.connection.whenReady(inTime);
  t.strictSame(
    harness.changes.map(({ reason }) => reason),
    [
      null,
      "closed during the handshake",
      "the app-server refused the handshake (-32600)",
      "the answer to initialize could not be read",
      "100 messages in a row were not JSON-RPC",
      null,
    ],
  );
  t.equal(harness.connection.codexVersion, null, "a user agent without a version is no fault");
  t.strictSame(
    harness.peers.map(({ isOpen }) => isOpen),
    [false, false, false, false, true],
    "no wire of a failed handshake is left open",
  );
});

t.test("a new endpoint drops the older connection first", async (t) => {
  const harness = new ConnectionHarness(t);
  const { connection } = harness;
  const first = await harness.connect(1);
  const listener = new RecordingListener();
  connection.subscribeThread("t", listener);
  const call = connection.call("account/read", {}, inTime);
  connection.connect({ kind: "unix", socketPath: "/other" }, 2);
  t.equal(listener.losses.length, 1);
  t.equal(connection.state, "connecting");
  t.equal(connection.appServerGeneration, 2);
  await t.rejects(call, { code: "connection_lost" });
  await connection.whenReady(inTime);
  t.equal(first.isOpen, false);
  t.strictSame(harness.endpoints.at(-1), { kind: "unix", socketPath: "/other" });
  t.strictSame(harness.peers.length, 2);
  t.equal(connection.reconnects, 0, "a planned change is no reconnect");
  t.match(harness.changes.at(-1), { state: "ready", appServerGeneration: 2 });
});

t.test("an endpoint given while it dials another is the one that counts", async (t) => {
  const harness = new ConnectionHarness(t);
  harness.onReceived = () => {};
  harness.connection.connect({ kind: "unix", socketPath: "/hung" }, 1);
  const hung = await harness.dialled();
  await hung.take("initialize");
  harness.onReceived = (message, peer) => {
    if (message.method === "initialize") peer.send({ id: message.id, result: { userAgent: "codex" } });
  };
  harness.connection.connect({ kind: "unix", socketPath: "/good" }, 2);
  await harness.connection.whenReady(inTime);
  t.equal(hung.isOpen, false);
  t.match(harness.changes.at(-1), { state: "ready", appServerGeneration: 2 });
  t.strictSame(harness.faults.counts, {});
});

t.test("a disconnect leaves it idle, and it can connect again", async (t) => {
  const harness = new ConnectionHarness(t);
  const { connection } = harness;
  const peer = await harness.connect();
  const listener = new RecordingListener();
  connection.subscribeThread("t", listener);
  const call = t.rejects(connection.call("account/read", {}, inTime), { code: "connection_lost" });
  await Promise.all([connection.disconnect(), connection.disconnect(), call]);
  t.equal(connection.state, "idle");
  t.equal(peer.isOpen, false);
  t.equal(listener.losses.length, 1);
  await t.rejects(connection.whenReady({ timeoutMs: 1 }), { code: "not_ready" });
  await harness.connect(2);
  t.equal(connection.state, "ready");
});

t.test("a disconnect ends the wait for the next dial at once", async (t) => {
  const backoff = { minMs: 600_000, maxMs: 600_000, random: () => 0 };
  const harness = new ConnectionHarness(t, { backoff });
  harness.startFailure = new Error("nobody there");
  harness.connection.connect({ kind: "unix", socketPath: "/memory" }, 1);
  await harness.changed(({ reason }) => reason !== null);
  await harness.connection.disconnect();
  t.equal(harness.peers.length, 1);
});

t.test("a close settles calls, listeners and waiters before it resolves, and is for good", async (t) => {
  const harness = new ConnectionHarness(t);
  const { connection } = harness;
  await harness.connect();
  const settled: string[] = [];
  const listener = new RecordingListener();
  listener.onConnectionLost = () => settled.push("listener");
  connection.subscribeThread("t", listener);
  connection.call("account/read", {}, inTime).catch(() => settled.push("call"));
  await Promise.all([connection.close(), connection.close()]);
  t.strictSame(settled.sort(), ["call", "listener"]);
  t.equal(connection.state, "closed");
  t.throws(() => connection.connect({ kind: "unix", socketPath: "/memory" }, 2), { code: "wrong_state" });
  await t.rejects(connection.whenReady(inTime), { code: "not_ready" });
  await t.rejects(connection.call("account/read", {}, inTime), { code: "not_ready" });
  await connection.disconnect();
  t.equal(connection.state, "closed");
  t.strictSame(harness.states, ["connecting", "ready", "closed"]);
});

t.test("a close during the handshake resolves, and nothing is dialled after", async (t) => {
  const harness = new ConnectionHarness(t);
  harness.onReceived = () => {};
  harness.connection.connect({ kind: "unix", socketPath: "/memory" }, 1);
  const waiter = t.rejects(harness.connection.whenReady(inTime), { code: "not_ready" });
  await (await harness.dialled()).take("initialize");
  await Promise.all([harness.connection.close(), waiter]);
  t.equal(harness.peer.isOpen, false);
  t.equal(harness.peers.length, 1);
});

t.test("a wait for readiness ends by its deadline or its signal", async (t) => {
  const { connection } = new ConnectionHarness(t);
  await t.rejects(connection.whenReady({ timeoutMs: 1 }), { code: "not_ready" });
  const abort = new AbortController();
  const wait = connection.whenReady({ ...inTime, signal: abort.signal });
  abort.abort();
  await t.rejects(wait, { code: "call_aborted" });
  await t.rejects(connection.whenReady({ ...inTime, signal: abort.signal }), { code: "call_aborted" });
});

t.test("a hung app-server is noticed, dropped and dialled again", async (t) => {
  const harness = new ConnectionHarness(t, { probe: { idleMs: 1, silentMs: 5, timeoutMs: 5 } });
  harness.onReceived = (message, peer) => {
    if (message.method === "initialize") peer.send({ id: message.id, result: { userAgent: "codex" } });
  };
  const hung = await harness.connect();
  const { reason } = await harness.changed(({ reason }) => reason !== null);
  t.equal(reason, "the app-server gave no sign of life for 5 ms");
  t.equal(hung.isOpen, false);
  t.ok((harness.faults.counts.peer_hung ?? 0) >= 1);
  await harness.connection.whenReady(inTime);
});

t.test("a state callback that throws does not stop the dialling", async (t) => {
  const callbacks = {
    onStateChange: () => {
      throw new Error("no");
    },
    onAccountNotice: () => {},
    onChild: () => {},
  };
  const harness = new ConnectionHarness(t, { callbacks });
  const peer = await harness.connect();
  peer.hangUp(new Error("gone"));
  await harness.connection.whenReady(inTime);
  t.equal(harness.faults.counts.state_handler_threw, 4);
});
