import t, { type Test } from "tap";
import { ManagedConfigurationWatch } from "../../../src/main/runtime/managed-configuration-watch.js";
import { createDeferred } from "../../../src/workers/contract/wait.js";

/** Each read answers the next of these, after which there is nothing to read. */
function create(t: Test, answers: readonly boolean[], rotate = async () => {}) {
  let reads = 0;
  const rotations: string[] = [];
  const failures: unknown[] = [];
  const { promise: done, resolve } = createDeferred<void>();
  const watch = new ManagedConfigurationWatch({
    renewalInMs: () => {
      if (reads < answers.length) return 0;
      resolve();
      return null;
    },
    renew: async () => answers[reads++] ?? false,
    rotate: async (reason) => {
      rotations.push(reason);
      await rotate();
    },
    onFailed: (error) => {
      failures.push(error);
      resolve();
    },
  });
  // Its own timer keeps no process up.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => {
    clearInterval(alive);
    watch.stop();
  });
  return { watch, done, rotations, failures, reads: () => reads };
}

t.test("another app-server starts for what has changed alone", async (t) => {
  const { watch, done, rotations, reads } = create(t, [false, true, false]);
  watch.schedule();
  await done;
  t.equal(reads(), 3);
  t.match(rotations, [/organisation/]);
  t.equal(rotations.length, 1);
});

t.test("a start that fails is told", async (t) => {
  const { watch, done, failures } = create(t, [true], () => Promise.reject(new Error("no")));
  watch.schedule();
  await done;
  t.equal(failures.length, 1);
});

t.test("once stopped it reads nothing", async (t) => {
  const { watch, reads } = create(t, [true]);
  watch.schedule();
  watch.stop();
  watch.schedule();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(reads(), 0);
});
