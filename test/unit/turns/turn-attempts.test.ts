import t from "tap";
import { GenerationUse } from "../../../src/main/turns/turn-attempts.js";

t.test("a generation is idle when the last use of it is left", async (t) => {
  const idle: number[] = [];
  const use = new GenerationUse((generation) => idle.push(generation));
  use.enter(1);
  use.enter(1);
  use.enter(2);
  use.leave(1);
  t.equal(use.isIdle(1), false);
  t.same(idle, []);
  use.leave(1);
  t.equal(use.isIdle(1), true);
  t.equal(use.isIdle(2), false);
  t.same(idle, [1]);
});
