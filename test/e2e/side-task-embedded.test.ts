/** A router beside a service in its own process, and a runtime of its own in one line. */
import t from "tap";
import {
  CodexNativeApiSideTaskRouter,
  type CodexNativeApiSideTaskRouterOptions,
  createConfig,
  createRuntime,
} from "../../src/main/index.js";
import { embedService, prepareHost } from "../support/host-harness.js";
import { text, usageLimitReached } from "../support/offline-backend/index.js";
import { failureOf } from "../support/side-task-harness.js";

const task = { taskClass: "normalization", input: "x" } as const;
const off = { localApi: null, external: null };

t.test("the router runs on the service's own runtime, through restarts, ports and stops", async (t) => {
  const host = await prepareHost(t);
  host.backend.setDefaultReply(text("from the service's Codex"));
  const service = embedService(t, host);
  // A stale address, as an environment may have one: it is not asked.
  const localApi = { baseUrl: "http://127.0.0.1:9", authToken: "t", taskClasses: [], timeoutMs: null };
  const router = new CodexNativeApiSideTaskRouter({ settings: { ...off, localApi }, service });
  t.teardown(() => router.destroy());
  const stopped = await failureOf(router.execute(task));
  t.match(stopped.routesTried, [{ code: "in_process" }, { outcome: "skipped", code: "service_stopped" }, {}]);
  t.equal(stopped.code, "routes_exhausted", "later it may run");

  await service.start();
  t.same(await service.untilSettled(), { ready: true });
  const first = service.runtime;
  const result = await router.execute(task);
  t.match(result, { route: "direct_native", outputText: "from the service's Codex" });
  t.equal(service.health()?.queue.running, 0);
  t.equal(
    result.native?.appServerGeneration,
    service.health()?.appServer?.generation,
    "no second app-server",
  );

  host.backend.queueReply(usageLimitReached());
  t.match((await failureOf(router.execute(task))).routesTried[1], { outcome: "usage_limit" });
  t.match((await failureOf(router.execute(task))).routesTried[1], { code: "circuit_open" });
  await service.restart();
  t.same(await service.untilSettled(), { ready: true });
  t.not(service.runtime, first);
  t.match(await router.execute(task), { route: "direct_native" }, "the new run has a circuit of its own");

  await service.stop();
  t.equal(service.runtime, null);
  t.match((await failureOf(router.execute(task))).routesTried[1], { code: "service_stopped" });
});

t.test("a runtime in one line, silent, which serves a router", async (t) => {
  const host = await prepareHost(t);
  host.backend.setDefaultReply(text("in one line"));
  const created = createConfig(host.settings);
  if (!created.ok) throw new Error(JSON.stringify(created.faults));
  const runtime = createRuntime(created.config, { environment: host.environment });
  t.teardown(() => runtime.destroy());
  t.same(await runtime.start(), { ready: true });
  const router = new CodexNativeApiSideTaskRouter({ settings: off, runtime });
  t.match(await router.execute(task), { route: "direct_native", outputText: "in one line" });
  await router.close();
  const bare = createRuntime(created.config);
  t.same(bare.readiness.ready, false);
  await bare.close();
});

t.test("a router takes one place for direct turns, of the right shape", async (t) => {
  const host = await prepareHost(t);
  const service = embedService(t, host);
  const wrong: readonly (readonly [object, string])[] = [
    [{ service, runtime: { runIsolatedTurn: async () => {} } }, "service"],
    [{ service: null }, "service"],
    [{ service: {} }, "service"],
    [{ runtime: null }, "runtime"],
    [{ runtime: {} }, "runtime"],
  ];
  for (const [options, param] of wrong)
    t.throws(
      () =>
        new CodexNativeApiSideTaskRouter({
          settings: off,
          ...options,
        } as CodexNativeApiSideTaskRouterOptions),
      { code: "bad_request", param },
    );
});
