import t from "tap";
import { PlanWindows } from "../../../src/main/runtime/plan-windows.js";
import { WorkerSlot } from "../../../src/main/runtime/pool/worker-slot.js";
import { quietSlotCallbacks } from "../../support/quiet-slot-callbacks.js";

const minuteMs = 60_000;
const told = { primary: null, secondary: null, plan: "plus", reached: null };

function create({ hasWorker = true } = {}) {
  const clock = { nowMs: 0 };
  /** Each read under way, to be settled with whether it succeeded. */
  const reads: ((isRead: boolean) => void)[] = [];
  const notices: unknown[] = [];
  const slot = new WorkerSlot(
    { place: 1, generation: 1, threadId: 1 },
    quietSlotCallbacks,
    () => clock.nowMs,
  );
  t.teardown(() => slot.close(0));
  const windows = new PlanWindows({
    facts: {
      noteRateLimits: (rateLimits) => notices.push(rateLimits),
      readRateLimits: () => new Promise((resolve) => reads.push(resolve)),
    },
    findSlot: () => (hasWorker ? slot : null),
    now: () => clock.nowMs,
  });
  const finishRead = async (isRead = true) => {
    reads.at(-1)?.(isRead);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { windows, clock, reads, notices, finishRead };
}

t.test("who looks again and again has the windows read once in five minutes", async (t) => {
  const { windows, clock, reads, finishRead } = create();
  for (; clock.nowMs < 12 * minuteMs; clock.nowMs += 1_000) {
    windows.refresh();
    await finishRead();
  }
  t.equal(reads.length, 3);
});

t.test("one read is under way at a time, and whoever asks meanwhile waits for it", async (t) => {
  const { windows, reads, finishRead } = create();
  windows.refresh();
  windows.refresh();
  const asked = windows.read(60_000);
  t.equal(reads.length, 1);
  await finishRead();
  await asked;
});

t.test("what Codex tells by itself counts as a read", async (t) => {
  const { windows, clock, reads, notices } = create();
  windows.noteTold(told);
  t.same(notices, [told]);
  clock.nowMs += 4 * minuteMs;
  windows.refresh();
  t.equal(reads.length, 0);
  clock.nowMs += 2 * minuteMs;
  windows.refresh();
  t.equal(reads.length, 1);
});

t.test("a read that failed is tried again after half a minute and not at once", async (t) => {
  const { windows, clock, reads, finishRead } = create();
  windows.refresh();
  await finishRead(false);
  clock.nowMs += 29_000;
  windows.refresh();
  t.equal(reads.length, 1);
  clock.nowMs += 2_000;
  windows.refresh();
  t.equal(reads.length, 2);
});

t.test("another account's windows are read anew, also when a read is under way", async (t) => {
  const { windows, reads, finishRead } = create();
  windows.noteAccount("former");
  windows.refresh();
  windows.noteAccount("former");
  windows.noteAccount("latter");
  windows.refresh();
  t.equal(reads.length, 1);
  await finishRead();
  t.equal(reads.length, 2, "what was read may be of the account before");
  await finishRead();
  windows.refresh();
  t.equal(reads.length, 2);
});

t.test("a wait for the windows ends at its deadline, and without a worker at once", async (t) => {
  const { windows, reads } = create();
  await windows.read(1);
  t.equal(reads.length, 1, "the read goes on");
  await create({ hasWorker: false }).windows.read(60_000);
});
