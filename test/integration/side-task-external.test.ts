/** What leaves this machine: for each way in which the native routes fail, the bytes that reach the external provider. */
import { pino } from "pino";
import t, { type Test } from "tap";
import { errorKinds, isErrorCode } from "../../src/main/errors.js";
import type { SideTaskService } from "../../src/main/side-tasks/direct-route.js";
import {
  allExternalReasons,
  defaultExternalReasons,
  type ExternalReason,
  externalReasons,
  type ProviderDialect,
  providerDialects,
  reasonOfFailure,
} from "../../src/main/side-tasks/external-reasons.js";
import { fallThroughTable } from "../../src/main/side-tasks/fall-through.js";
import type { SideTaskLimits } from "../../src/main/side-tasks/limits.js";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import type { ExternalProvider, LocalApiSettings, SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { FakeRuntime, failure } from "../support/fake-runtime.js";
import { failWith, hang, ScriptedListener } from "../support/scripted-listener.js";
import { answerInDialect, failureOf, respond } from "../support/side-task-harness.js";
import { rows } from "../support/side-task-rows.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "a private sentence" };

interface Options {
  readonly when?: readonly ExternalReason[] | undefined;
  readonly localApi?: Partial<LocalApiSettings> | null;
  readonly runtime?: FakeRuntime;
  readonly service?: SideTaskService;
  readonly dialect?: ProviderDialect;
  readonly limits?: Partial<SideTaskLimits>;
  readonly now?: () => number;
}

/** The service on `api`, no runtime unless given, and a provider that counts. */
async function start(
  t: Test,
  api: ScriptedListener,
  { when, dialect, localApi = {}, ...rest }: Options = {},
) {
  const provider = await ScriptedListener.start(t, answerInDialect('{"intent":"question"}'));
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: "info" }, { write: (line) => lines.push(JSON.parse(line)) });
  const external: ExternalProvider = {
    baseUrl: `${provider.url}/v1`,
    apiKey: null,
    model: "m",
    ...(when !== undefined && { when }),
    ...(dialect !== undefined && { dialect }),
  };
  const local = { baseUrl: api.url, authToken: null, taskClasses: sideTaskClasses, timeoutMs: null };
  const router = new CodexNativeApiSideTaskRouter({
    settings: { localApi: localApi === null ? null : { ...local, ...localApi }, external },
    limits: { circuitFailures: 1, blamedTimeoutMs: 0 },
    logger,
    ...rest,
  });
  t.teardown(() => router.destroy());
  const logged = (name: string) => lines.filter(({ event }) => event === name);
  const sends = () => logged("side_task.external_send");
  return { router, provider, external, sends, logged };
}

for (const row of rows) {
  const reason = reasonOfFailure(row.failure, row.code);
  const isSent = reason !== null && externalReasons[reason].byDefault;
  t.test(`${row.failure} (${row.code}): ${isSent ? "sent" : "not a byte leaves"}`, async (t) => {
    const api = await ScriptedListener.start(t, row.api);
    const request = { ...task, ...row.request };
    // Where a timeout may send, the provider needs time for its answer.
    const long = { ...request, ...(row.request?.timeoutMs !== undefined && { timeoutMs: 5_000 }) };
    const isOwnTimeout = row.code === "route_timeout";
    for (const dialect of providerDialects) {
      const { router, provider, sends } = await start(t, api, { dialect });
      // Once for the failure, once for the circuit that it opened.
      for (const round of ["first", "second"]) {
        const before = provider.bytes;
        const served = await router.execute(request).catch(() => null);
        t.equal(served?.route, isSent ? "external_provider" : undefined, round);
        t.equal(provider.bytes > before, isSent, `${dialect}, ${round}: ${provider.bytes} bytes`);
      }
      const send = { reasons: [reason], provider: provider.url, model: "m" };
      t.match(sends(), isSent ? [send, send] : []);
      t.equal(sends().length, isSent ? 2 : 0);
      const path = dialect === "chat" ? "/v1/chat/completions" : "/v1/responses";
      t.ok(provider.requests.every((sent) => sent.path === path));
    }

    const { next } = fallThroughTable[row.failure];
    const named = await start(t, api, { when: reason === null ? allExternalReasons : [reason] });
    await named.router.execute(long).catch(() => null);
    t.equal(named.provider.bytes > 0, next, "the host may name every reason that does not end the task");

    const rest = allExternalReasons.filter((name) => name !== reason);
    const others = await start(t, api, { when: rest });
    for (const _round of ["failure", "circuit"]) {
      const error = await failureOf(others.router.execute(request));
      // A route that nothing follows gets all of the time, and so ends with the task's own timeout.
      if (next && !isOwnTimeout)
        t.match(error.routesTried.at(-1), { outcome: "skipped", code: "not_allowed" });
    }
    t.equal(others.provider.bytes, 0, "and no other reason stands for it");

    const fallback = { ...others.external, when: allExternalReasons };
    const fresh = await start(t, api, { when: [] });
    await fresh.router.execute({ ...long, fallback }).catch(() => null);
    t.equal(others.provider.bytes > 0, next, "a task may bring its own provider along");
    t.equal(fresh.provider.bytes, 0);
  });
}

t.test("in the host's own process each code sends as it does over HTTP", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  const tried = new Set<string>();
  for (const { failure: row, code } of rows) {
    if (!isErrorCode(code) || tried.has(code)) continue;
    tried.add(code);
    const reason = reasonOfFailure(row, code);
    const isSent = reason !== null && externalReasons[reason].byDefault;
    const runtime = new FakeRuntime();
    runtime.script = async () => {
      throw failure(code);
    };
    for (const host of [{ runtime }, { service: { runtime } }]) {
      const { router, provider, sends } = await start(t, api, { localApi: null, ...host });
      for (const _round of ["failure", "circuit"]) await router.execute(task).catch(() => null);
      t.equal(provider.bytes > 0, isSent, `${code}: ${provider.bytes} bytes`);
      t.match(sends(), isSent ? [{ reasons: [reason] }, { reasons: [reason] }] : []);
    }
  }
  t.strictSame([...tried].sort(), Object.keys(errorKinds).sort());
  const { router, sends } = await start(t, api, { service: { runtime: null } });
  t.match(await router.execute(task), { route: "external_provider" });
  t.match(sends(), [{ reasons: ["unreachable"] }], "the embedded service is stopped");
  t.equal(api.connections, 0);
});

t.test("unreachable: sent, also while the circuit is open", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  await api.die();
  const { router, sends } = await start(t, api);
  for (const code of ["ECONNREFUSED", "circuit_open"])
    t.match(await router.execute(task), { route: "external_provider", routesTried: [{ code }, {}, {}] });
  t.match(sends(), [{ reasons: ["unreachable"] }, { reasons: ["unreachable"] }]);
  const kept = await start(t, api, { when: ["usage_limit"] });
  for (const _round of ["failure", "circuit"])
    t.match((await failureOf(kept.router.execute(task))).routesTried[2], { code: "not_allowed" });
  t.equal(kept.provider.bytes, 0);
});

t.test("a connection that fails for want of this machine's own means sends nothing", async (t) => {
  for (const code of ["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT", "EMFILE", "ENFILE", "ENOBUFS"])
    t.equal(reasonOfFailure("unreachable", code), "overloaded", code);
  t.equal(reasonOfFailure("unreachable", "ECONNREFUSED"), "unreachable");
});

t.test("while a trial runs for long, native is in reach: tasks go there and not away", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  let passedMs = 0;
  const { router, provider } = await start(t, api, { now: () => performance.now() + passedMs });
  await api.die();
  t.equal((await router.execute(task)).route, "external_provider");
  await api.listen();
  passedMs = 11_000;
  const trial = failureOf(router.execute({ ...task, taskClass: "side_reasoning" }));
  await api.received(1);
  api.play(respond("native"));
  passedMs = 22_000;
  const before = provider.bytes;
  t.equal((await router.execute(task)).route, "localhost_api");
  t.equal(provider.bytes, before);
  await router.destroy();
  t.equal((await trial).code, "closed");
});

t.test("a provider's URL is used as it was read, whatever stands around it", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  for (const form of ["/v1 ", "/v1/?", "/v1?", "/v1#", " /v1//"]) {
    const { router, provider } = await start(t, api, { localApi: null });
    const around = form.startsWith(" ") ? " " : "";
    const external = { baseUrl: `${around}${provider.url}${form.trimStart()}`, apiKey: null, model: "m" };
    t.equal((await router.execute({ ...task, fallback: external })).route, "external_provider");
    t.equal(provider.requests[0]?.path, "/v1/chat/completions", JSON.stringify(form));
  }
});

t.test("a task that ran out of time opens a circuit that sends nothing", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  // Each look at the clock is a millisecond: what is told goes by it, however long a busy machine takes.
  let looks = 0;
  const now = (): number => {
    looks += 1;
    return looks;
  };
  const { router, provider } = await start(t, api, { now });
  const hasty = { ...task, timeoutMs: 200 };
  const late = await failureOf(router.execute(hasty));
  t.equal(late.code, "timeout");
  t.match(late.routesTried[0], { route: "localhost_api", code: "timeout" });
  t.ok(late.routesTried[0]?.ms, "how long it was tried is told");
  t.match(await failureOf(router.execute(hasty)), {
    code: "routes_exhausted",
    routesTried: [{ code: "circuit_open" }, {}, { code: "not_allowed" }],
  });
  t.equal(provider.bytes, 0);
});

t.test("cancelled and closed: nothing is sent", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  const { router, provider } = await start(t, api, { when: allExternalReasons });
  const running = router.execute({ ...task, signal: AbortSignal.timeout(50) });
  t.equal((await failureOf(running)).code, "cancelled");
  const last = failureOf(router.execute(task));
  await api.received(2);
  await router.destroy();
  t.equal((await last).code, "closed");
  t.equal(provider.bytes, 0);
});

t.test("native is two routes: one that is only busy keeps the task here", async (t) => {
  const api = await ScriptedListener.start(t, failWith(503, "native_login_required"));
  const runtime = new FakeRuntime();
  runtime.script = async () => {
    throw failure("queue_full");
  };
  const { router, provider, sends } = await start(t, api, { runtime, limits: { circuitFailures: 9 } });
  t.match((await failureOf(router.execute(task))).routesTried, [
    { outcome: "unhealthy" },
    { outcome: "overloaded" },
    { outcome: "skipped", code: "not_allowed" },
  ]);
  t.equal(provider.bytes, 0);
  runtime.script = async () => {
    throw failure("native_runtime_unavailable");
  };
  t.equal((await router.execute(task)).route, "external_provider");
  t.match(sends(), [{ reasons: ["not_logged_in", "unreachable"] }]);
});

t.test("a Codex that restarts is not out of reach: not a byte leaves, unless the host says so", async (t) => {
  const api = await ScriptedListener.start(t, failWith(503, "native_runtime_unavailable", 1));
  const runtime = new FakeRuntime();
  runtime.script = async () => {
    throw failure("native_runtime_unavailable", 1_000);
  };
  const { router, provider } = await start(t, api, { runtime });
  for (const codes of [["native_runtime_unavailable"], ["circuit_open"]]) {
    const error = await failureOf(router.execute(task));
    t.match(error.routesTried, [{ code: codes[0] }, { code: codes[0] }, { code: "not_allowed" }]);
  }
  t.equal(provider.bytes, 0);
  const named = await start(t, api, { when: ["restarting"] });
  t.equal((await named.router.execute(task)).route, "external_provider");
  t.match(named.sends(), [{ reasons: ["restarting"] }]);
});

t.test("a circuit remembers every failure that opened it, and after a trial only that one", async (t) => {
  const api = await ScriptedListener.start(t, failWith(503, "server_overloaded"));
  let passedMs = 0;
  const { router, provider } = await start(t, api, {
    limits: { circuitFailures: 2 },
    now: () => performance.now() + passedMs,
  });
  await failureOf(router.execute(task));
  await api.die();
  t.equal((await router.execute(task)).route, "external_provider", "this task met nobody");
  const before = provider.bytes;
  t.match((await failureOf(router.execute(task))).routesTried[0], { code: "circuit_open" });
  t.equal(provider.bytes, before, "the circuit was opened by an overload too");
  passedMs = 11_000;
  t.equal((await router.execute(task)).route, "external_provider", "the trial met nobody");
  t.match((await router.execute(task)).routesTried[0], { code: "circuit_open" });
});

t.test("a provider without any native route is the host's choice; an ineligible task is not", async (t) => {
  const api = await ScriptedListener.start(t, respond("native"));
  const alone = await start(t, api, { localApi: null });
  t.equal((await alone.router.execute(task)).route, "external_provider");
  t.match(alone.sends(), [{ reasons: ["no_native_route"] }]);
  t.match(alone.logged("side_task.external_only"), [{ level: 40, provider: alone.provider.url }]);
  const kept = await start(t, api, { localApi: null, when: ["unreachable"] });
  t.match(await failureOf(kept.router.execute(task)), { code: "no_route" });
  t.equal(kept.provider.bytes, 0);
  t.strictSame(kept.logged("side_task.external_only"), []);

  const picky = await start(t, api, { localApi: { taskClasses: ["side_reasoning"] } });
  for (const request of [task, { ...task, taskClass: "side_reasoning", provider: "other" } as const])
    t.match((await failureOf(picky.router.execute(request))).routesTried[2], { code: "not_allowed" });
  t.equal(picky.provider.bytes, 0);
  const named = await start(t, api, { localApi: { taskClasses: [] }, when: ["not_eligible"] });
  t.equal((await named.router.execute(task)).route, "external_provider");
  t.match(named.sends(), [{ reasons: ["not_eligible"] }]);
});

t.test("a route keeps all its time where a timeout would send nothing", async (t) => {
  const api = await ScriptedListener.start(t, hang);
  const { router } = await start(t, api, { when: ["unreachable"] });
  const late = await failureOf(router.execute({ ...task, timeoutMs: 300 }));
  t.equal(late.code, "timeout");
  t.match(late.routesTried[0], { outcome: "timeout", code: "timeout" }, "the task's time, no share of it");
  const patient = await start(t, api, { when: ["route_timeout"] });
  t.equal((await patient.router.execute({ ...task, timeoutMs: 5_000 })).route, "external_provider");
});

t.test("every reason is tried above", async (t) => {
  const tried = new Set(rows.map(({ failure, code }) => reasonOfFailure(failure, code)));
  t.strictSame(
    allExternalReasons.filter((reason) => !tried.has(reason)),
    ["no_native_route", "restarting", "not_eligible"],
  );
  t.strictSame(defaultExternalReasons, ["unreachable", "not_logged_in", "usage_limit", "no_native_route"]);
});

t.test("settings of the wrong shape name their field", async (t) => {
  const provider = { baseUrl: "http://127.0.0.1:9", apiKey: null, model: "m" };
  const wrong: readonly (readonly [object, string])[] = [
    [{ when: ["bad_output"] }, "when"],
    [{ when: "all" }, "when"],
    [{ when: [7] }, "when"],
    [{ dialect: "constructor" }, "dialect"],
    [{ dialect: null }, "dialect"],
    [{ schemaIn: "json" }, "schemaIn"],
    [{ apiKey: undefined }, "apiKey"],
    [{ model: undefined }, "model"],
    [{ baseUrl: 7 }, "baseUrl"],
  ];
  for (const [change, field] of wrong) {
    const external = { ...provider, ...change } as ExternalProvider;
    t.throws(() => new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external } }), {
      code: "bad_request",
      param: `settings.external.${field}`,
    });
    const router = new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external: null } });
    t.match(await failureOf(router.execute({ ...task, fallback: external })), {
      code: "bad_request",
      param: `fallback.${field}`,
    });
    await router.close();
  }
});
