import t from "tap";
import { textInDeltas } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";

t.test(
  "1,000 turns of a few seconds, started at once, complete with every delta",
  { timeout: 240_000 },
  async (t) => {
    const turns = 1000;
    const deltas = 20;
    // On a busy machine turns wait and are silent for long: what is tested is that all of them end well, not when.
    const longMs = 600_000;
    const { runtime, backend } = await createRuntimeHarness(t, {
      backend: { maxRecorded: 0 },
      runtime: {
        admission: { queueTimeoutMs: longMs },
        turns: { timeoutMs: longMs, idleTimeoutMs: longMs },
      },
    });
    t.same(await runtime.start(), { ready: true });
    backend.setDefaultReply(textInDeltas("0123456789".repeat(deltas), deltas, 150));
    const results = await Promise.all(
      Array.from({ length: turns }, async () => {
        let streamed = "";
        let completed = "";
        const { outcome } = await runtime.runIsolatedTurn(
          { items: [userMessage("hello")] },
          {
            onEvent: (event) => {
              if (event.type === "text.delta") streamed += event.delta;
              if (event.type === "item.completed") completed = JSON.stringify(event.item);
            },
          },
        );
        return { status: outcome.status, streamed, completed };
      }),
    );
    const expected = "0123456789".repeat(deltas);
    t.equal(results.filter(({ status }) => status === "completed").length, turns);
    t.equal(results.filter(({ streamed }) => streamed === expected).length, turns, "no delta is lost");
    t.equal(results.filter(({ completed }) => completed.includes(expected)).length, turns);
    t.match(runtime.health().queue, { depth: 0, running: 0 });
  },
);
