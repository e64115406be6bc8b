import t from "tap";
import { CodexFacts } from "../../../src/main/runtime/codex-facts.js";
import type { RateLimits } from "../../../src/main/runtime/types.js";
import { testLogger } from "../../support/runtime-harness.js";

const nowMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

function factsWith(primary: RateLimits["primary"]): CodexFacts {
  const facts = new CodexFacts(testLogger);
  facts.noteRateLimits({ primary, secondary: null, plan: "plus", reached: null });
  return facts;
}

const usedUp = { usedPercent: 100, windowMinutes: 300, resetsAt: (nowMs + 2 * hourMs) / 1000 };

t.test("a used-up window says how long it is until it opens", async (t) => {
  t.equal(factsWith(usedUp).windowOpensInMs(nowMs), 2 * hourMs);
  t.equal(factsWith({ ...usedUp, usedPercent: 99 }).windowOpensInMs(nowMs), null);
  t.equal(factsWith({ ...usedUp, resetsAt: null }).windowOpensInMs(nowMs), null);
});

t.test(
  "a clock that is wrong by days makes the wait no shorter than a second and no longer than the window",
  async (t) => {
    const facts = factsWith(usedUp);
    t.equal(facts.windowOpensInMs(nowMs + 72 * hourMs), 1000, "set forward");
    t.equal(facts.windowOpensInMs(nowMs - 72 * hourMs), 5 * hourMs, "set back");
    const unknownLength = factsWith({ ...usedUp, windowMinutes: null });
    t.equal(unknownLength.windowOpensInMs(0), 31 * 24 * hourMs);
  },
);
