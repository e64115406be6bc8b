import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import {
  createDeferred,
  joinSignals,
  settlesWithin,
  type WaitEnd,
  waitWithin,
  watchLimits,
} from "../../../../src/workers/contract/wait.js";

const never = new Promise<never>(() => {});
const longMs = 2 ** 31 - 1;

function timersAlive(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

t.test("the promise's value comes through, and neither timer nor listener is left", async (t) => {
  const before = timersAlive();
  const { signal } = new AbortController();
  t.equal(await waitWithin(Promise.resolve(1), { timeoutMs: longMs, signal }, () => 2), 1);
  t.equal(timersAlive(), before);
  t.strictSame(getEventListeners(signal, "abort"), []);
});

t.test("its rejection comes through as it is, and leaves nothing either", async (t) => {
  const before = timersAlive();
  const { signal } = new AbortController();
  const fault = new Error("refused");
  await t.rejects(
    waitWithin(Promise.reject(fault), { timeoutMs: longMs, signal }, () => 2),
    fault,
  );
  t.equal(timersAlive(), before);
  t.strictSame(getEventListeners(signal, "abort"), []);
});

t.test("a deadline beyond what a timer takes does not pass at once", async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  t.teardown(() => process.off("warning", note));
  for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 31, 1e15]) {
    const later = new Promise((resolve) => setTimeout(resolve, 20, "later"));
    t.equal(await waitWithin(later, { timeoutMs }, (end) => end), "later");
  }
  t.strictSame(warnings, []);
});

t.test("at the deadline the other value is taken, and no listener is left", async (t) => {
  const { signal } = new AbortController();
  t.equal(await waitWithin(never, { timeoutMs: 1, signal }, (end) => end), "timeout");
  t.strictSame(getEventListeners(signal, "abort"), []);
});

t.test("an abort ends the wait, and no timer is left", async (t) => {
  const before = timersAlive();
  const controller = new AbortController();
  const waiting = waitWithin(never, { timeoutMs: longMs, signal: controller.signal }, (end) => end);
  controller.abort();
  t.equal(await waiting, "aborted");
  t.equal(timersAlive(), before);
});

t.test("a signal that has aborted already ends the wait, but not before a value that is there", async (t) => {
  const signal = AbortSignal.abort();
  t.equal(await waitWithin(never, { signal }, (end) => end), "aborted");
  t.equal(await waitWithin(Promise.resolve("value"), { signal }, (end) => end), "value");
});

t.test("what the other value's function throws is what the wait rejects with", async (t) => {
  const late = new Error("too late");
  const waiting = waitWithin(never, { timeoutMs: 1 }, () => {
    throw late;
  });
  await t.rejects(waiting, late);
});

t.test("a promise that rejects after its wait is over is not unhandled", async (t) => {
  const late = createDeferred<void>();
  t.equal(await waitWithin(late.promise, { timeoutMs: 1 }, () => "gave up"), "gave up");
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", listen);
  t.teardown(() => process.off("unhandledRejection", listen));
  late.reject(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(unhandled, []);
});

t.test("limits that are let go of end nothing", async (t) => {
  const ends: WaitEnd[] = [];
  const controller = new AbortController();
  watchLimits({ timeoutMs: 1, signal: controller.signal }, (end) => ends.push(end))();
  watchLimits({ signal: AbortSignal.abort() }, (end) => ends.push(end))();
  controller.abort();
  await settlesWithin(never, 5);
  t.strictSame(ends, []);
});

t.test("the first limit is the only one that counts", async (t) => {
  const ends: WaitEnd[] = [];
  const controller = new AbortController();
  watchLimits({ timeoutMs: 1, signal: controller.signal }, (end) => ends.push(end));
  await settlesWithin(never, 20);
  controller.abort();
  t.strictSame(ends, ["timeout"]);
});

t.test("limits that have ended already are told after the call, never within it", async (t) => {
  const ends: WaitEnd[] = [];
  watchLimits({ signal: AbortSignal.abort() }, (end) => ends.push(end));
  t.strictSame(ends, []);
  await Promise.resolve();
  t.strictSame(ends, ["aborted"]);
});

t.test("whether a promise settles in time is said, and its rejection passes through", async (t) => {
  t.equal(await settlesWithin(Promise.resolve(), longMs), true);
  t.equal(await settlesWithin(never, 1), false);
  await t.rejects(settlesWithin(Promise.reject(new Error("no")), longMs), /no/);
});

t.test("joined signals abort with the first, for its reason", async (t) => {
  const [first, second] = [new AbortController(), new AbortController()];
  const joined = joinSignals([first.signal, null, second.signal], { timeoutMs: longMs });
  t.notOk(joined.signal.aborted);
  const reason = new Error("enough");
  second.abort(reason);
  first.abort(new Error("too late"));
  t.equal(joined.signal.reason, reason);
  joined.release();
});

t.test("joined signals are aborted at once if one of them is", async (t) => {
  const reason = new Error("long ago");
  const joined = joinSignals([new AbortController().signal, AbortSignal.abort(reason)]);
  t.equal(joined.signal.reason, reason);
  joined.release();
});

t.test("a joined deadline is kept though nobody else holds the signal", async (t) => {
  const late = createDeferred<unknown>();
  const collect = collector();
  const listen = () => {
    const { signal } = joinSignals([new AbortController().signal], { timeoutMs: 50 });
    signal.addEventListener("abort", () => late.resolve(signal.reason));
  };
  listen();
  collect();
  t.match(await waitWithin(late.promise, { timeoutMs: longMs }, () => null), { name: "TimeoutError" });
});

t.test("signals that are released do not abort any more", async (t) => {
  const source = new AbortController();
  const joined = joinSignals([source.signal], { timeoutMs: 1 });
  joined.release();
  source.abort();
  await settlesWithin(never, 20);
  t.notOk(joined.signal.aborted);
});

function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc !== "function") throw new Error("no collector");
  return () => gc();
}
