/** Hung app-servers that are not shared: a process for each worker, and one of someone else's. */
import t from "tap";
import { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { startForeignAppServer } from "../support/foreign-app-server.js";
import { askService } from "../support/host-harness.js";
import { stopProcess, watchReadiness } from "../support/hung-process.js";
import { text } from "../support/offline-backend/index.js";
import { findAppServersOf } from "../support/processes.js";
import { createRuntimeHarness, testLogger, userMessage } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

// Each waits until a silence counts as a hang, on a machine that may be busy.
t.setTimeout(300_000);

t.test(
  "with a process for each worker, those that hang are replaced one by one",
  { timeout: 120_000 },
  async (t) => {
    const harness = await startServiceHarness(t, { argv: ["--workers", "2", "--app-server", "stdio"] });
    const { url, backend, stateDir, untilReady, service } = harness;
    await untilReady();
    await pollUntil(() => service.health()?.workers.every(({ state }) => state === "ready") === true);
    backend.setDefaultReply(text("fine"));
    const pids = await findAppServersOf(stateDir);
    t.equal(pids.length, 2);
    const [first = 0] = pids;
    stopProcess(t, first);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => askService(service, { input: `one hangs ${index}` })),
    );
    t.same(new Set(answers.map(({ status }) => status)), new Set([200]));
    t.equal((await fetch(`${url}/readyz`)).status, 200, "the other took turns all the while");
    await pollUntil(async () => {
      const now = await findAppServersOf(stateDir);
      return (
        now.length === 2 &&
        !now.includes(first) &&
        service.health()?.workers.every(({ state }) => state === "ready") === true
      );
    }, 40_000);
    for (const pid of await findAppServersOf(stateDir)) stopProcess(t, pid);
    const readyMs = watchReadiness(url);
    const startedAtMs = performance.now();
    const later = await Promise.all(
      Array.from({ length: 6 }, (_, index) => askService(service, { input: `both hang ${index}` })),
    );
    t.same(new Set(later.map(({ status }) => status)), new Set([200]));
    t.ok(performance.now() - startedAtMs < 40_000);
    const lastReadyMs = await readyMs();
    t.ok(lastReadyMs < 8_000, `ready for ${Math.round(lastReadyMs)} ms of it`);
  },
);

for (const kind of ["unix", "tcp"] as const) {
  t.test(
    `an app-server of someone else's (${kind}) that hangs is left alone: turns wait, or end typed`,
    { timeout: 120_000 },
    async (t) => {
      const owner = await createRuntimeHarness(t);
      const { process: codex, appServer } = await startForeignAppServer(t, owner.userHome, kind);
      const admission = { ...owner.options.admission, queueTimeoutMs: 4_000 };
      const runtime = new CodexNativeRuntime(
        { ...owner.options, appServer, admission, workers: 2 },
        testLogger,
      );
      t.teardown(() => runtime.destroy());
      t.same(await runtime.start(), { ready: true });
      owner.backend.setDefaultReply(text("fine"));
      process.kill(codex.pid ?? 0, "SIGSTOP");
      const hello = { items: [userMessage("hello")] };
      const turns = Array.from({ length: 4 }, () =>
        runtime.runIsolatedTurn(hello).catch((error: unknown) => error),
      );
      for (const turn of turns) t.match(await turn, { code: "native_runtime_unavailable", retryable: true });
      t.notOk(runtime.readiness.ready);
      t.equal(codex.exitCode, null, "it is not ours to stop");
      process.kill(codex.pid ?? 0, "SIGCONT");
      await pollUntil(() => runtime.readiness.ready);
      t.match(await runtime.runIsolatedTurn(hello), { outcome: { status: "completed" } });
    },
  );
}
