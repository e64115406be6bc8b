import t from "tap";
import { runLoad } from "../../bench/measure/load.js";
import { charactersOf } from "../../bench/rig/backend-messages.js";
import { Resources } from "../../bench/rig/resources.js";
import { callService, layGround, openFloor, startService } from "../../bench/rig/rig.js";
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
