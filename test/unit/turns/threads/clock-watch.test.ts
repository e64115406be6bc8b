import t from "tap";
import { ClockWatch } from "../../../../src/main/turns/threads/native-threads.js";

t.test("a clock that jumps is noticed once, in either direction; one that drifts is not", async (t) => {
  const clock = { nowMs: 0, wallMs: 1_000_000 };
  const watch = new ClockWatch(
    () => clock.nowMs,
    () => clock.wallMs,
  );
  t.notOk(watch.hasJumped());
  clock.nowMs += 60_000;
  clock.wallMs += 60_000 + 3_600_000;
  t.ok(watch.hasJumped());
  t.notOk(watch.hasJumped());
  clock.wallMs -= 3_600_000;
  t.ok(watch.hasJumped());
  for (let hour = 0; hour < 24; hour += 1) {
    clock.nowMs += 3_600_000;
    clock.wallMs += 3_600_000 + 5_000;
    t.notOk(watch.hasJumped());
  }
});
