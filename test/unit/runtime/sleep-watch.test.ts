import t from "tap";
import { SleepWatch } from "../../../src/main/runtime/sleep-watch.js";

t.test(
  "a wall clock that jumped is a sleep, once, in either direction; one that drifts is none",
  async (t) => {
    const clock = { nowMs: 0, wallMs: 1_000_000 };
    const watch = new SleepWatch(
      () => clock.nowMs,
      () => clock.wallMs,
    );
    t.notOk(watch.hasSlept());
    clock.nowMs += 60_000;
    clock.wallMs += 60_000 + 3_600_000;
    t.ok(watch.hasSlept());
    t.notOk(watch.hasSlept());
    clock.wallMs -= 3_600_000;
    t.ok(watch.hasSlept());
    for (let hour = 0; hour < 24; hour += 1) {
      clock.nowMs += 3_600_000;
      clock.wallMs += 3_600_000 + 5_000;
      t.notOk(watch.hasSlept());
    }
  },
);
