import t from "tap";
import { faultsOf, runCallers } from "../../bench/measure/caller-load.js";
import { readLearnedLimit } from "../../bench/measure/limit-watch.js";
import { runLoad } from "../../bench/measure/load.js";
import { charactersOf } from "../../bench/rig/backend-messages.js";
import { Resources } from "../../bench/rig/resources.js";
import { callService, layGround, openFloor, startService } from "../../bench/rig/rig.js";
import { openPlan, readLimitChanges } from "../../bench/scenarios/plan/plan-ground.js";
import { needs } from "../support/codex-version.js";

const reply = { deltas: 5, charactersPerDelta: 4, firstDelayMs: 0, delayMs: 0 };

t.test(
  "the benchmark's service and floors each answer a turn whole, and nothing of it is left",
  needs("tool_free_turns"),
  async (t) => {
    const resources = new Resources();
    t.teardown(() => resources.close());
    const ground = await layGround(resources);
    await ground.backend.setReply(reply);
    const service = await startService(resources, ground);
    const floors = await openFloor(resources, ground, service);
    const { json, sse, openAiJson, openAiSse } = await callService(resources, service);
    const contestants = [
      await floors.startOnSocket(),
      await floors.startOnSocket("injected"),
      await floors.startOnStdio(),
      json,
      sse,
      openAiJson,
      openAiSse,
    ];
    for (const contestant of contestants) {
      const result = await runLoad(contestant, {
        atOnce: 2,
        turns: 2,
        maxMs: 60_000,
        prompt: "hello",
        expectedCharacters: charactersOf(reply),
        signal: new AbortController().signal,
      });
      t.match(result, { completed: 2, damaged: 0, failed: 0 }, contestant.name);
    }
    t.strictSame(await resources.close(), [], "every process ended when told to");
  },
);

t.test("the backend says what the model was given to read", needs("tool_free_turns"), async (t) => {
  const resources = new Resources();
  t.teardown(() => resources.close());
  const ground = await layGround(resources);
  await ground.backend.setReply(reply);
  const service = await startService(resources, ground);
  const { json } = await callService(resources, service);
  const requests = await ground.backend.recordRequests(() => json.runTurn("hello"));
  t.match(requests, [{ tools: 0, instructionsBytes: 0, inputItems: 1 }]);
});

t.test(
  "the benchmark's callers are told apart and wait for an account that takes one turn at once",
  needs("tool_free_turns"),
  async (t) => {
    const resources = new Resources();
    t.teardown(() => resources.close());
    const { backend, service, callers } = await openPlan(
      { resources },
      { turnMs: 100, limits: { streams: 1 } },
    );
    const load = await runCallers({
      callers: 3,
      turnsEach: 1,
      maxMs: 60_000,
      signal: new AbortController().signal,
      ask: (caller, signal) => callers.ask(caller, signal),
    });
    t.strictSame(faultsOf(load.turns), []);
    t.match(await backend.readCounters(), { completedStreams: 3, peakAdmittedStreams: 1 });
    t.ok((await readLearnedLimit(service)) >= 1);
    t.ok((await readLimitChanges(service, Date.now())).length > 0, "the log says how the limit was found");
    t.strictSame(await resources.close(), []);
  },
);
