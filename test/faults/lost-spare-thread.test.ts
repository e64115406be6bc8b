import t from "tap";
import { attachRuntime, runTurn, unanswered } from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

t.test("a spare thread that Codex does not know any more is replaced by a fresh one, unseen", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, { turns: { spareThreads: 4 } });
  await runTurn(runtime);
  await runTurn(runtime);
  await pollUntil(
    () => runtime.health().spareThreads.ready === 1 && appServer.countCalls("thread/start") === 3,
  );
  appServer.answer("thread/inject_items", () => {
    appServer.answer("thread/inject_items", null);
    return { error: { code: -32600, message: "thread not found" } };
  });
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  t.equal(runtime.health().spareThreads.taken, 1);
});

t.test("a spare thread that is not set up in time does not hold its turn up", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, { turns: { spareThreads: 4 } });
  await runTurn(runtime);
  appServer.answer("thread/start", () => {
    // This one is the turn's own; the next is the spare's.
    appServer.answer("thread/start", unanswered);
    return { result: { thread: { id: "thread-own" }, model: "scripted-model" } };
  });
  await runTurn(runtime);
  await appServer.called("thread/start", 3);
  appServer.answer("thread/start", null);
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
});
