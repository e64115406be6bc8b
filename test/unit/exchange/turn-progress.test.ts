import t from "tap";
import { joinProgress, ProgressNotes } from "../../../src/main/exchange/turn-progress.js";
import { fakeStarted, fakeUsage } from "../../support/fake-runtime.js";

function createNotes() {
  const clock = { nowMs: 0, steps: 0 };
  const notes = new ProgressNotes(
    () => {
      clock.nowMs += 1;
      return clock.nowMs;
    },
    () => {
      clock.steps += 1;
    },
  );
  return { clock, notes };
}

t.test("the times of a turn are those of its first segment", async (t) => {
  const { notes } = createNotes();
  const handlers = notes.watch({});
  notes.prepared();
  handlers.onAdmission?.(true);
  handlers.onTurnStarted?.({ ...fakeStarted, thread: { kind: "new", readyAtMs: 2.5 } });
  void handlers.onEvent?.({ type: "text.delta", itemId: "msg", delta: "a" });
  handlers.onAdmission?.(true);
  handlers.onTurnStarted?.({ ...fakeStarted, thread: { kind: "parked", readyAtMs: 9 } });
  void handlers.onEvent?.({ type: "text.delta", itemId: "msg", delta: "b" });
  notes.outputEnded(fakeUsage, ["tools"]);
  t.strictSame(notes.soFar, {
    preparedAtMs: 1,
    admittedAtMs: 2,
    threadReadyAtMs: 2.5,
    turnStartedAtMs: 3,
    firstOutputAtMs: 4,
    outputEndedAtMs: 5,
    threadKind: "new",
    attempts: 1,
    retries: [],
    usage: fakeUsage,
    unmet: ["tools"],
  });
});

t.test("a turn that goes back to the queue starts its times over, and keeps what it used", async (t) => {
  const { notes } = createNotes();
  const handlers = notes.watch({});
  handlers.onAdmission?.(true);
  handlers.onTurnStarted?.(fakeStarted);
  void handlers.onEvent?.({ type: "model_call.completed", usage: fakeUsage });
  handlers.onRetry?.("rate_limit_exceeded");
  handlers.onAdmission?.(false);
  t.match(notes.soFar, { admittedAtMs: null, turnStartedAtMs: null, attempts: 1, usage: fakeUsage });
  handlers.onAdmission?.(true);
  t.match(notes.soFar, { admittedAtMs: Number, attempts: 2, retries: [{ code: "rate_limit_exceeded" }] });
});

t.test("no step is told of a delta but the first", async (t) => {
  const { clock, notes } = createNotes();
  const handlers = notes.watch({});
  for (let index = 0; index < 100; index += 1) {
    void handlers.onEvent?.({ type: "text.delta", itemId: "msg", delta: "a" });
  }
  t.equal(clock.steps, 1);
  t.equal(clock.nowMs, 1, "nor is the clock read");
});

t.test("handlers that are watched get all that they got before, and no other", async (t) => {
  const { notes } = createNotes();
  const told: string[] = [];
  const handlers = notes.watch({
    onAdmission: (isAdmitted) => void told.push(`admission ${isAdmitted}`),
    onTurnStarted: () => void told.push("started"),
    onEvent: async ({ type }) => void told.push(type),
    onForget: () => void told.push("forget"),
    onRetry: (code) => void told.push(code),
  });
  handlers.onAdmission?.(true);
  handlers.onTurnStarted?.(fakeStarted);
  await handlers.onEvent?.({ type: "text.delta", itemId: "msg", delta: "a" });
  handlers.onForget?.();
  handlers.onRetry?.("turn_stalled");
  t.strictSame(told, ["admission true", "started", "text.delta", "forget", "turn_stalled"]);
  t.notOk("onForget" in notes.watch({}), "who has passed events on cannot forget them");
});

t.test("several turns of one request are one progress", async (t) => {
  const [one, two] = [createNotes(), createNotes()];
  two.clock.nowMs = 100;
  for (const { notes } of [one, two]) {
    notes.prepared();
    const handlers = notes.watch({});
    handlers.onAdmission?.(true);
    void handlers.onEvent?.({ type: "model_call.completed", usage: fakeUsage });
  }
  one.notes.outputEnded(null, ["n"]);
  const joined = joinProgress([one.notes.soFar, two.notes.soFar]);
  t.match(joined, { preparedAtMs: 101, admittedAtMs: 2, outputEndedAtMs: null, attempts: 2, unmet: ["n"] });
  t.equal(joined.usage?.totalTokens, 2 * fakeUsage.totalTokens);
});
