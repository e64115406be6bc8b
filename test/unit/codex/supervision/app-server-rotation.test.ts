import t, { type Test } from "tap";
import {
  AppServerRotation,
  type AppServerRotationOptions,
} from "../../../../src/main/codex/supervision/app-server-rotation.js";
import type { InstallationState } from "../../../../src/main/codex/supervision/codex-installation.js";
import { createDeferred } from "../../../../src/workers/contract/wait.js";

/** Options for a healthy app-server, except for the given ones. */
function create(options: Partial<AppServerRotationOptions>) {
  const reasons: string[] = [];
  const failures: unknown[] = [];
  const rotation = new AppServerRotation({
    inspect: async () => ({ intact: true, logBytes: 0 }),
    maxLogBytes: 1000,
    keepsThreads: () => true,
    maxThreads: 3,
    renewalInMs: () => null,
    renewConfiguration: async () => false,
    ...options,
    rotate: async (text, reason) => {
      reasons.push(text);
      await options.rotate?.(text, reason);
    },
    onFailed: (error) => {
      failures.push(error);
      options.onFailed?.(error);
    },
  });
  return { rotation, reasons, failures };
}

const refuse = () => Promise.reject(new Error("no"));

function watchDisk(states: InstallationState[], rotate?: () => Promise<void>) {
  return create({
    inspect: async () => states.shift() ?? { intact: true, logBytes: 0 },
    ...(rotate === undefined ? {} : { rotate }),
  });
}

const logged = (logBytes: number): InstallationState => ({ intact: true, logBytes });

t.test("logs above the limit start a new app-server, and logs within it do not", async (t) => {
  const { rotation, reasons } = watchDisk([logged(1000), logged(1001), logged(0), logged(1001)]);
  const counts: number[] = [];
  for (let look = 0; look < 4; look += 1) {
    await rotation.checkDisk();
    counts.push(reasons.length);
  }
  t.strictSame(counts, [0, 1, 1, 2]);
});

t.test("a removed home starts a new app-server", async (t) => {
  const { rotation, reasons } = watchDisk([{ intact: false, logBytes: 0 }]);
  await rotation.checkDisk();
  t.match(reasons, [/home directory/]);
});

t.test("a failed rotation for logs is tried again when they have grown by the limit again", async (t) => {
  const { rotation, reasons, failures } = watchDisk([logged(1500), logged(2000), logged(2501)], refuse);
  for (let look = 0; look < 3; look += 1) await rotation.checkDisk();
  t.equal(reasons.length, 2);
  t.equal(failures.length, 2);
});

t.test("only one check runs at a time", async (t) => {
  let finish = () => {};
  const { rotation, reasons } = watchDisk(
    [logged(5000), logged(5000)],
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const first = rotation.checkDisk();
  await rotation.checkDisk();
  finish();
  await first;
  t.equal(reasons.length, 1);
});

function watchThreads(keepsThreads = true) {
  const rotations: { readonly reason: string; readonly settle: (error?: Error) => void }[] = [];
  const { rotation, failures } = create({
    keepsThreads: () => keepsThreads,
    rotate: (reason) =>
      new Promise((resolve, reject) => {
        rotations.push({ reason, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  });
  const note = (count: number, generation: number) => {
    for (let thread = 0; thread < count; thread += 1) rotation.noteThread(generation);
  };
  return { rotations, failures, note };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test("after the maximum of threads a new generation takes over, once", async (t) => {
  const { rotations, note } = watchThreads();
  note(2, 1);
  t.equal(rotations.length, 0);
  note(5, 1);
  t.equal(rotations.length, 1, "threads that start during the rotation cause no second one");
  t.match(rotations[0]?.reason, /keeps threads loaded/);
  rotations[0]?.settle();
  await settled();
  note(2, 2);
  note(10, 1);
  t.equal(rotations.length, 1, "threads of the old generation no longer count");
  note(1, 2);
  t.equal(rotations.length, 2);
});

t.test("a failed rotation is tried again after the same number of threads", async (t) => {
  const { rotations, failures, note } = watchThreads();
  note(3, 1);
  rotations[0]?.settle(new Error("no room"));
  await settled();
  t.equal(failures.length, 1);
  note(2, 1);
  t.equal(rotations.length, 1);
  note(1, 1);
  t.equal(rotations.length, 2);
});

t.test("an app-server that unloads its threads is left alone", async (t) => {
  const { rotations, note } = watchThreads(false);
  note(100, 1);
  t.equal(rotations.length, 0);
});

/** Each read takes the next of these results; after the last there is nothing to read. */
function watchConfiguration(t: Test, answers: readonly boolean[], rotate = async () => {}) {
  let reads = 0;
  const { promise: done, resolve } = createDeferred<void>();
  const created = create({
    renewalInMs: () => {
      if (reads < answers.length) return 0;
      resolve();
      return null;
    },
    renewConfiguration: async () => answers[reads++] ?? false,
    rotate,
    onFailed: () => resolve(),
  });
  // The renewal timer is unreferenced and does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => {
    clearInterval(alive);
    created.rotation.stop();
  });
  return { ...created, done, reads: () => reads };
}

t.test("another app-server starts only if the configuration has changed", async (t) => {
  const { rotation, done, reasons, reads } = watchConfiguration(t, [false, true, false]);
  rotation.scheduleRenewal();
  await done;
  t.equal(reads(), 3);
  t.match(reasons, [/organisation/]);
  t.equal(reasons.length, 1);
});

t.test("a failed start is reported", async (t) => {
  const { rotation, done, failures } = watchConfiguration(t, [true], refuse);
  rotation.scheduleRenewal();
  await done;
  t.equal(failures.length, 1);
});

t.test("rotations are counted by reason, and those that failed are not", async (t) => {
  let isFailing = false;
  const { rotation, failures } = create({ rotate: () => (isFailing ? refuse() : Promise.resolve()) });
  t.same(rotation.health(), { rotations: {}, lastRotation: null });
  await rotation.rotate("login", "The login changed.");
  t.equal(await rotation.tryToRotate("memory", "It is large."), true);
  t.equal(await rotation.tryToRotate("memory", "It is large."), true);
  isFailing = true;
  t.equal(await rotation.tryToRotate("idle_cpu", "It is busy."), false);
  await t.rejects(rotation.rotate("login", "The login changed."));
  t.equal(failures.length, 1, "who asks for the rotation itself gets the failure itself");
  t.match(rotation.health(), { rotations: { login: 1, memory: 2 }, lastRotation: { reason: "memory" } });
});

t.test("once stopped it reads nothing", async (t) => {
  const { rotation, reads } = watchConfiguration(t, [true]);
  rotation.scheduleRenewal();
  rotation.stop();
  rotation.scheduleRenewal();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(reads(), 0);
});
