import { mock } from "node:test";
import t from "tap";
import type { TurnOutcome } from "../../../../src/workers/contract/turn-messages.js";
import { interruptTimeoutMs, TurnInterrupt } from "../../../../src/workers/turn/turn-interrupt.js";

mock.timers.enable({ apis: ["setTimeout"] });
t.teardown(() => mock.timers.reset());

const cancelled: TurnOutcome = { status: "cancelled" };

/** An interrupt that Codex answers like this. */
function interrupt(answer: () => Promise<unknown>) {
  const seen = { asked: [] as string[][], ends: [] as TurnOutcome[], faults: [] as string[] };
  const interruption = new TurnInterrupt({
    askCodex: (...ids) => {
      seen.asked.push(ids);
      return answer();
    },
    onOverdue: (outcome) => seen.ends.push(outcome),
    countFault: (name) => seen.faults.push(name),
  });
  return { interruption, seen };
}

/** The answer to a call and what follows from it. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
const taken = async () => ({});
const refused = async () => {
  throw new Error("no such turn");
};

t.test("an interrupt that Codex takes waits for the turn's own end, for a while", async (t) => {
  const { interruption, seen } = interrupt(taken);
  t.equal(interruption.outcome, null);
  interruption.send("thread", "turn", cancelled);
  t.same(seen.asked, [["thread", "turn"]]);
  t.same(interruption.outcome, cancelled, "how the turn is to end");
  await settle();
  mock.timers.tick(interruptTimeoutMs - 1);
  t.same(seen.ends, []);
  mock.timers.tick(1);
  t.same(seen.ends, [cancelled]);
  t.same(seen.faults, []);
});

t.test("an interrupt that Codex refuses ends the turn at once, and once", async (t) => {
  const { interruption, seen } = interrupt(refused);
  interruption.send("thread", "turn", cancelled);
  await settle();
  t.same(seen, { asked: [["thread", "turn"]], ends: [cancelled], faults: ["interrupt_failed"] });
  mock.timers.tick(2 * interruptTimeoutMs);
  t.same(seen.ends, [cancelled]);
});

t.test("a turn that has ended is not ended by its interrupt", async (t) => {
  for (const answer of [taken, refused]) {
    const { interruption, seen } = interrupt(answer);
    interruption.send("thread", "turn", cancelled);
    interruption.stop();
    await settle();
    mock.timers.tick(2 * interruptTimeoutMs);
    t.same(seen.ends, []);
  }
});

t.test("a call for a turn that is not known here says whether Codex took it", async (t) => {
  t.equal(await interrupt(taken).interruption.call("thread", "turn"), true);
  const { interruption, seen } = interrupt(refused);
  t.equal(await interruption.call("thread", "turn"), false);
  t.same(seen, { asked: [["thread", "turn"]], ends: [], faults: ["interrupt_failed"] });
});
