import t from "tap";
import type { Failure } from "../../soak/failures.js";
import type { Wait } from "../../soak/normal-callers.js";
import { cutBy, type LawfulFailure, type Phase } from "../../soak/phase.js";
import { findJudge, judge, makeRows, type PhaseRun } from "../../soak/report.js";

function createRun(name: string, beganMs: number, maxWaitMs: number, more: Partial<Phase> = {}): PhaseRun {
  const phase = { name, seconds: 10, maxWaitMs, run: async () => {}, ...more };
  return { phase, beganMs, waits: [], outcomes: new Map() };
}

const runs = [createRun("quiet", 1_000, 10), createRun("fault", 2_000, 40), createRun("after", 3_000, 15)];

function judgeOf(beganMs: number, endedMs: number): string | undefined {
  return findJudge(runs, { beganMs, endedMs })?.phase.name;
}

const died: Failure = {
  text: "503 native_runtime_unavailable",
  code: "native_runtime_unavailable",
  flaw: null,
};

function createWait(more: Partial<Wait> = {}): Wait {
  return { what: "response", beganMs: 2_100, endedMs: 2_110, failure: null, wasCut: false, ...more };
}

/** What is found in a round of a fault that allows these failures, for one wait. */
function findingsOf(lawful: readonly LawfulFailure[], wait: Wait): readonly string[] {
  const run = createRun("fault", 2_000, 40, { lawful });
  judge([createRun("quiet", 1_000, 500), run, createRun("after", 3_000, 15)], wait);
  return makeRows([run]).flatMap((row) => row.findings);
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
  t.equal(judge(runs, createWait({ beganMs: 100, endedMs: 900 })), false);
});

t.test("a failure is a finding, unless its phase allows it", async (t) => {
  const cut = createWait({ what: "streamed response", failure: died, wasCut: true });
  t.match(findingsOf([], cut), [/^fault: streamed response failed after 0\.01 s, in its output: 503/]);
  t.same(findingsOf([cutBy("native_runtime_unavailable")], cut), []);
  t.equal(findingsOf([cutBy("upstream_connection_failed")], cut).length, 1, "another code");
  t.equal(
    findingsOf([cutBy("native_runtime_unavailable")], { ...cut, wasCut: false }).length,
    1,
    "no output",
  );
});

t.test(
  "a lawful failure counts in the phase that allows it, whichever allows the longest wait",
  async (t) => {
    const cut = createWait({ beganMs: 1_990, endedMs: 2_020, failure: died, wasCut: true });
    t.same(findingsOf([cutBy("native_runtime_unavailable")], cut), []);
  },
);

t.test("an end that only chains may have is a finding for every other request", async (t) => {
  const code = "continuation_account_mismatch";
  const lawful: LawfulFailure = { shown: "another account", code, of: "chain" };
  const failure = { text: `409 ${code}`, code, flaw: null } as const;
  t.same(findingsOf([lawful], createWait({ what: "function output", failure })), []);
  t.equal(findingsOf([lawful], createWait({ failure })).length, 1);
});

t.test("a failure that contradicts its own code is never lawful", async (t) => {
  const failure = { ...died, flaw: "its status is 500" };
  const lawful: LawfulFailure = { shown: "", code: "native_runtime_unavailable", of: "any" };
  t.match(findingsOf([lawful], createWait({ failure })), [/its status is 500/]);
});

t.test("a wait that is longer than its phase allows is a finding", async (t) => {
  t.match(findingsOf([], createWait({ endedMs: 2_200 })), [/response took 0\.10 s/]);
});

t.test("what a phase's own callers get is a finding where the phase does not name it", async (t) => {
  const run = createRun("fault", 0, 10, { outcomes: [/^answered$/] });
  run.outcomes.set("answered", 3).set("hung", 1);
  t.same(makeRows([run])[0]?.findings, ["fault: its own callers got 'hung' 1 times"]);
  const other = createRun("bodies", 0, 10);
  other.outcomes.set("400 invalid_request", 3).set("500 internal_error", 1);
  t.match(makeRows([other])[0]?.findings, [/500 internal_error/]);
});
