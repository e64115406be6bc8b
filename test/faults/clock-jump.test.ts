/** A wall clock that is set forward and back by days under a running service. What lasts is measured on another clock. */
import t, { type Test } from "tap";
import { text } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

const dayMs = 24 * 60 * 60 * 1000;
const trueNow = Date.now;
let clockOffsetMs = 0;
/** From the start: some parts keep the function that they were given. */
Date.now = () => trueNow() + clockOffsetMs;

function setClock(t: Test, offsetMs: number): void {
  clockOffsetMs = offsetMs;
  t.teardown(() => {
    clockOffsetMs = 0;
  });
}

for (const [jump, offsetMs] of [
  ["forward", 3 * dayMs],
  ["back", -3 * dayMs],
] as const) {
  t.test(`a clock that jumps ${jump}: chains, turns, health and restarts go on as before`, async (t) => {
    const { client, service, backend, url, untilReady } = await startServiceHarness(t);
    backend.setDefaultReply(text("fine"));
    await untilReady();
    const first = await client.responses.create({ input: "hello" });
    const uptimeBefore = service.health()?.appServer?.uptimeMs ?? Number.NaN;

    setClock(t, offsetMs);
    const second = await client.responses.create({ input: "go on", previous_response_id: first.id });
    t.match(second, { native_api: { continuation: { mode: "native" } } }, "the chain has not expired");
    t.equal((await client.responses.retrieve(first.id)).id, first.id);
    t.ok((second.completed_at ?? 0) >= second.created_at);
    const uptimeMs = service.health()?.appServer?.uptimeMs ?? Number.NaN;
    t.ok(uptimeMs >= uptimeBefore && uptimeMs < 60_000, `up for ${uptimeMs} ms`);
    t.equal((await fetch(`${url}/readyz`)).status, 200);
    for (const { lastReportAgeMs } of service.health()?.workers ?? []) {
      t.ok((lastReportAgeMs ?? 0) < 10_000, "workers count as alive");
    }

    process.kill(service.health()?.appServer?.pid ?? 0, "SIGKILL");
    const third = await client.responses.create({ input: "go on", previous_response_id: second.id });
    t.match(third, { status: "completed", native_api: { continuation: { mode: "replayed" } } });
    t.equal(service.health()?.appServer?.generation, 2);
  });
}

t.test("a clock that jumps in the middle of a turn: the turn takes the time that it takes", async (t) => {
  const { client, backend, untilReady } = await startServiceHarness(t, {
    env: { CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: "30000", CODEX_NATIVE_API_QUEUE_TIMEOUT_MS: "30000" },
  });
  // The stream begins with the first word, and the turn is under way until the second.
  backend.setDefaultReply(text({ deltas: ["fi", "ne"], firstDelayMs: 0, delayMs: 1_500 }));
  await untilReady();
  const stream = await client.responses.create({ input: "hello", stream: true });
  let last: { type: string; response?: { created_at: number; completed_at?: number | null } } = { type: "" };
  let jumped = false;
  for await (const event of stream) {
    if (!jumped) setClock(t, -dayMs);
    jumped = true;
    last = event;
  }
  t.equal(last.type, "response.completed");
  t.equal(last.response?.completed_at, last.response?.created_at, "not before it was created");
});
