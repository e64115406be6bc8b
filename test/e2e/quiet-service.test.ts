import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import type { OfflineBackend } from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

/** A soak sets more: in twelve minutes nothing was seen that twenty seconds do not show. */
const idleSeconds = Number(process.env.QUIET_SECONDS ?? 20);
/** Longer than the pauses between what a start or a turn still has to ask. */
const settledMs = 3_000;

async function untilSettled(backend: OfflineBackend): Promise<void> {
  let seen = { arrivals: -1, atMs: 0 };
  await pollUntil(() => {
    const { arrivals } = backend.counters;
    if (arrivals !== seen.arrivals) seen = { arrivals, atMs: performance.now() };
    return performance.now() - seen.atMs > settledMs;
  });
}

async function startSettled(t: Test): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t);
  await harness.untilReady();
  await untilSettled(harness.backend);
  return harness;
}

/** What reaches the backend within this time, while supervisors and scrapers look at the service every second. */
async function countArrivals({ backend, url }: ServiceHarness, seconds: number): Promise<number> {
  const before = backend.counters.arrivals;
  for (let second = 0; second < seconds; second += 1) {
    for (const path of ["/livez", "/readyz", "/metrics"]) await (await fetch(url + path)).text();
    await delay(1_000);
  }
  return backend.counters.arrivals - before;
}

// They wait and compute little, so they wait side by side.
t.jobs = 5;

t.test("nothing reaches the backend after the start while nobody asks", async (t) => {
  const harness = await startSettled(t);
  t.equal(await countArrivals(harness, idleSeconds), 0);
});

t.test("nothing reaches the backend after a turn while nobody asks", async (t) => {
  const harness = await startSettled(t);
  await harness.client.responses.create({ input: "hello" });
  await untilSettled(harness.backend);
  t.equal(await countArrivals(harness, idleSeconds), 0, "with spare threads ready");
});

t.test(
  "the plan's windows are read once at the start, and not again for all who look at health",
  async (t) => {
    const { backend, service, url } = await startSettled(t);
    t.match(service.health()?.rateLimits, { primary: { usedPercent: 12 }, plan: "pro" });
    const before = backend.counters.arrivals;
    for (let look = 0; look < 50; look += 1) {
      service.health();
      t.equal((await fetch(`${url}/v1/health`)).status, 200);
    }
    await untilSettled(backend);
    t.equal(backend.counters.arrivals, before);
    t.equal(backend.counters.usageCalls, 1);
  },
);

t.test("a turn tells of the windows without a question, and what it leaves out stays known", async (t) => {
  const { backend, service, client } = await startSettled(t);
  const resetsAt = Math.floor(Date.now() / 1_000) + 5_000;
  backend.setRateLimits({ primary: { usedPercent: 77, windowMinutes: 300, resetsAt } });
  await client.responses.create({ input: "hello" });
  await pollUntil(() => service.health()?.rateLimits?.primary?.usedPercent === 77);
  t.match(service.health()?.rateLimits, { secondary: { usedPercent: 5 }, plan: "pro" });
  await untilSettled(backend);
  t.equal(backend.counters.usageCalls, 1, "the one at the start");
});

t.test("what a turn tells of another limit is not taken for the plan's", async (t) => {
  const { backend, service, client, untilReady } = await startServiceHarness(t, {
    backend: { account: "full" },
  });
  await untilReady();
  await client.responses.create({ input: "hello" });
  await untilSettled(backend);
  t.match(service.health()?.rateLimits, { primary: { usedPercent: 12 }, secondary: { usedPercent: 5 } });
});
