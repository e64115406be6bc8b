import t from "tap";
import { newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";
import { readyHealth } from "../support/fake-runtime.js";
import { call, serveFake } from "../support/http-fixture.js";

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
        native_api: {
          route_path: "/v1/models",
          is_default: true,
          supported_reasoning_efforts: ["low", "medium", "high"],
        },
      },
      { id: "gpt-fake-mini", native_api: { is_default: false } },
    ],
    native_api: { route_path: "/v1/models", request_target: { account_id: "acct_1", worker_id: null } },
  });
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
    route_capabilities: { responses: true, responses_compact: false },
    continuation_registry: { kind: "in_memory", persistence: "in_process", entries: 0 },
    native_runtime: {
      ready: true,
      reason: null,
      account: { id: "acct_1", email: "user@example.com", plan: "plus", auth_mode: "chatgpt" },
      rate_limits: { primary: { used_percent: 12 } },
      codex_version: newestTestedCodex,
      app_server: {
        generation: 4,
        pid: 4242,
        rss_bytes: 150_000_000,
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
