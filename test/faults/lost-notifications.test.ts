import t from "tap";
import { attachRuntime, runTurn, type TurnScript } from "../support/scripted-app-server/index.js";

/** Codex drops notifications when its queues are full; each of these turns ends with what was not lost. */
const { appServer, runtime } = await attachRuntime(t);
const whole = [{ type: "message", content: [{ type: "output_text", text: "one two three" }] }];

const losses: readonly [what: string, script: TurnScript][] = [
  [
    "a delta",
    (turn) => {
      turn.itemStarted();
      turn.delta("one ");
      turn.delta("three");
      turn.itemCompleted("one two three");
      turn.rawItem("one two three");
      turn.modelCallCompleted();
      turn.completed("one two three");
    },
  ],
  [
    "every delta",
    (turn) => {
      turn.itemCompleted("one two three");
      turn.rawItem("one two three");
      turn.modelCallCompleted();
      turn.completed("one two three");
    },
  ],
  [
    "the raw item",
    (turn) => {
      turn.itemStarted();
      turn.delta("one ");
      turn.itemCompleted("one two three");
      turn.modelCallCompleted();
      turn.completed("one two three");
    },
  ],
  [
    "the end of the model call",
    (turn) => {
      turn.itemStarted();
      turn.rawItem("one two three");
      turn.completed("one two three");
    },
  ],
  [
    "everything but the start and the end",
    (turn) => {
      turn.itemStarted();
      turn.delta("one");
      turn.completed("one two three");
    },
  ],
];

for (const [what, script] of losses) {
  t.test(`where ${what} is lost, the completed item is the truth`, async (t) => {
    const askedBefore = appServer.countCalls("thread/read");
    appServer.queueTurn(script);
    const { end, items } = await runTurn(runtime);
    t.match({ end, items }, { end: "completed", items: whole });
    t.equal(items.length, 1);
    t.equal(appServer.countCalls("thread/read"), askedBefore, "nothing had to be waited for");
  });
}

t.test("a lost turn/completed: the turn completes with its whole text", async (t) => {
  const askedBefore = appServer.countCalls("thread/read");
  appServer.queueTurn((turn) => turn.message("one two three"));
  t.match(await runTurn(runtime), { end: "completed", streamed: "one two three", items: whole });
  t.equal(
    appServer.countCalls("thread/read"),
    askedBefore + 1,
    "Codex was asked whether the turn still runs",
  );
  t.equal(appServer.countCalls("turn/interrupt"), 0);
});

t.test("a turn that goes on after its model call is asked about, and waited for", async (t) => {
  appServer.answer("thread/read", ({ params }) => ({
    result: { thread: { id: String(params.threadId), status: { type: "active" } } },
  }));
  t.teardown(() => appServer.answer("thread/read", null));
  const asked = appServer.called("thread/read", appServer.countCalls("thread/read") + 2);
  appServer.queueTurn((turn) => {
    turn.message("one two three");
    void asked.then(() => turn.completed("one two three"));
  });
  t.match(await runTurn(runtime), { end: "completed", items: whole });
});
