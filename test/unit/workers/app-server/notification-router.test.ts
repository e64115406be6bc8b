import t from "tap";
import { ConnectionLostError } from "../../../../src/workers/app-server/errors.js";
import { NotificationRouter } from "../../../../src/workers/app-server/notification-router.js";
import { FaultLog } from "./support/collect-faults.js";
import { RecordingListener } from "./support/recording-listener.js";

function create(maxListeners = 10) {
  const faults = new FaultLog();
  const notices: unknown[] = [];
  const router = new NotificationRouter({
    maxThreadListeners: maxListeners,
    countFault: faults.count,
    onNotice: (method, notice) => notices.push([method, notice]),
  });
  return { faults, notices, router };
}

const delta = (threadId: string) => ({ threadId, turnId: "u", itemId: "i", delta: "a" });

t.test("a notification reaches its own thread's listener and no other", async (t) => {
  const { router } = create();
  const [one, two] = [new RecordingListener(), new RecordingListener()];
  router.subscribe("1", one);
  router.subscribe("2", two);
  router.route("item/agentMessage/delta", { ...delta("1"), future: "key" });
  t.strictSame(one.notifications, [{ method: "item/agentMessage/delta", params: delta("1") }]);
  t.strictSame(two.notifications, []);
});

t.test("what names no thread is a notice, what no listener wants is dropped", async (t) => {
  const { router, faults, notices } = create();
  const account = { authMode: null, planType: null };
  router.route("account/updated", account);
  router.route("warning", { threadId: null, message: "m" });
  router.route("thread/closed", { threadId: "gone" });
  router.route("account/updated", { threadId: "gone" });
  t.strictSame(notices, [
    ["account/updated", { about: "account", params: account }],
    ["warning", { about: "server", params: { threadId: null, message: "m" } }],
  ]);
  t.strictSame(faults.counts, {});
  router.route("warning", null);
  t.equal(notices.length, 2);
  t.strictSame(faults.counts, { "malformed:warning": 1 });
});

t.test("a notification that lacks a key we read is counted, an unknown one is not", async (t) => {
  const { router, faults } = create();
  const listener = new RecordingListener();
  router.subscribe("1", listener);
  router.route("item/agentMessage/delta", { threadId: "1", turnId: "u", itemId: "i", delta: 7 });
  router.route("thread/fancy", { threadId: "1" });
  router.route("toString", { threadId: "1" });
  t.strictSame(listener.notifications, []);
  t.strictSame(faults.counts, { "malformed:item/agentMessage/delta": 1 });
});

t.test("an unsubscribed listener hears nothing, and cannot remove its successor", async (t) => {
  const { router } = create();
  const [old, next] = [new RecordingListener(), new RecordingListener()];
  const unsubscribe = router.subscribe("1", old);
  t.throws(() => router.subscribe("1", next), { code: "wrong_state" });
  unsubscribe();
  router.subscribe("1", next);
  unsubscribe();
  router.route("thread/closed", { threadId: "1" });
  t.equal(old.notifications.length, 0);
  t.equal(next.notifications.length, 1);
});

t.test("listeners over the bound are refused", async (t) => {
  const { router } = create(2);
  router.subscribe("1", new RecordingListener());
  const unsubscribe = router.subscribe("2", new RecordingListener());
  t.throws(() => router.subscribe("3", new RecordingListener()), { code: "too_many_threads" });
  unsubscribe();
  router.subscribe("3", new RecordingListener());
  t.equal(router.size, 2);
});

t.test("a loss is told to each listener once, whatever one of them does", async (t) => {
  const { router, faults } = create();
  const listeners = [new RecordingListener(), new RecordingListener(), new RecordingListener()];
  for (const [index, listener] of listeners.entries()) router.subscribe(String(index), listener);
  router.subscribe("bad", {
    onNotification: () => {},
    onToolCall: () => Promise.reject(new Error("no")),
    onConnectionLost: () => {
      throw new Error("no");
    },
  });
  const error = new ConnectionLostError("gone", "");
  router.drop(error);
  router.drop(error);
  t.strictSame(
    listeners.map(({ losses }) => losses.length),
    [1, 1, 1],
  );
  t.equal(router.size, 0);
  t.strictSame(faults.counts, { connection_lost_handler_threw: 1 });
});
