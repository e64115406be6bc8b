import t from "tap";
import { PlanWindows } from "../../../../src/main/codex/supervision/plan-windows.js";
import { WorkerSlot } from "../../../../src/main/codex/workers/worker-slot.js";
import { quietSlotCallbacks } from "../../../support/quiet-slot-callbacks.js";

const minuteMs = 60_000;
const told = { primary: null, secondary: null, plan: "plus", reached: null };

function create({ hasWorker = true } = {}) {
  const clock = { nowMs: 0 };
  /** The running reads; call one with whether it succeeded to settle it. */
  const reads: ((isRead: boolean) => void)[] = [];
  const notices: unknown[] = [];
  const results = { passedOn: 0 };
  const slot = new WorkerSlot(
    { place: 1, generation: 1, threadId: 1 },
    quietSlotCallbacks,
    () => clock.nowMs,
  );
  t.teardown(() => slot.close(0));
  const windows = new PlanWindows({
    facts: {
      noteRateLimits: (rateLimits) => notices.push(rateLimits),
      windowOpensInMs: () => null,
      readRateLimits: () => new Promise((resolve) => reads.push(resolve)),
    },
    onRead: () => {
      results.passedOn += 1;
    },
    findSlot: () => (hasWorker ? slot : null),
    now: () => clock.nowMs,
  });
  const finishRead = async (isRead = true) => {
    reads.at(-1)?.(isRead);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { windows, clock, reads, notices, results, finishRead };
}

t.test("repeated refreshes read the windows once in five minutes", async (t) => {
  const { windows, clock, reads, finishRead } = create();
  for (; clock.nowMs < 12 * minuteMs; clock.nowMs += 1_000) {
    windows.refresh();
    await finishRead();
  }
  t.equal(reads.length, 3);
});

t.test("only one read runs at a time, and other calls wait for it", async (t) => {
  const { windows, reads, finishRead } = create();
  windows.refresh();
  windows.refresh();
  const asked = windows.read(60_000);
  t.equal(reads.length, 1);
  await finishRead();
  await asked;
});

t.test("a notification from Codex counts as a read", async (t) => {
  const { windows, clock, reads, notices } = create();
  windows.noteReported(told);
  t.same(notices, [told]);
  clock.nowMs += 4 * minuteMs;
  windows.refresh();
  t.equal(reads.length, 0);
  clock.nowMs += 2 * minuteMs;
  windows.refresh();
  t.equal(reads.length, 1);
});

t.test("a failed read is tried again after half a minute, not at once", async (t) => {
  const { windows, clock, reads, results, finishRead } = create();
  windows.refresh();
  await finishRead(false);
  t.equal(results.passedOn, 0);
  clock.nowMs += 29_000;
  windows.refresh();
  t.equal(reads.length, 1);
  clock.nowMs += 2_000;
  windows.refresh();
  t.equal(reads.length, 2);
});

t.test("another account's windows are read again, also during a running read", async (t) => {
  const { windows, reads, results, finishRead } = create();
  windows.noteAccount("former");
  windows.refresh();
  windows.noteAccount("former");
  windows.noteAccount("latter");
  windows.refresh();
  t.equal(reads.length, 1);
  await finishRead();
  t.equal(reads.length, 2, "the first result may be the previous account's");
  t.equal(results.passedOn, 0);
  await finishRead();
  t.equal(results.passedOn, 1);
  windows.refresh();
  t.equal(reads.length, 2);
});

t.test("a wait for the windows ends at its deadline, and without a worker at once", async (t) => {
  const { windows, reads, results, finishRead } = create();
  await windows.read(1);
  t.equal(reads.length, 1, "the read continues");
  t.equal(results.passedOn, 0);
  await finishRead();
  t.equal(results.passedOn, 1, "what it finds late is not lost");
  await create({ hasWorker: false }).windows.read(60_000);
});
