import { getEventListeners } from "node:events";
import t from "tap";
import { TaskTime } from "../../../src/main/side-tasks/task-time.js";

const endless = () => new Promise<never>(() => {});

function createTime(options: { timeoutMs?: number; signal?: AbortSignal; shutdown?: AbortSignal } = {}) {
  return new TaskTime({
    timeoutMs: options.timeoutMs ?? 60_000,
    now: () => performance.now(),
    signal: options.signal,
    shutdown: options.shutdown ?? new AbortController().signal,
  });
}

t.test("an attempt's result and its own error pass through", async (t) => {
  const time = createTime();
  t.equal(await time.within(null, async () => 7), 7);
  await t.rejects(
    time.within(1_000, async () => {
      throw new Error("its own");
    }),
    { message: "its own" },
  );
  t.equal(time.stopped, null);
  time.dispose();
});

t.test("what ended the time is named, and the attempt's signal is aborted", async (t) => {
  const signals: AbortSignal[] = [];
  const run = (signal: AbortSignal) => {
    signals.push(signal);
    return endless();
  };
  const short = createTime({ timeoutMs: 20 });
  await t.rejects(short.within(5, run), { code: "route_timeout" });
  await t.rejects(short.within(null, run), { code: "timeout" });
  await t.rejects(short.within(null, run), { code: "timeout" }, "nothing is started after the end");
  t.match(short.stopped, { code: "timeout" });
  t.equal(short.remainingMs, 0);

  const caller = new AbortController();
  const cancelled = createTime({ signal: caller.signal });
  const running = cancelled.within(null, run);
  caller.abort();
  await t.rejects(running, { code: "cancelled" });

  const shutdown = new AbortController();
  const closed = createTime({ shutdown: shutdown.signal });
  const last = closed.within(null, run);
  shutdown.abort();
  await t.rejects(last, { code: "closed" });
  t.equal(signals.length, 4);
  t.ok(signals.every(({ aborted }) => aborted));
  for (const time of [short, cancelled, closed]) time.dispose();
});

t.test("no listener stays on a signal that outlives the task", async (t) => {
  const { signal } = new AbortController();
  const time = createTime({ signal, shutdown: signal });
  await time.within(1_000, async () => {});
  t.equal(getEventListeners(signal, "abort").length, 2);
  time.dispose();
  t.equal(getEventListeners(signal, "abort").length, 0);
});
