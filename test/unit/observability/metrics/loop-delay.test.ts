import { mock } from "node:test";
import t from "tap";
import { LoopDelay } from "../../../../src/main/observability/metrics/loop-delay.js";

t.test("the loop is measured from the first work until there has been none for a while", async (t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  t.teardown(() => mock.timers.reset());
  let isBusy = false;
  const delay = new LoopDelay(() => isBusy);
  t.teardown(() => delay.stop());
  t.equal(delay.isMeasuring, false);
  delay.noteWork();
  t.equal(delay.isMeasuring, true);
  isBusy = true;
  mock.timers.tick(60_000);
  t.equal(delay.isMeasuring, true, "the work goes on");
  isBusy = false;
  delay.noteWork();
  mock.timers.tick(10_000);
  t.equal(delay.isMeasuring, true, "there was more");
  mock.timers.tick(10_000);
  t.equal(delay.isMeasuring, false);
});

t.test("what was not measured is no delay", async (t) => {
  t.same(new LoopDelay(() => false).read(), { mean: 0, max: 0, p50: 0, p90: 0, p99: 0 });
});
