/** The router over time: deadlines, cancelling, closing, circuits, load. */
import t from "tap";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failWith, hang } from "../support/scripted-listener.js";
import { failureOf, respond, startSideTaskHarness } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "  heLLo " };

t.test("timeout ends the task on the last route, and the turn is given up", async (t) => {
  const { router, runtime } = await startSideTaskHarness(t, {
    direct: async (turn) => {
      turn.start();
      await turn.aborted();
      return turn.result("cancelled");
    },
  });
  const error = await failureOf(
    router.execute({ ...task, timeoutMs: 100, provider: "other", fallback: false }),
  );
  t.equal(error.code, "timeout");
  t.ok(error.retryable);
  t.match(error.routesTried, [
    { route: "localhost_api", outcome: "skipped", code: "provider_not_native" },
    { route: "direct_native", outcome: "timeout", code: "timeout" },
  ]);
  t.ok(runtime.turns[0]?.handlers.signal?.aborted);
});

t.test("a task ends in time though its route ignores its signal", async (t) => {
  const { router } = await startSideTaskHarness(t, { direct: () => new Promise(() => {}) });
  const startedAtMs = performance.now();
  const error = await failureOf(
    router.execute({ ...task, timeoutMs: 100, provider: "other", fallback: false }),
  );
  t.equal(error.code, "timeout");
  t.ok(performance.now() - startedAtMs < 20_000);
});

t.test("one deadline spans all routes", async (t) => {
  const { router, provider } = await startSideTaskHarness(t, {
    api: hang,
    direct: () => new Promise(() => {}),
    provider: hang,
  });
  const startedAtMs = performance.now();
  // A provider that the task brings along gets it after a timeout too.
  const fallback = { baseUrl: `${provider.url}/v1`, apiKey: null, model: "m" };
  const error = await failureOf(router.execute({ ...task, timeoutMs: 400, fallback }));
  const tookMs = performance.now() - startedAtMs;
  t.equal(error.code, "timeout");
  t.match(error.routesTried, [
    { route: "localhost_api", outcome: "route_timeout" },
    { route: "direct_native", outcome: "route_timeout" },
    { route: "external_provider", outcome: "timeout" },
  ]);
  t.ok(tookMs >= 390 && tookMs < 20_000, `took ${tookMs} ms`);
  await provider.requests[0]?.closed;
});

t.test("a route that hangs is hung up on", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: hang });
  const result = await router.execute({ ...task, timeoutMs: 300 });
  t.equal(result.route, "direct_native");
  await api.requests[0]?.closed;
});

t.test("the localhost route keeps to its own bound", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: hang });
  await router.destroy();
  const bounded = await startSideTaskHarness(t, {
    settings: {
      localApi: { baseUrl: api.url, authToken: null, taskClasses: ["normalization"], timeoutMs: 50 },
      external: null,
    },
  });
  const result = await bounded.router.execute(task);
  t.match(result.routesTried[0], { outcome: "route_timeout" });
  t.ok((result.routesTried[0]?.ms ?? 0) < 20_000);
  t.equal(api.requests[0]?.headers.authorization, undefined);
});

t.test("cancelled ends the task at once, hangs up and leaves the circuit alone", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t, {
    api: hang,
    limits: { circuitFailures: 1 },
  });
  const abort = new AbortController();
  const running = failureOf(router.execute({ ...task, signal: abort.signal }));
  await api.received(1);
  abort.abort();
  const error = await running;
  t.equal(error.code, "cancelled");
  t.notOk(error.retryable);
  t.match(error.routesTried, [{ route: "localhost_api", outcome: "cancelled" }]);
  await api.requests[0]?.closed;
  t.equal(runtime.turns.length, 0);
  t.equal(router.circuits()[`localhost_api ${api.url}`], "closed");
});

t.test("a signal aborted beforehand starts nothing", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  const error = await failureOf(router.execute({ ...task, signal: AbortSignal.abort() }));
  t.equal(error.code, "cancelled");
  t.strictSame(error.routesTried, []);
  t.equal(api.requests.length, 0);
});

t.test("destroy ends what is under way with closed; close lets it end", async (t) => {
  const first = await startSideTaskHarness(t, { api: hang });
  const running = failureOf(first.router.execute(task));
  await first.api.received(1);
  await first.router.destroy();
  const error = await running;
  t.equal(error.code, "closed");
  t.match(error.routesTried, [{ outcome: "closed" }]);
  t.equal((await failureOf(first.router.execute(task))).code, "closed");

  let release = (): void => {};
  const second = await startSideTaskHarness(t, {
    api: (request, response) => {
      release = () => respond("late")(request, response);
    },
  });
  const slow = second.router.execute(task);
  await second.api.received(1);
  const closing = second.router.close();
  t.equal(second.router.close(), closing, "a second call joins the first");
  t.equal((await failureOf(second.router.execute(task))).code, "closed");
  release();
  t.equal((await slow).outputText, "late");
  await closing;
  t.equal(second.router.running, 0);
});

t.test(
  "a service that dies in the middle of a task and comes back: the circuit opens, then lets one task look",
  async (t) => {
    const harness = await startSideTaskHarness(t, {
      api: hang,
      limits: { circuitFailures: 2, circuitOpenMs: 10_000 },
    });
    const { router, api } = harness;
    const circuit = () => router.circuits()[`localhost_api ${api.url}`];
    const inFlight = router.execute(task);
    await api.received(1);
    await api.die();
    t.match((await inFlight).routesTried, [{ outcome: "connection_lost" }, { outcome: "served" }]);
    t.equal(circuit(), "closed");
    t.match((await router.execute(task)).routesTried, [{ outcome: "unreachable" }, { outcome: "served" }]);
    t.equal(circuit(), "open");
    t.match((await router.execute(task)).routesTried, [{ outcome: "skipped", code: "circuit_open" }, {}]);

    harness.pass(10_001);
    t.equal(circuit(), "half_open");
    t.match((await router.execute(task)).routesTried, [{ outcome: "unreachable" }, {}]);
    t.equal(circuit(), "open", "still dead: open for twice as long");
    harness.pass(10_001);
    t.equal(circuit(), "open");

    harness.pass(10_001);
    let release = (): void => {};
    api.play((request, response) => {
      release = () => respond("back again")(request, response);
    });
    await api.listen();
    const looking = router.execute(task);
    await api.received(2);
    t.match(
      (await router.execute(task)).routesTried[0],
      { outcome: "skipped", code: "circuit_open" },
      "one task looks, the others do not wait for it",
    );
    release();
    t.equal((await looking).outputText, "back again");
    t.equal(circuit(), "closed");
    api.play(respond("as before"));
    t.equal((await router.execute(task)).route, "localhost_api");
  },
);

t.test("a route that is dead costs its time no more than the threshold says", async (t) => {
  const { router, api } = await startSideTaskHarness(t, {
    api: hang,
    limits: { circuitFailures: 2, blamedTimeoutMs: 0 },
  });
  for (let round = 0; round < 5; round += 1) {
    t.equal((await router.execute({ ...task, timeoutMs: 200 })).route, "direct_native");
  }
  t.equal(api.requests.length, 2);
});

t.test("a task of little time does not blame a route for it", async (t) => {
  const { router } = await startSideTaskHarness(t, { api: hang, limits: { circuitFailures: 1 } });
  await router.execute({ ...task, timeoutMs: 1_000 });
  t.strictSame(Object.values(router.circuits())[0], "closed");
});

t.test("a plan that is used up is left alone until its reset, within bounds", async (t) => {
  const { router, api, pass } = await startSideTaskHarness(t, {
    api: failWith(429, "usage_limit_reached", 120),
  });
  await router.execute(task);
  pass(119_000);
  await router.execute(task);
  t.equal(api.requests.length, 1);
  pass(2_000);
  api.play(respond("new window"));
  t.equal((await router.execute(task)).route, "localhost_api");
});

t.test("connections are kept and used again", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  for (let round = 0; round < 20; round += 1) await router.execute(task);
  t.equal(api.requests.length, 20);
  // undici may open a second one while the first is still putting its last answer away.
  t.ok(api.connections <= 2, `${api.connections} connections`);
});

t.test("many tasks at once each get their own answer, without a warning", async (t) => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on("warning", listener);
  t.teardown(() => process.off("warning", listener));
  const { router } = await startSideTaskHarness(t, {
    api: (request, response) => respond(`answer to ${request.body.input}`)(request, response),
  });
  const inputs = Array.from({ length: 200 }, (_, index) => `task ${index}`);
  const results = await Promise.all(
    inputs.map((input) => router.execute({ taskClass: "normalization", input })),
  );
  t.strictSame(
    results.map(({ outputText }) => outputText),
    inputs.map((input) => `answer to ${input}`),
  );
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(warnings, []);
});

t.test("more tasks than may run at once are refused", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: hang, limits: { maxConcurrentTasks: 2 } });
  const running = [failureOf(router.execute(task)), failureOf(router.execute(task))];
  await api.received(2);
  const error = await failureOf(router.execute(task));
  t.match(error, { code: "overloaded", retryable: true, retryAfterMs: 1_000 });
  await router.destroy();
  t.strictSame(
    (await Promise.all(running)).map(({ code }) => code),
    ["closed", "closed"],
  );
});
