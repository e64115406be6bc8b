import t from "tap";
import { needs, needsLackOf } from "../support/codex-version.js";
import { functionCall, reply, text } from "../support/offline-backend/index.js";
import { findAppServersOf } from "../support/processes.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const weather = {
  name: "weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: {} },
};

t.test(
  "an app-server that keeps its threads is replaced after so many, and its parked turns end on it",
  needsLackOf("thread_unload"),
  async (t) => {
    const { backend, runtime, stateDir } = await createRuntimeHarness(t, { runtime: { maxThreadsKept: 5 } });
    t.same(await runtime.start(), { ready: true });
    t.ok(runtime.health().degraded.includes("thread_unload"));
    backend.queueReply(reply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" })));
    backend.setDefaultReply(text("fine"));
    const parked = await runtime.runIsolatedTurn({ items: [userMessage("weather?")], tools: [weather] });
    t.equal(parked.outcome.status, "parked");
    const first = runtime.health().appServer?.generation ?? 0;
    for (let turn = 0; turn < 6; turn += 1) {
      const { outcome } = await runtime.runIsolatedTurn({ items: [userMessage(`n${turn}`)] });
      t.equal(outcome.status, "completed");
    }
    await pollUntil(() => runtime.health().appServer?.generation === first + 1);
    t.equal((await findAppServersOf(stateDir)).length, 2, "the old one waits for its parked turn");
    const outputs = [{ callId: "call_1", parts: [{ type: "text", text: "sunny" }] }] as const;
    const resumed = await runtime.continueIsolatedTurn(parked.turnId, outputs);
    t.equal(resumed?.outcome.status, "completed");
    t.equal(resumed?.target.appServerGeneration, first);
    await pollUntil(async () => (await findAppServersOf(stateDir)).length === 1);
  },
);

t.test("an app-server that unloads its threads is kept", needs("thread_unload"), async (t) => {
  const { runtime } = await createRuntimeHarness(t, { runtime: { maxThreadsKept: 2 } });
  t.same(await runtime.start(), { ready: true });
  const generation = runtime.health().appServer?.generation;
  for (let turn = 0; turn < 5; turn += 1) await runtime.runIsolatedTurn({ items: [userMessage("hello")] });
  t.equal(runtime.health().appServer?.generation, generation);
  t.same(runtime.health().degraded, []);
});
