import { mock } from "node:test";
import t from "tap";
import { SilentTurn } from "./support/silent-turn.js";

mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
t.teardown(() => mock.timers.reset());

const answerTimeoutMs = 5_000;

/** How often the turn ended. */
const endsOf = ({ events }: SilentTurn) => events.filter(({ type }) => type === "turn.ended").length;

t.test("an interrupt that Codex takes waits for the turn's own end, for a while", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.interrupts = "are taken";
  turn.cancel();
  await turn.settle();
  t.equal(turn.countCalls("turn/interrupt"), 1);
  await turn.pass(answerTimeoutMs - 500);
  t.equal(turn.outcome, null);
  await turn.pass(500);
  t.strictSame(turn.outcome, { status: "cancelled" });
  t.same(turn.faults, []);
});

t.test("an interrupt that Codex refuses ends the turn at once, and once", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.interrupts = "are refused";
  turn.cancel();
  await turn.settle();
  t.strictSame(turn.outcome, { status: "cancelled" });
  t.same(turn.faults, ["interrupt_failed"]);
  mock.timers.tick(2 * answerTimeoutMs);
  await turn.settle();
  t.equal(endsOf(turn), 1);
  t.equal(turn.countCalls("turn/interrupt"), 1);
});

t.test("a turn that has ended is not ended by its interrupt", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.cancel();
  await turn.settle();
  t.strictSame(turn.outcome, { status: "cancelled" });
  mock.timers.tick(2 * answerTimeoutMs);
  await turn.settle();
  t.equal(endsOf(turn), 1);
  t.same(turn.faults, []);
});

for (const interrupts of ["are taken", "are refused"] as const) {
  t.test(
    `a turn that Codex starts after it was cancelled is interrupted (interrupts ${interrupts})`,
    async (t) => {
      const turn = await SilentTurn.start(t, false);
      turn.interrupts = interrupts;
      turn.cancel();
      await turn.settle();
      t.strictSame(turn.outcome, { status: "cancelled" });
      t.equal(turn.countCalls("turn/interrupt"), 0, "its id is not known yet");
      turn.answerStart();
      await turn.settle();
      t.equal(turn.countCalls("turn/interrupt"), 1);
      t.same(turn.faults, interrupts === "are taken" ? [] : ["interrupt_failed"]);
    },
  );
}
