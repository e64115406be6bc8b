import t, { type Test } from "tap";
import type { ConnectionLostError } from "../../../../src/workers/app-server/errors.js";
import {
  JsonRpcClient,
  type JsonRpcClientOptions,
} from "../../../../src/workers/app-server/json-rpc-client.js";
import { limits } from "../../../../src/workers/contract/limits.js";
import { MemoryPeer } from "../../../support/memory-transport.js";
import { FaultLog } from "./support/collect-faults.js";

const inTime = { timeoutMs: 5_000 };

async function open(t: Test, overrides: Partial<JsonRpcClientOptions> = {}) {
  const peer = new MemoryPeer();
  const faults = new FaultLog();
  const closes: (ConnectionLostError | null)[] = [];
  const client = new JsonRpcClient({
    transport: peer.transport,
    onNotification: () => {},
    onRequest: () => ({ result: {} }),
    onClose: (error) => closes.push(error),
    countFault: faults.count,
    now: () => 0,
    maxGarbageInARow: 3,
    maxOpenRequests: 2,
    ...overrides,
  });
  await client.start({ openTimeoutMs: 1_000 });
  t.teardown(() => client.close());
  return { peer, client, faults, closes };
}

t.test("the first call has id 0, and its answer reaches it", async (t) => {
  const { peer, client } = await open(t);
  const answer = client.call("m", { a: 1 }, inTime);
  t.strictSame(await peer.take("m"), { id: 0, method: "m", params: { a: 1 } });
  peer.send({ id: 0, result: { ok: true } });
  t.strictSame(await answer, { ok: true });
  t.equal(client.pendingCalls, 0);
});

t.test("answers find their calls in any order", async (t) => {
  const { peer, client } = await open(t);
  const answers = [client.call("a", {}, inTime), client.call("b", {}, inTime), client.call("c", {}, inTime)];
  await peer.take("c");
  for (const id of [2, 0, 1]) peer.send({ id, result: id });
  t.strictSame(await Promise.all(answers), [0, 1, 2]);
});

t.test("an error answer keeps its code, message and data", async (t) => {
  const { peer, client } = await open(t);
  const answer = client.call("m", {}, inTime);
  await peer.take("m");
  peer.send({ id: 0, error: { code: -32001, message: "busy", data: { queue: 9 } } });
  await t.rejects(answer, {
    code: "rpc_error",
    method: "m",
    rpcCode: -32001,
    message: "busy",
    data: { queue: 9 },
  });
});

t.test("a call without an answer ends at its deadline, and the late answer is counted", async (t) => {
  const { peer, client, faults } = await open(t);
  await t.rejects(client.call("m", {}, { timeoutMs: 5 }), {
    code: "call_timeout",
    method: "m",
    timeoutMs: 5,
  });
  peer.send({ id: 0, result: 1 });
  peer.send({ id: 7, result: 1 });
  peer.send({ id: "x", error: { code: 1, message: "no such call" } });
  t.strictSame(faults.counts, { answer_late: 1, answer_unmatched: 2 });
});

t.test("an abort ends the wait at once and takes its listener along", async (t) => {
  const { peer, client } = await open(t);
  const abort = new AbortController();
  const answer = client.call("m", {}, { ...inTime, signal: abort.signal });
  await peer.take("m");
  const reason = new Error("enough");
  abort.abort(reason);
  await t.rejects(answer, { code: "call_aborted", cause: reason });
  await t.rejects(client.call("n", {}, { ...inTime, signal: abort.signal }), { code: "call_aborted" });
  t.equal(client.pendingCalls, 0);
  t.notOk(
    peer.received.some(({ method }) => method === "n"),
    "an aborted call is not sent",
  );
});

t.test("calls over the bound are refused", async (t) => {
  const { client } = await open(t);
  const answers = Array.from({ length: limits.maxPendingCalls }, () => client.call("m", {}, inTime));
  await t.rejects(client.call("m", {}, inTime), { code: "too_many_calls" });
  t.equal(client.pendingCalls, limits.maxPendingCalls);
  await client.close();
  t.ok((await Promise.allSettled(answers)).every(({ status }) => status === "rejected"));
});

t.test(
  "a peer that dies fails every call with the cause and its last words, before the close is told",
  async (t) => {
    const order: string[] = [];
    const { peer, client } = await open(t, { onClose: (error) => order.push(`closed: ${error?.code}`) });
    const cause = new Error("exit code 1");
    const calls = ["a", "b"].map((method) =>
      client.call(method, {}, inTime).catch((error: unknown) => {
        order.push(method);
        return error;
      }),
    );
    await peer.take("b");
    peer.hangUp(cause);
    t.equal(client.pendingCalls, 0);
    t.strictSame(order, ["closed: connection_lost"], "nothing waits by the time the close is told");
    for (const error of await Promise.all(calls)) {
      t.match(error, { code: "connection_lost", cause, stderrTail: "last words", message: "exit code 1" });
    }
    await t.rejects(client.call("c", {}, inTime), { code: "connection_lost" });
    await t.rejects(client.notify("d", {}), { code: "connection_lost" });
  },
);

t.test("a close on purpose fails the calls too, and says so by null", async (t) => {
  const { client, closes } = await open(t);
  const answer = client.call("m", {}, inTime);
  await Promise.all([client.close(), t.rejects(answer, { code: "connection_lost" })]);
  t.strictSame(closes, [null]);
});

t.test("a message that cannot be sent fails its call only", async (t) => {
  const { peer, client, closes } = await open(t);
  peer.sendFailure = new Error("too large");
  await t.rejects(client.call("m", {}, inTime), { message: "too large" });
  peer.sendFailure = null;
  const answer = client.call("n", {}, inTime);
  const { id } = await peer.take("n");
  peer.send({ id, result: "fine" });
  t.equal(await answer, "fine");
  t.strictSame(closes, []);
});

t.test("garbage is counted by name and survived, until it comes in a row", async (t) => {
  const { peer, faults, closes } = await open(t);
  peer.sendText("not json");
  peer.sendText("[]");
  peer.send({ method: "fine" });
  peer.sendText("not json");
  peer.sendText("not json");
  t.strictSame(closes, []);
  peer.sendText("{}");
  t.match(closes, [{ code: "connection_lost", cause: { code: "transport_failed" } }]);
  t.strictSame(faults.counts, { message_not_json: 3, message_unshaped: 2 });
});

t.test("a request is answered by its handler, id 0 included", async (t) => {
  const { peer } = await open(t, {
    onRequest: async (method, params) =>
      method === "refused" ? { error: { code: -32000, message: "no" } } : { result: params },
  });
  peer.send({ id: 0, method: "echo", params: { a: 1 } });
  t.strictSame(await peer.takeWhere(({ id }) => id === 0), { id: 0, result: { a: 1 } });
  peer.send({ id: "x", method: "refused" });
  t.strictSame(await peer.takeWhere(({ id }) => id === "x"), {
    id: "x",
    error: { code: -32000, message: "no" },
  });
});

t.test("a request whose handler throws or rejects is answered -32601", async (t) => {
  const { peer, faults } = await open(t, {
    onRequest: (method) => {
      if (method === "throws") throw new Error("secret path /home");
      return Promise.reject(new Error("secret path /home"));
    },
  });
  for (const [id, method] of ["throws", "rejects"].entries()) {
    peer.send({ id, method });
    const reply = await peer.takeWhere((message) => message.id === id);
    t.strictSame(reply.error, { code: -32601, message: `${method} is not answered here` });
  }
  t.strictSame(faults.counts, { request_handler_threw: 2 });
});

t.test("requests over the bound are refused while the others wait", async (t) => {
  const release: (() => void)[] = [];
  const { peer, faults } = await open(t, {
    onRequest: () => new Promise((resolve) => release.push(() => resolve({ result: "done" }))),
  });
  for (const id of [0, 1, 2]) peer.send({ id, method: "slow" });
  t.match(await peer.takeWhere(({ id }) => id === 2), { error: { code: -32001 } });
  for (const go of release) go();
  t.strictSame(await peer.takeWhere(({ id }) => id === 1), { id: 1, result: "done" });
  t.strictSame(faults.counts, { server_requests_full: 1 });
});

t.test("an answer that is ready after the peer is gone harms nobody", async (t) => {
  let answer = () => {};
  let counted = (_name: string) => {};
  const fault = new Promise<string>((resolve) => {
    counted = resolve;
  });
  const { peer } = await open(t, {
    countFault: (name) => counted(name),
    onRequest: () =>
      new Promise((resolve) => {
        answer = () => resolve({ result: {} });
      }),
  });
  peer.send({ id: 0, method: "slow" });
  peer.hangUp(new Error("gone"));
  answer();
  t.equal(await fault, "reply_not_sent");
});

t.test("an answer that cannot be sent is refused instead, so that the peer does not wait", async (t) => {
  const { peer } = await open(t, {
    countFault: () => {
      peer.sendFailure = null;
    },
  });
  peer.sendFailure = new Error("too large");
  peer.send({ id: 5, method: "m" });
  t.match(await peer.takeWhere(({ id }) => id === 5), { error: { code: -32001 } });
});

t.test("a notification handler that throws is counted, and the next message is served", async (t) => {
  const seen: string[] = [];
  const { peer, faults } = await open(t, {
    onNotification: (method) => {
      seen.push(method);
      if (method === "bad") throw new Error("no");
    },
  });
  peer.send({ method: "bad" });
  peer.send({ method: "good" });
  t.strictSame(seen, ["bad", "good"]);
  t.strictSame(faults.counts, { message_handler_threw: 1 });
});

t.test("a wire that does not open rejects the start", async (t) => {
  const peer = new MemoryPeer();
  peer.startFailure = new Error("no such socket");
  const client = new JsonRpcClient({
    transport: peer.transport,
    onNotification: () => {},
    onRequest: () => ({ result: {} }),
    onClose: () => t.fail("it never opened"),
    countFault: () => {},
    now: () => 0,
    maxGarbageInARow: 3,
    maxOpenRequests: 2,
  });
  await t.rejects(client.start({ openTimeoutMs: 10 }), { message: "no such socket" });
});

t.test("parameters that are no JSON fail their own call, and nothing is sent", async (t) => {
  const { peer, client } = await open(t);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const params of [
    { n: 1n },
    circle,
    {
      toJSON: () => {
        throw new Error("no");
      },
    },
  ]) {
    await t.rejects(client.call("m", params, inTime), { code: "unserialisable" });
  }
  t.equal(client.pendingCalls, 0);
  void client.call("next", {}, inTime).catch(() => {});
  t.match(await peer.take("next"), { method: "next" });
});

t.test("a result that comes after its call was given up goes to who waits for it, once", async (t) => {
  const { peer, client, faults } = await open(t);
  const late: unknown[] = [];
  const controller = new AbortController();
  const options = {
    ...inTime,
    signal: controller.signal,
    onLateResult: (result: unknown) => late.push(result),
  };
  const call = client.call("m", {}, options);
  await peer.take("m");
  controller.abort();
  await t.rejects(call, { code: "call_aborted" });
  for (const result of ["first", "second"]) peer.send({ id: 0, result });
  void client.call("next", {}, inTime).catch(() => {});
  await peer.take("next");
  t.strictSame(late, ["first"]);
  t.match(faults.counts, { answer_late: 2 });
});

t.test("a call without an answer is overdue while the peer answers others", async (t) => {
  const asked: number[] = [];
  let isAnswering = false;
  const { peer, client } = await open(t, {
    answersSince: async (time) => {
      asked.push(time);
      return isAnswering;
    },
  });
  await new Promise<void>((resolve) => {
    void client.call("m", {}, { ...inTime, onOverdue: resolve }).catch(() => {});
    isAnswering = true;
  });
  t.strictSame(asked, [0], "since the call was sent");
  t.equal(client.hangingCalls, 0, "not yet for long");
  peer.send({ id: 0, result: {} });
});

t.test("where answers take long for all, a call is overdue later", async (t) => {
  const { peer, client } = await open(t, { answersSince: async () => true });
  const watched = { ...inTime, onOverdue: () => {} };
  const slow = client.call("slow", {}, watched);
  await new Promise((resolve) => setTimeout(resolve, 400));
  peer.send({ id: 0, result: {} });
  await slow;
  let isOverdue = false;
  void client.call("m", {}, { ...inTime, onOverdue: () => (isOverdue = true) }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 700));
  t.notOk(isOverdue, "four times what the other one took has not passed");
  peer.send({ id: 1, result: {} });
});

t.test(
  "half surrogate pairs become U+FFFD in all that goes out, and no escaped text is taken for one",
  async (t) => {
    const { peer, client } = await open(t, { onRequest: () => ({ result: { text: "\ude00" } }) });
    void client.call("m", { "k\ud83d": ["\ud83d", "\\ud83d", "\ud83d\ude00"] }, inTime).catch(() => {});
    t.strictSame((await peer.take("m")).params, { "k\ufffd": ["\ufffd", "\\ud83d", "\ud83d\ude00"] });
    await client.notify("n", { text: "\ud83dx" });
    t.strictSame((await peer.take("n")).params, { text: "\ufffdx" });
    peer.send({ id: 7, method: "ask", params: {} });
    t.strictSame((await peer.takeWhere(({ id }) => id === 7)).result, { text: "\ufffd" });
  },
);

t.test("a call nested deeper than Codex reads fails and is not sent", async (t) => {
  const { peer, client } = await open(t);
  const nest = (levels: number): object => (levels === 1 ? {} : { a: nest(levels - 1) });
  await t.rejects(client.call("m", nest(127), inTime), { code: "too_deep" });
  await t.rejects(client.call("m", nest(100_000 / 20), inTime), { code: /too_deep|unserialisable/ });
  t.equal(client.pendingCalls, 0);
  void client.call("m", nest(126), inTime).catch(() => {});
  t.ok(await peer.take("m"));
  t.equal(peer.received.length, 0);
});

t.test("messages are told apart by their keys, and id 0 and the empty id are ids", async (t) => {
  const seen: unknown[] = [];
  const { peer, client, faults } = await open(t, {
    onNotification: (method, params) => seen.push({ notified: method, params }),
    onRequest: (method, params) => {
      seen.push({ asked: method, params });
      return { result: {} };
    },
  });
  peer.sendText('{"method":"m","params":{"a":1}}');
  peer.sendText('{"id":0,"method":"m"}');
  peer.sendText('{"id":"","method":"m"}');
  t.strictSame(seen, [
    { notified: "m", params: { a: 1 } },
    { asked: "m", params: undefined },
    { asked: "m", params: undefined },
  ]);
  t.ok(await peer.takeWhere(({ id, result }) => id === 0 && result !== undefined));
  t.ok(await peer.takeWhere(({ id, result }) => id === "" && result !== undefined));
  const [first, second] = [client.call("a", {}, inTime), client.call("b", {}, inTime)];
  peer.sendText('{"id":0,"result":null}');
  peer.sendText('{"id":1,"error":{"code":-32001,"message":"busy"}}');
  t.equal(await first, null);
  await t.rejects(second, { rpcCode: -32001, message: "busy" });
  t.strictSame(faults.counts, {});
});

t.test("what is not JSON and what is no message are faults of their own", async (t) => {
  const { peer, faults } = await open(t, { maxGarbageInARow: 100 });
  const notJson = ["", "{", "plain words", '{"id":1'];
  const unshaped = [
    "null",
    "1",
    "[]",
    "{}",
    '{"id":1}',
    '{"id":null,"result":1}',
    '{"id":{},"method":"m"}',
    '{"id":1,"error":"no"}',
    '{"id":1,"error":{"message":"no code"}}',
  ];
  for (const text of notJson) peer.sendText(text);
  t.strictSame(faults.counts, { message_not_json: notJson.length });
  for (const [index, text] of unshaped.entries()) {
    peer.sendText(text);
    t.equal(faults.counts.message_unshaped, index + 1, text);
  }
});
