import t, { type Test } from "tap";
import type { WorkerReport } from "../../../../src/workers/contract/control-messages.js";
import { WorkerReporter } from "../../../../src/workers/health/worker-reporter.js";

function create(t: Test) {
  const clock = { nowMs: 0 };
  const reports: WorkerReport[] = [];
  const reporter = new WorkerReporter({
    intervalMs: 1_000,
    send: (report) => reports.push(report),
    reconnects: () => 0,
    hangingCalls: () => 0,
    now: () => clock.nowMs,
  });
  t.teardown(() => reporter.stop());
  return { reporter, clock, lastDelayMs: () => reports.at(-1)?.eventLoopDelayMs };
}

t.test("between turns a report that comes late tells of a loop that was held up", async (t) => {
  const { reporter, clock, lastDelayMs } = create(t);
  reporter.start();
  t.equal(lastDelayMs(), 0);
  clock.nowMs += 1_000;
  reporter.report();
  t.equal(lastDelayMs(), 0);
  clock.nowMs += 1_250;
  reporter.report();
  t.equal(lastDelayMs(), 250);
});

t.test("while there are turns the loop itself is measured", async (t) => {
  const { reporter, lastDelayMs } = create(t);
  reporter.start();
  reporter.turnStarted();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const end = performance.now() + 200;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 50));
  reporter.turnEnded();
  reporter.report();
  t.ok((lastDelayMs() ?? 0) > 10);
});
