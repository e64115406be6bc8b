import t from "tap";
import { findJudge, type PhaseRun } from "../../soak/report.js";

function createRun(name: string, beganMs: number, maxWaitMs: number): PhaseRun {
  const phase = { name, seconds: 10, maxWaitMs, run: async () => {} };
  return { phase, beganMs, waits: [], outcomes: new Map() };
}

const runs = [createRun("quiet", 1_000, 10), createRun("fault", 2_000, 40), createRun("after", 3_000, 15)];

function judgeOf(beganMs: number, endedMs: number): string | undefined {
  return findJudge(runs, { beganMs, endedMs })?.phase.name;
}

t.test("a wait within one phase is judged by that phase", async (t) => {
  t.equal(judgeOf(1_000, 1_500), "quiet");
  t.equal(judgeOf(2_000, 2_500), "fault");
  t.equal(judgeOf(3_100, 9_000), "after");
});

t.test("a wait that lasts into a fault, or began in one, is judged by that fault", async (t) => {
  t.equal(judgeOf(1_990, 2_900), "fault");
  t.equal(judgeOf(2_900, 3_100), "fault");
  t.equal(judgeOf(1_000, 9_000), "fault");
});

t.test("a wait that was over before the first phase has no judge", async (t) => {
  t.equal(judgeOf(100, 900), undefined);
});
