import t from "tap";
import type { InstallationState } from "../../../src/main/runtime/codex-installation.js";
import { InstallationWatch } from "../../../src/main/runtime/installation-watch.js";

function create(states: InstallationState[], rotate = async () => {}) {
  const reasons: string[] = [];
  const failures: unknown[] = [];
  const watch = new InstallationWatch({
    inspect: async () => states.shift() ?? { intact: true, logBytes: 0 },
    maxLogBytes: 1000,
    rotate: async (reason) => {
      reasons.push(reason);
      await rotate();
    },
    onFailed: (error) => failures.push(error),
  });
  return { watch, reasons, failures };
}

const logged = (logBytes: number): InstallationState => ({ intact: true, logBytes });

t.test("logs over their bound start a new app-server, and those within it do not", async (t) => {
  const { watch, reasons } = create([logged(1000), logged(1001), logged(0), logged(1001)]);
  const counts: number[] = [];
  for (let look = 0; look < 4; look += 1) {
    await watch.check();
    counts.push(reasons.length);
  }
  t.strictSame(counts, [0, 1, 1, 2]);
});

t.test("a home that is gone starts a new app-server", async (t) => {
  const { watch, reasons } = create([{ intact: false, logBytes: 0 }]);
  await watch.check();
  t.match(reasons, [/home directory/]);
});

t.test("a rotation that fails over logs is tried again when as much has come on top", async (t) => {
  const { watch, reasons, failures } = create([logged(1500), logged(2000), logged(2501)], () =>
    Promise.reject(new Error("no")),
  );
  for (let look = 0; look < 3; look += 1) await watch.check();
  t.equal(reasons.length, 2);
  t.equal(failures.length, 2);
});

t.test("there is one look at a time", async (t) => {
  let finish = () => {};
  const { watch, reasons } = create(
    [logged(5000), logged(5000)],
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const first = watch.check();
  await watch.check();
  finish();
  await first;
  t.equal(reasons.length, 1);
});
