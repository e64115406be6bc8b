/** Minutes of silence on a clock that runs as fast as the test turns it. */
import { mock } from "node:test";
import t from "tap";
import { limitMs, minuteMs, SilentTurn } from "./support/silent-turn.js";

mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
t.teardown(() => mock.timers.reset());

t.test("a model that is silent for ten minutes is waited for, and its answer arrives", async (t) => {
  const turn = await SilentTurn.start(t);
  await turn.pass(10 * minuteMs);
  t.equal(turn.outcome, null);
  t.equal(turn.countCalls("thread/read"), 20, "Codex was asked every half minute");
  turn.answerAtLast();
  await turn.pass(1_000);
  t.strictSame(turn.outcome, { status: "completed" });
  t.equal(turn.countCalls("turn/interrupt"), 0);
});

t.test("silence up to the limit ends the turn, though Codex runs it", async (t) => {
  const turn = await SilentTurn.start(t);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(Math.abs(passedMs - limitMs) < 5_000, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled", message: /900000 ms/ } });
  t.equal(turn.countCalls("turn/interrupt"), 1);
});

t.test("each word begins the silence anew, and Codex's word that it asks again does not", async (t) => {
  const turn = await SilentTurn.start(t);
  await turn.pass(10 * minuteMs);
  turn.tell("item/started", { item: { type: "agentMessage", id: "m", text: "" } });
  for (let minute = 0; minute < 14; minute += 1) {
    const error = { message: "Reconnecting... 2/5", codexErrorInfo: "other", additionalDetails: null };
    turn.tell("error", { error, willRetry: true });
    await turn.pass(minuteMs);
  }
  t.equal(turn.outcome, null);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(passedMs < 2 * minuteMs, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled" } });
});

for (const standing of ["idle", "systemError", "unknown"] as const) {
  t.test(`a silent turn that Codex does not run (${standing}) ends within a minute`, async (t) => {
    const turn = await SilentTurn.start(t);
    await turn.pass(5 * minuteMs);
    turn.standing = standing;
    const passedMs = await turn.pass(60 * minuteMs);
    t.ok(passedMs < minuteMs, `${passedMs} ms`);
    t.match(turn.outcome, {
      status: "failed",
      error: { code: "turn_stalled", message: /stopped running the turn/ },
    });
  });
}

t.test("a turn whose end comes just after Codex said that it is over completes", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.standing = "idle";
  while (turn.countCalls("thread/read") === 0) await turn.pass(500);
  turn.answerAtLast();
  await turn.pass(1_000);
  t.strictSame(turn.outcome, { status: "completed" });
});

t.test(
  "a silent turn on a connection that answers nothing ends within a minute, to be run again",
  async (t) => {
    const turn = await SilentTurn.start(t);
    await turn.pass(5 * minuteMs);
    turn.answers = false;
    const passedMs = await turn.pass(60 * minuteMs);
    t.ok(passedMs < minuteMs, `${passedMs} ms`);
    t.match(turn.outcome, {
      status: "failed",
      error: { code: "native_runtime_unavailable", infrastructure: true },
    });
  },
);

t.test("where Codex answers all but this question, the turn goes on to its limit", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.standing = "no answer";
  await turn.pass(10 * minuteMs);
  t.equal(turn.outcome, null);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(passedMs > 4 * minuteMs && passedMs < 6 * minuteMs, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled" } });
});
