import t, { type Test } from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { delayed, reply, stall, text } from "../support/offline-backend/index.js";
import { isRunning } from "../support/processes.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const hello = { items: [userMessage("hello")] };

function killAppServer(runtime: CodexNativeRuntime): number {
  const pid = runtime.health().appServer?.pid;
  if (typeof pid !== "number") throw new Error("there is no app-server to kill");
  process.kill(pid, "SIGKILL");
  return pid;
}

/** The two ways in which the ground under a turn can break; each must give way to the same behaviour. */
const deaths: readonly [name: string, strike: (runtime: CodexNativeRuntime) => unknown][] = [
  ["the app-server is killed", killAppServer],
  [
    "the worker thread is terminated",
    async (runtime) => {
      const busy = runtime.health().workers.find((worker) => worker.activeTurns > 0);
      await runtime.recycleWorker(busy?.id ?? "none is busy");
    },
  ],
];

async function startRuntime(t: Test) {
  const harness = await createRuntimeHarness(t);
  t.same(await harness.runtime.start(), { ready: true });
  return harness;
}

for (const [death, strike] of deaths) {
  t.test(`${death} before the model said anything: the turn is run again unseen`, async (t) => {
    const { backend, runtime } = await startRuntime(t);
    backend.queueReply(stall());
    backend.setDefaultReply(text("second try"));
    const turn = runtime.runIsolatedTurn(hello);
    await backend.waitForRequest();
    await strike(runtime);
    const result = await turn;
    t.equal(result.outcome.status, "completed");
    t.equal(backend.requests.length, 2);
  });

  t.test(`${death} in the middle of an answer: the turn ends with a typed error`, async (t) => {
    const { backend, runtime } = await startRuntime(t);
    backend.queueReply(reply(text({ deltas: ["half", " done"] }), stall({ afterDeltas: 1 })));
    backend.setDefaultReply(text("fine"));
    let seen = () => {};
    const sawText = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const turn = runtime
      .runIsolatedTurn(hello, { onEvent: (event) => (event.type === "text.delta" ? seen() : undefined) })
      .catch((error: unknown) => error);
    await sawText;
    await strike(runtime);
    const error = await turn;
    t.ok(error instanceof CodexNativeApiError);
    t.match(error, { code: "native_runtime_unavailable", status: 503, retryable: true });
    t.equal((await runtime.runIsolatedTurn(hello)).outcome.status, "completed", "the next turn succeeds");
    t.equal(backend.requests.length, 2, "what was shown is not run again");
  });
}

t.test("an app-server that dies comes back as a new generation", async (t) => {
  const { runtime, backend } = await startRuntime(t);
  backend.setDefaultReply(text("fine"));
  const first = runtime.health().appServer;
  const pid = killAppServer(runtime);
  const result = await runtime.runIsolatedTurn(hello);
  t.equal(result.outcome.status, "completed");
  const second = runtime.health().appServer;
  t.equal(second?.generation, (first?.generation ?? 0) + 1);
  t.equal(second?.restarts, 1);
  t.not(second?.pid, pid);
  t.notOk(await isRunning(pid));
});

t.test("a worker that dies comes back as a new generation", async (t) => {
  const { runtime } = await startRuntime(t);
  const before = runtime.health().workers;
  await runtime.recycleWorker("worker-1");
  await pollUntil(() => {
    const worker = runtime.health().workers.find(({ id }) => id === "worker-1");
    return (
      worker?.state === "ready" && worker.generation > Math.max(...before.map(({ generation }) => generation))
    );
  });
  t.equal(runtime.health().workers.length, before.length);
  const turns = Array.from({ length: 4 * before.length }, () => runtime.runIsolatedTurn(hello));
  for (const { outcome } of await Promise.all(turns)) t.equal(outcome.status, "completed");
  t.ok(before.length > 1, "another thread was there to be taken for it");
});

t.test("closing leaves no process behind, with turns in flight or without", async (t) => {
  const { runtime, backend } = await startRuntime(t);
  backend.setDefaultReply(delayed(60_000, text("too late")));
  const turn = runtime.runIsolatedTurn(hello).catch((error: unknown) => error);
  await backend.waitForRequest();
  const pid = runtime.health().appServer?.pid ?? 0;
  t.ok(await isRunning(pid));
  const closed = runtime.close();
  await runtime.destroy();
  await closed;
  t.match(await turn, { code: "native_runtime_unavailable" });
  t.notOk(await isRunning(pid));
});
