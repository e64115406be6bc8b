/** Decisions of the router on the real thing: the service, a runtime and the app-server, with only the model played. */
import t, { type Test } from "tap";
import {
  CodexNativeApiSideTaskRouter,
  type CodexNativeApiSideTaskRouterOptions,
  type SideTaskEvent,
} from "../../src/main/index.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import { choiceOf, predicate, scoreOf } from "../support/decisions.js";
import { embedService, prepareHost } from "../support/host-harness.js";
import { decide } from "../support/offline-backend/decisions.js";
import { type OfflineBackend, stall, text, usageLimitReached } from "../support/offline-backend/index.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { ScriptedListener } from "../support/scripted-listener.js";
import { startServiceHarness } from "../support/service-harness.js";
import { answerInDialect, failureOf } from "../support/side-task-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const questions = [predicate, choiceOf("billing", "support"), scoreOf("low", "middle", "high")];
const ask = {
  input: "I was charged twice.",
  questions,
  metadata: { eventMetadata: { mark: "event-mark" } },
};

const expected = [
  { type: "predicate", name: "p", probability: 0.75 },
  { type: "choice", name: "c", choice: "support" },
  { type: "score", name: "s", score: 1 },
];

function createRouter(
  t: Test,
  url: string | null,
  options: Omit<CodexNativeApiSideTaskRouterOptions, "settings"> = {},
): CodexNativeApiSideTaskRouter {
  const localApi =
    url === null ? null : { baseUrl: url, authToken: null, taskClasses: sideTaskClasses, timeoutMs: null };
  const router = new CodexNativeApiSideTaskRouter({ settings: { localApi, external: null }, ...options });
  t.teardown(() => router.destroy());
  return router;
}

/** What the model is asked, without ids of the moment. */
function shapeOf(backend: OfflineBackend): unknown {
  const request = backend.requests.findLast(({ isWarmup }) => !isWarmup);
  const input = request?.fullInput.map(({ role, content }) => ({ role, content }));
  const { model, text: format, reasoning, tools, instructions } = request?.body ?? {};
  return { model, format, reasoning, tools, instructions, input };
}

t.test(
  "over HTTP and in process a decision is the same request to the model, with the same answers",
  async (t) => {
    const { backend, url } = await startServiceHarness(t);
    const direct = await createRuntimeHarness(t, { login: "chatgpt" });
    t.same(await direct.runtime.start(), { ready: true });
    for (const each of [backend, direct.backend]) each.setDefaultReply(decide);
    const events: SideTaskEvent[] = [];
    const http = createRouter(t, url, { onEvent: (event) => events.push(event) });
    const inProcess = createRouter(t, null, { runtime: direct.runtime });

    const overHttp = await http.decide(ask);
    t.match(overHttp, {
      answers: expected,
      method: "stated",
      route: "localhost_api",
      usage: { totalTokens: 19 },
      native: { providerKind: "openai-native", threadId: String, turnId: String },
    });
    const directly = await inProcess.decide(ask);
    t.equal(directly.route, "direct_native");
    t.strictSame(directly.answers, overHttp.answers);
    t.strictSame(directly.usage, overHttp.usage);
    t.equal(directly.model, overHttp.model);
    t.strictSame(shapeOf(direct.backend), shapeOf(backend));
    t.match(shapeOf(backend), { reasoning: { effort: "low" } });
    t.notMatch(backend.requests.at(-1)?.bodyText, /event-mark|small_verification/);

    await http.decide({ ...ask, effort: "medium" });
    await inProcess.decide({ ...ask, effort: "medium" });
    t.match(shapeOf(backend), { reasoning: { effort: "medium" } });
    t.strictSame(shapeOf(direct.backend), shapeOf(backend));

    t.match(events, [
      { type: "route_tried", call: "decide", route: "localhost_api", outcome: "served" },
      { type: "task_ended", call: "decide", route: "localhost_api", outcome: "served" },
      {},
      {},
    ]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    t.match(metrics, /requests_total\{[^}]*route="\/v1\/decisions"[^}]*\} 2/);
  },
);

t.test("the service's own refusals name the field, and none is asked again", async (t) => {
  const { backend, url } = await startServiceHarness(t);
  const direct = await createRuntimeHarness(t, { login: "chatgpt" });
  t.same(await direct.runtime.start(), { ready: true });
  for (const each of [backend, direct.backend]) each.setDefaultReply(text("no JSON"));
  const router = createRouter(t, url, { runtime: direct.runtime });
  t.match(await failureOf(router.decide({ ...ask, model: "no-such-model" })), {
    code: "bad_request",
    param: "model",
    routesTried: [{ outcome: "bad_request", code: "model_not_found" }],
  });
  t.match(await failureOf(router.decide(ask)), {
    code: "bad_output",
    routesTried: [{ outcome: "bad_output", code: "invalid_model_output" }],
  });
  t.equal(direct.backend.requests.length, 0);
  const own = createRouter(t, null, { runtime: direct.runtime });
  t.match(await failureOf(own.decide({ ...ask, model: "no-such-model" })), {
    code: "bad_request",
    param: "model",
    routesTried: [{}, { outcome: "bad_request", code: "model_not_found" }],
  });
  t.match(await failureOf(own.decide(ask)), { code: "bad_output", outputText: "no JSON" });
});

t.test("a decision that is aborted interrupts its turn, over HTTP and in process", async (t) => {
  const { backend, url } = await startServiceHarness(t);
  const direct = await createRuntimeHarness(t);
  t.same(await direct.runtime.start(), { ready: true });
  for (const [router, { backend: model }] of [
    [createRouter(t, url), { backend }],
    [createRouter(t, null, { runtime: direct.runtime }), direct],
  ] as const) {
    model.setDefaultReply(stall());
    const controller = new AbortController();
    const running = failureOf(router.decide({ ...ask, signal: controller.signal }));
    const request = await model.waitForRequest(({ isWarmup }) => !isWarmup);
    controller.abort();
    t.equal((await running).code, "cancelled");
    await checkInterrupted(t, request);
  }
});

t.test("beside an embedded service a decision runs on its runtime, through restarts", async (t) => {
  const host = await prepareHost(t);
  host.backend.setDefaultReply(decide);
  const service = embedService(t, host);
  const router = createRouter(t, null, { service });
  t.match((await failureOf(router.decide(ask))).routesTried, [
    { code: "in_process" },
    { code: "service_stopped" },
    {},
  ]);
  await service.start();
  t.same(await service.untilSettled(), { ready: true });
  t.match(await router.decide(ask), { route: "direct_native", answers: expected });
  await service.restart();
  t.same(await service.untilSettled(), { ready: true });
  t.match(await router.decide(ask), { route: "direct_native", answers: expected });
});

t.test("a plan that is used up sends a decision to the provider, if the host's policy says so", async (t) => {
  const { backend, url } = await startServiceHarness(t);
  backend.setDefaultReply(usageLimitReached());
  const said = JSON.stringify({
    q001: 0.75,
    q002: { v00: 0.1, v01: 0.9 },
    q003: { v00: 0.05, v01: 0.9, v02: 0.05 },
  });
  const provider = await ScriptedListener.start(t, answerInDialect(said));
  const external = { baseUrl: `${provider.url}/v1`, apiKey: null, model: "m" };
  const router = createRouter(t, url);
  const kept = await failureOf(router.decide({ ...ask, fallback: { ...external, when: ["unreachable"] } }));
  t.match(kept, {
    code: "routes_exhausted",
    routesTried: [{ outcome: "usage_limit" }, {}, { code: "not_allowed" }],
  });
  t.equal(provider.bytes, 0);
  t.match(await router.decide({ ...ask, fallback: external }), {
    route: "external_provider",
    answers: expected,
    native: null,
  });
});
