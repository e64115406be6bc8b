/** A worker thread whose event loop is blocked: its port and its connection stand, and it says nothing. */
import t from "tap";
import { blockWorkers } from "../support/block-worker.js";
import { askService } from "../support/host-harness.js";
import { text } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

// Each waits until a silence counts as a hang, on a machine that may be busy.
t.setTimeout(300_000);

t.test(
  "turns on a blocked worker thread are run again on another, and new ones do not go there",
  { timeout: 120_000 },
  async (t) => {
    const { service, backend, untilReady } = await startServiceHarness(t, { argv: ["--workers", "2"] });
    await untilReady();
    await pollUntil(() => service.health()?.workers.every(({ state }) => state === "ready") === true);
    backend.setDefaultReply(text("fine"));
    const pid = service.health()?.appServer?.pid;
    const generations = new Set(service.health()?.workers.map(({ generation }) => generation));
    await blockWorkers(1);
    const startedAtMs = performance.now();
    const turns = Array.from({ length: 4 }, (_, index) => askService(service, { input: `turn ${index}` }));
    await pollUntil(() => service.health()?.workers.some(({ state }) => state === "silent") === true);
    t.equal((await askService(service, { input: "beside it" })).status, 200, "the other takes new turns");
    t.same(
      (await Promise.all(turns)).map(({ status }) => status),
      [200, 200, 200, 200],
    );
    t.ok(performance.now() - startedAtMs < 40_000);
    await pollUntil(() => service.health()?.workers.filter(({ state }) => state === "ready").length === 2);
    const replaced = service.health()?.workers.filter(({ generation }) => !generations.has(generation));
    t.equal(replaced?.length, 1, "a new thread took its place");
    t.equal(service.health()?.appServer?.pid, pid, "the app-server is not to blame");
  },
);

t.test(
  "when the only worker thread is blocked, the app-server is not blamed for it",
  { timeout: 120_000 },
  async (t) => {
    const { service, url, backend, untilReady } = await startServiceHarness(t, { argv: ["--workers", "1"] });
    await untilReady();
    backend.setDefaultReply(text("fine"));
    const pid = service.health()?.appServer?.pid;
    await blockWorkers(0);
    const turn = askService(service, { input: "hello" });
    await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 503);
    t.equal((await turn).status, 200);
    t.equal(service.health()?.appServer?.pid, pid);
  },
);
