import t from "tap";
import { attachRuntime, runTurn, type TurnScript } from "../support/scripted-app-server/index.js";

const idleTimeoutMs = 400;
const { appServer, runtime } = await attachRuntime(t, { turns: { idleTimeoutMs } });
/** Codex believes in every turn, and says nothing of it. */
appServer.answer("thread/read", ({ params }) => ({
  result: { thread: { id: String(params.threadId), status: { type: "active" } } },
}));

const silences: readonly [what: string, script: TurnScript, streamed: string][] = [
  ["before the model said anything", (turn) => turn.started(), ""],
  [
    "in the middle of an answer",
    (turn) => {
      turn.itemStarted();
      turn.delta("half");
    },
    "half",
  ],
];

for (const [when, script, streamed] of silences) {
  t.test(`a turn that hangs ${when} is asked about, interrupted, and ends with a typed error`, async (t) => {
    const before = {
      read: appServer.countCalls("thread/read"),
      stop: appServer.countCalls("turn/interrupt"),
    };
    let threadId = "";
    appServer.queueTurn((turn) => {
      threadId = turn.threadId;
      appServer.answer("turn/interrupt", () => {
        setImmediate(() => turn.interrupted());
        return { result: {} };
      });
      script(turn);
    });
    t.match(await runTurn(runtime), { end: "turn_stalled", streamed, items: [] });
    t.equal(appServer.countCalls("thread/read"), before.read + 1);
    t.equal(appServer.countCalls("turn/interrupt"), before.stop + 1);
    await appServer.called("thread/unsubscribe");
    t.equal(appServer.calls.at(-1)?.params.threadId, threadId, "its thread is given back");
    t.match(await runTurn(runtime), { end: "completed" }, "the next turn succeeds");
  });
}

t.test("a turn whose events come slowly but come is left alone", async (t) => {
  appServer.queueTurn((turn) => {
    turn.itemStarted();
    let words = 0;
    const timer = setInterval(() => {
      words += 1;
      turn.delta("w");
      if (words < 6) return;
      clearInterval(timer);
      turn.rawItem("wwwwww");
      turn.modelCallCompleted();
      turn.completed("wwwwww");
    }, idleTimeoutMs / 3);
  });
  t.match(await runTurn(runtime), { end: "completed", streamed: "wwwwww" });
});

t.test("a thread that Codex closes under its turn: the turn is run again", async (t) => {
  appServer.queueTurn((turn) => turn.threadClosed());
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
});
