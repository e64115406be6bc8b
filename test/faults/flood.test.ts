import t from "tap";
import { userMessage } from "../support/runtime-harness.js";
import { attachRuntime, type ScriptedTurn, speak } from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

t.test("a caller that floods the queue does not starve another", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, { admission: { maxConcurrentTurns: 1 } });
  const ended: string[] = [];
  const ask = async (caller: string) => {
    await runtime.runIsolatedTurn({ items: [userMessage("hello")], caller });
    ended.push(caller);
  };
  const first = new Promise<ScriptedTurn>((resolve) => appServer.queueTurn(resolve));
  const flood = Array.from({ length: 20 }, () => ask("flood"));
  const running = await first;
  await pollUntil(() => runtime.health().queue.depth === 19);
  const other = ask("other");
  await pollUntil(() => runtime.health().queue.depth === 20);
  speak("fine")(running);
  await Promise.all([...flood, other]);
  t.ok(ended.indexOf("other") <= 2, `it was number ${ended.indexOf("other") + 1} of ${ended.length}`);
});
