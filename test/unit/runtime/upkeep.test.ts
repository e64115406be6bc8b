import { mock } from "node:test";
import t, { type Test } from "tap";
import { WorkerSlot } from "../../../src/main/runtime/pool/worker-slot.js";
import { Upkeep } from "../../../src/main/runtime/upkeep.js";
import { quietSlotCallbacks } from "../../support/quiet-slot-callbacks.js";

function start(t: Test, { isReady = true } = {}) {
  mock.timers.enable({ apis: ["setInterval"] });
  t.teardown(() => mock.timers.reset());
  let nowMs = 0;
  const done = { threads: 0, windows: 0, disk: 0 };
  const slot = new WorkerSlot({ place: 1, generation: 1, threadId: 1 }, quietSlotCallbacks, () => nowMs);
  t.teardown(() => slot.close(0));
  const upkeep = new Upkeep({
    facts: {
      readLoadedThreads: async () => {
        done.threads += 1;
      },
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
  /** Time goes by, and what it starts has its turn. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      nowMs += 1_000;
      mock.timers.tick(1_000);
      await Promise.resolve();
    }
  };
  return { upkeep, done, pass };
}

t.test("while nothing happens Codex is asked nothing, and the disk is looked at all the same", async (t) => {
  const { done, pass } = start(t);
  await pass(60);
  t.equal(done.threads + done.windows, 0);
  t.equal(done.disk, 4, "every fifteen seconds, from the first look on");
});

t.test("work is followed by one look, however much there was", async (t) => {
  const { upkeep, done, pass } = start(t);
  upkeep.noteWork();
  upkeep.noteWork();
  await pass(30);
  t.match(done, { threads: 1, windows: 1 });
});

t.test("who looks at health every second has threads counted every five", async (t) => {
  const { upkeep, done, pass } = start(t);
  for (let second = 0; second < 20; second += 1) {
    upkeep.noteOnlooker();
    await pass(1);
  }
  t.equal(done.threads, 4);
  t.equal(done.windows, 20, "how old they are the windows know themselves");
});

t.test("a Codex that has become ready is looked at at once", async (t) => {
  const { upkeep, done } = start(t);
  upkeep.noteReady();
  t.match(done, { threads: 1, windows: 1, disk: 1 });
});

t.test("nobody is asked while turns cannot run", async (t) => {
  const { upkeep, done, pass } = start(t, { isReady: false });
  upkeep.noteReady();
  upkeep.noteOnlooker();
  await pass(10);
  t.equal(done.threads + done.disk, 0);
});
