import t from "tap";
import { readRateLimitsNotice } from "../../../src/workers/native-queries.js";

const window = { usedPercent: 12, windowDurationMins: 300, resetsAt: 1_800_000_000 };
const read = { usedPercent: 12, windowMinutes: 300, resetsAt: 1_800_000_000 };

t.test("a notice of the plan's own limit is read, whether it is named or not", async (t) => {
  for (const limit of [{}, { limitId: null }, { limitId: "codex" }]) {
    const notice = readRateLimitsNotice({ rateLimits: { ...limit, primary: window, planType: "plus" } });
    t.same(notice, { primary: read, secondary: null, plan: "plus", reached: null });
  }
});

t.test(
  "a notice of another limit, which a plan may have for single models, does not take its place",
  async (t) => {
    t.equal(readRateLimitsNotice({ rateLimits: { limitId: "codex_spark", primary: window } }), null);
  },
);

t.test("what is no notice is none", async (t) => {
  t.equal(readRateLimitsNotice({ rateLimits: "none" }), null);
});
