import t from "tap";
import { newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";
import { fakeModels, readyHealth } from "../support/fake-runtime.js";
import { call, namedToken, serveFake } from "../support/http-fixture.js";

const loginRequired = {
  ...readyHealth,
  account: null,
  readiness: { ready: false, error: { code: "native_login_required", message: "Run `codex login`." } },
} as const;

t.test("the catalog is listed as OpenAI lists models", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/models");
  t.equal(answer.status, 200);
  t.match(answer.json(), {
    object: "list",
    data: [
      {
        id: "gpt-fake",
        object: "model",
        created: Number,
        owned_by: "openai",
        display_name: "GPT-FAKE",
        default: true,
        capabilities: {
          supported_reasoning_efforts: ["low", "medium", "high"],
          default_reasoning_effort: "medium",
        },
        native_api: {
          route_path: "/v1/models",
          is_default: true,
          supported_reasoning_efforts: ["low", "medium", "high"],
        },
      },
      { id: "gpt-fake-mini", default: false, native_api: { is_default: false } },
    ],
    native_api: { route_path: "/v1/models", request_target: { account_id: "acct_1", worker_id: null } },
  });
});

t.test("exactly one model is the default, whatever the catalog and the configuration say", async (t) => {
  const token = namedToken("mini", "token-for-mini-123456", { models: ["gpt-fake-mini"] });
  const fixture = await serveFake(t, { tokens: [token], authToken: "s3cret" });
  const defaults = async (secret: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${secret}` };
    const { data } = (await call(fixture, "/v1/models", { headers })).json() as {
      data: { id: string; default: boolean }[];
    };
    return data.filter((model) => model.default).map(({ id }) => id);
  };
  t.strictSame(await defaults("s3cret"), ["gpt-fake"]);
  t.strictSame(await defaults("token-for-mini-123456"), ["gpt-fake-mini"]);
  fixture.runtime.models = fakeModels.map((model) => ({ ...model, isDefault: true }));
  t.strictSame(await defaults("s3cret"), ["gpt-fake"]);
  fixture.runtime.models = fakeModels.map((model) => ({ ...model, isDefault: false }));
  t.strictSame(await defaults("s3cret"), ["gpt-fake"]);
  const catalog = (defaultModel: string) => ({ ...readyHealth, catalog: { models: 2, defaultModel } });
  fixture.runtime.currentHealth = catalog("gpt-fake-mini");
  t.strictSame(await defaults("s3cret"), ["gpt-fake-mini"]);
  const headers = { authorization: "Bearer s3cret" };
  t.match((await call(fixture, "/v1/models/gpt-fake-mini", { headers })).json(), { default: true });
  fixture.runtime.currentHealth = catalog("a-model-of-its-own");
  t.strictSame(await defaults("s3cret"), ["gpt-fake"]);
});

t.test("one model is found by its id", async (t) => {
  const fixture = await serveFake(t);
  t.match((await call(fixture, "/v1/models/gpt-fake-mini")).json(), { id: "gpt-fake-mini", object: "model" });
  const answer = await call(fixture, "/v1/models/gpt-none");
  t.equal(answer.status, 404);
  t.match(answer.json(), { error: { code: "model_not_found", param: "model" } });
});

t.test("without a login there is no catalog, and the error says what to do", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.currentHealth = loginRequired;
  const answer = await call(fixture, "/v1/models");
  t.equal(answer.status, 503);
  t.match(answer.json(), { error: { code: "native_login_required", message: /codex login/ } });
});

t.test("health tells what there is", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/health");
  t.equal(answer.status, 200);
  t.match(answer.json(), {
    object: "health.check",
    status: "ok",
    version: "0.0.0-test",
    localhost_only: true,
    native_api: { route_path: "/v1/health" },
    route_capabilities: {
      responses: true,
      responses_websocket: true,
      responses_custom_tools: true,
      responses_compact: false,
      chat_completions_custom_tools: true,
    },
    continuation_registry: {
      kind: "in_memory",
      persistence: "in_process",
      survives_process_restart: false,
      entries: 0,
    },
    native_runtime: {
      ready: true,
      runtime_reachable: true,
      model_count: 2,
      reason: null,
      account: { id: "acct_1", email: "user@example.com", plan: "plus", auth_mode: "chatgpt" },
      rate_limits: { primary: { used_percent: 12 } },
      codex_version: newestTestedCodex,
      app_server: {
        generation: 4,
        pid: 4242,
        rss_bytes: 150_000_000,
        idle_cpu_percent: 0.1,
        last_rotation: { reason: "memory", at: 1_790_000_000 },
        restarts: 0,
        uptime_ms: 1000,
        loaded_threads: 0,
      },
      workers: [{ id: "worker-1", state: "ready", turns: 0, last_report_age_ms: 10 }],
      queue: { depth: 0, running: 0 },
      spare_threads: { ready: 1, taken: 5, missed: 2, discarded: 1 },
      upstream_limits: { limits: [{ model: null, limit: 6, running: 2, refused_at: 7 }], refusals: 3 },
    },
  });
});

t.test("health tells when Codex was last heard of, and whether it is there without a login", async (t) => {
  const fixture = await serveFake(t);
  const read = async () => {
    const { native_runtime: told } = (await call(fixture, "/v1/health")).json() as {
      native_runtime: { checked_at: number };
    };
    return told;
  };
  fixture.runtime.currentHealth = loginRequired;
  const before = Date.now();
  const connected = await read();
  t.match(connected, { ready: false, runtime_reachable: true });
  t.ok(connected.checked_at >= before - 10 && connected.checked_at <= Date.now() - 10, "the worker's report");
  fixture.runtime.currentHealth = { ...loginRequired, workers: [], catalog: null };
  const alone = await read();
  t.match(alone, { runtime_reachable: false, model_count: null });
  t.ok(alone.checked_at >= before && alone.checked_at <= Date.now(), "now");
});

t.test("a worker short or a feature missing is degraded, and still 200", async (t) => {
  const fixture = await serveFake(t);
  const worker = readyHealth.workers[0];
  t.ok(worker);
  if (worker === undefined) return;
  fixture.runtime.currentHealth = { ...readyHealth, workers: [{ ...worker, state: "connecting" }] };
  t.match(await call(fixture, "/v1/health"), { status: 200 });
  t.match((await call(fixture, "/v1/health")).json(), { status: "degraded" });
  fixture.runtime.currentHealth = { ...readyHealth, degraded: ["exact_usage"] };
  t.match((await call(fixture, "/v1/health")).json(), {
    status: "degraded",
    native_runtime: { degraded: ["exact_usage"] },
  });
});

t.test("without Codex health is 503 and says why", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.currentHealth = loginRequired;
  const answer = await call(fixture, "/v1/health");
  t.equal(answer.status, 503);
  t.match(answer.json(), {
    status: "unavailable",
    native_runtime: {
      ready: false,
      reason: { code: "native_login_required", message: /codex login/ },
      account: null,
    },
  });
});

t.test("polls of health are logged at debug, and what is refused of them at info", async (t) => {
  const fixture = await serveFake(t, { authToken: "s3cret" });
  const headers = { authorization: "Bearer s3cret" };
  for (const path of ["/livez", "/readyz", "/v1/health"]) await call(fixture, path, { headers });
  fixture.runtime.currentHealth = loginRequired;
  for (const path of ["/readyz", "/v1/health"]) await call(fixture, path, { headers });
  await call(fixture, "/v1/health");
  await call(fixture, "/v1/models", { headers });
  const lines = fixture.lines.filter(({ event }) => event === "http.request");
  const debug = 20;
  t.strictSame(
    lines.map(({ route, status, level }) => [route, status, Number(level) > debug]),
    [
      ["/livez", 200, false],
      ["/readyz", 200, false],
      ["/v1/health", 200, false],
      ["/readyz", 503, false],
      ["/v1/health", 503, false],
      ["/v1/health", 401, true],
      ["/v1/models", 503, true],
    ],
  );
});

t.test("the probes say a word and nothing else", async (t) => {
  const fixture = await serveFake(t);
  t.match(await call(fixture, "/livez"), { status: 200, text: "ok\n" });
  t.match(await call(fixture, "/readyz"), { status: 200, text: "ready\n" });
  fixture.runtime.currentHealth = loginRequired;
  t.match(await call(fixture, "/livez"), { status: 200, text: "ok\n" });
  t.match(await call(fixture, "/readyz"), { status: 503, text: "not ready\n" });
});
