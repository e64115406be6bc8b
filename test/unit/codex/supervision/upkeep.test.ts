import { mock } from "node:test";
import t, { type Test } from "tap";
import { Upkeep } from "../../../../src/main/codex/supervision/upkeep.js";
import { WorkerSlot } from "../../../../src/main/codex/workers/worker-slot.js";
import { quietSlotCallbacks } from "../../../support/quiet-slot-callbacks.js";

function start(t: Test, { isReady = true } = {}) {
  mock.timers.enable({ apis: ["setInterval"] });
  t.teardown(() => mock.timers.reset());
  let nowMs = 0;
  const done = { threads: 0, windows: 0, disk: 0 };
  const slot = new WorkerSlot({ place: 1, generation: 1, threadId: 1 }, quietSlotCallbacks, () => nowMs);
  t.teardown(() => slot.close(0));
  const upkeep = new Upkeep({
    readDetails: async () => {
      done.threads += 1;
    },
    windows: {
      refresh: () => {
        done.windows += 1;
      },
    },
    findSlot: () => (isReady ? slot : null),
    inspectDisk: async () => {
      done.disk += 1;
    },
    now: () => nowMs,
  });
  upkeep.start();
  t.teardown(() => upkeep.stop());
  /** Moves the clock forward and lets the timers' work run. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      nowMs += 1_000;
      mock.timers.tick(1_000);
      await Promise.resolve();
    }
  };
  return { upkeep, done, pass };
}

t.test("while Codex is idle it is not asked, but the disk is checked", async (t) => {
  const { done, pass } = start(t);
  await pass(60);
  t.equal(done.threads + done.windows, 0);
  t.equal(done.disk, 4, "every fifteen seconds from the first check on");
});

t.test("one check follows any amount of work", async (t) => {
  const { upkeep, done, pass } = start(t);
  upkeep.noteWork();
  upkeep.noteWork();
  await pass(30);
  t.match(done, { threads: 1, windows: 1 });
});

t.test("if health is read every second, threads are counted every five", async (t) => {
  const { upkeep, done, pass } = start(t);
  for (let second = 0; second < 20; second += 1) {
    upkeep.noteHealthRead();
    await pass(1);
  }
  t.equal(done.threads, 4);
  t.equal(done.windows, 20, "`PlanWindows` itself limits its reads");
});

t.test("a Codex that has become ready is checked at once", async (t) => {
  const { upkeep, done } = start(t);
  upkeep.noteReady();
  t.match(done, { threads: 1, windows: 1, disk: 1 });
});

t.test("Codex is not asked while turns cannot run", async (t) => {
  const { upkeep, done, pass } = start(t, { isReady: false });
  upkeep.noteReady();
  upkeep.noteHealthRead();
  await pass(10);
  t.equal(done.threads + done.disk, 0);
});
