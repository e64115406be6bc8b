import t from "tap";
import type { TurnEvent } from "../../src/main/runtime/types.js";
import { text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";

t.test("an isolated turn goes through a worker and the real app-server", async (t) => {
  const { backend, runtime } = await createRuntimeHarness(t);
  backend.setDefaultReply(text({ deltas: ["Hel", "lo"] }));
  const readiness = await runtime.start();
  t.same(readiness, { ready: true });
  const events: TurnEvent[] = [];
  const result = await runtime.runIsolatedTurn(
    { items: [userMessage("hello")] },
    { onEvent: (event) => void events.push(event) },
  );
  t.equal(result.outcome.status, "completed");
  t.same(
    events.filter((event) => event.type === "text.delta").map((event) => event.delta),
    ["Hel", "lo"],
  );
  t.match(result.usage, { totalTokens: Number });
  await runtime.close();
});
