import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import { NotificationRouter, ReadPacing } from "../../../../src/workers/app-server/notification-router.js";
import { RecordingListener } from "./support/recording-listener.js";

function createRouter(naps: number[]) {
  return new NotificationRouter({
    maxThreadListeners: 1_000,
    countFault: () => {},
    onNotice: () => {},
    pacing: new ReadPacing((ms) => naps.push(ms)),
  });
}

function create(turns: number) {
  const naps: number[] = [];
  const router = createRouter(naps);
  const listeners = Array.from({ length: turns }, (_, index) => {
    const listener = new RecordingListener();
    router.subscribe(String(index), listener);
    return listener;
  });
  const route = (index: number) =>
    router.route("item/agentMessage/delta", {
      threadId: String(index),
      turnId: "u",
      itemId: "i",
      delta: "a",
    });
  return { naps, listeners, route };
}

t.test("with few turns the thread never naps", async (t) => {
  const { naps, listeners, route } = create(31);
  for (const index of listeners.keys()) route(index);
  await nextTurn();
  t.same(naps, []);
});

t.test("with many it naps once for all that was read, after that was handed on", async (t) => {
  const { naps, listeners, route } = create(32);
  for (const index of listeners.keys()) route(index);
  t.ok(
    listeners.every(({ notifications }) => notifications.length === 1),
    "each delta is with its turn",
  );
  t.same(naps, [], "before the nap");
  await nextTurn();
  t.same(naps, [4]);
  route(7);
  await nextTurn();
  t.same(naps, [4, 4]);
});

t.test("what is no delta lets nobody sleep", async (t) => {
  const naps: number[] = [];
  const router = createRouter(naps);
  for (let index = 0; index < 64; index += 1) router.subscribe(String(index), new RecordingListener());
  router.route("thread/closed", { threadId: "1" });
  await nextTurn();
  t.same(naps, []);
});

t.test("a real nap ends by itself", async (t) => {
  const pacing = new ReadPacing();
  for (let reads = 0; reads < 3; reads += 1) {
    pacing.noteDelta(32);
    await nextTurn();
  }
  t.pass("three naps, and the thread goes on");
});
