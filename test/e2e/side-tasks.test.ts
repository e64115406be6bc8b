/** Side tasks on the real thing: the service, a runtime and the app-server, with only the model played. */

import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import t, { type Test } from "tap";
import {
  CodexNativeApiSideTaskRouter,
  type CodexNativeApiSideTaskRouterOptions,
  readSideTaskSettings,
  type SideTaskRequest,
} from "../../src/main/index.js";
import { CodexDriver } from "../support/offline-backend/codex-driver.js";
import {
  delayed,
  httpError,
  type JsonObject,
  lastUserText,
  type OfflineBackend,
  stall,
  text,
  usageLimitReached,
} from "../support/offline-backend/index.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { failureOf } from "../support/side-task-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const intentSchema = {
  type: "object",
  properties: { intent: { enum: ["question", "command"] } },
  required: ["intent"],
  additionalProperties: false,
};

const classify: SideTaskRequest = {
  taskClass: "intent_classification",
  input: "open the garage",
  instructions: "Classify the intent.",
  outputSchema: intentSchema,
  metadata: { eventMetadata: { mark: "event-mark" }, threadMetadata: { mark: "thread-mark" } },
};

function createRouter(
  t: Test,
  url: string | null,
  options: Omit<CodexNativeApiSideTaskRouterOptions, "settings"> = {},
): CodexNativeApiSideTaskRouter {
  const prefix = "CODEXBRIDGE_INTERNAL_NATIVE_API_";
  const read = readSideTaskSettings(
    url === null ? {} : { [`${prefix}ENABLED`]: "1", [`${prefix}BASE_URL`]: url },
  );
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  const router = new CodexNativeApiSideTaskRouter({ settings: read.settings, ...options });
  t.teardown(() => router.destroy());
  return router;
}

t.test(
  "the service serves a task: schema enforced, answer checked, metadata kept from the model",
  async (t) => {
    const { backend, url } = await startServiceHarness(t);
    backend.setDefaultReply(text('{"intent":"command"}'));
    const router = createRouter(t, url);
    const result = await router.execute(classify);
    t.strictSame(result.output, { intent: "command" });
    t.match(result, {
      route: "localhost_api",
      responseId: /^resp_/,
      usage: { totalTokens: Number },
      native: { providerKind: "openai-native", threadId: String, turnId: String },
    });
    const [request] = backend.requests;
    t.match(request?.body.text, { format: { type: "json_schema", schema: intentSchema }, verbosity: "low" });
    t.match(request?.body.reasoning, { effort: "low" });
    t.notMatch(request?.bodyText, /event-mark|thread-mark|intent_classification/);
  },
);

t.test("the host's runtime runs the same task as the same model request", async (t) => {
  const { backend, url } = await startServiceHarness(t, { login: "provider" });
  const direct = await createRuntimeHarness(t);
  t.same(await direct.runtime.start(), { ready: true });
  for (const { setDefaultReply } of [backend, direct.backend].map(bindReply)) {
    setDefaultReply('{"intent":"question"}');
  }
  const overHttp = await createRouter(t, url).execute(classify);
  const inProcess = await createRouter(t, null, { runtime: direct.runtime }).execute(classify);
  t.equal(overHttp.route, "localhost_api");
  t.equal(inProcess.route, "direct_native");
  t.strictSame(inProcess.output, overHttp.output);
  t.strictSame(inProcess.usage, overHttp.usage);
  t.match(inProcess.native, { threadId: String, turnId: String });
  t.strictSame(shapeOf(direct.backend), shapeOf(backend));
});

function bindReply(backend: OfflineBackend) {
  return { setDefaultReply: (answer: string) => backend.setDefaultReply(text(answer)) };
}

/** What the model is asked, without ids of the moment. */
function shapeOf(backend: OfflineBackend): unknown {
  const request = backend.requests[0];
  const input = request?.fullInput.map(({ role, content }) => ({ role, content }));
  const { model, text: format, reasoning, tools } = request?.body ?? {};
  return { model, format, reasoning, tools, input };
}

t.test("failures of the real service fall through or end the task as the table says", async (t) => {
  const { backend, url } = await startServiceHarness(t);
  const direct = await createRuntimeHarness(t);
  t.same(await direct.runtime.start(), { ready: true });
  direct.backend.setDefaultReply(text("from the runtime"));
  const router = createRouter(t, url, { runtime: direct.runtime, limits: { circuitFailures: 100 } });
  const task = { taskClass: "normalization", input: "x" } as const;

  t.match(await failureOf(router.execute({ ...task, model: "no-such-model" })), {
    code: "bad_request",
    param: "model",
    routesTried: [{ outcome: "bad_request", code: "model_not_found" }],
  });
  backend.queueReply(text('{"intent":"poem"}'));
  t.match(await failureOf(router.execute({ ...task, outputSchema: intentSchema })), {
    code: "bad_output",
    outputText: '{"intent":"poem"}',
    routesTried: [{ outcome: "bad_output", code: "schema_mismatch" }],
  });
  backend.queueReply(httpError(400, { message: "no" }));
  t.match(await failureOf(router.execute(task)), { code: "bad_request" });
  t.equal(direct.backend.requests.length, 0, "none of these was run again");

  backend.setDefaultReply(stall());
  // Six seconds for the service, and the rest for the runtime: enough for either on a busy machine.
  const hasty = createRouter(t, url, { runtime: direct.runtime, limits: { routeShare: 0.2 } });
  t.match((await hasty.execute({ ...task, timeoutMs: 30_000 })).routesTried, [
    { outcome: "route_timeout" },
    { route: "direct_native", outcome: "served" },
  ]);
  // The turn that took too long.
  await checkInterrupted(t, backend.requests.at(-1));
  backend.setDefaultReply(usageLimitReached());
  t.match((await router.execute(task)).routesTried, [
    { outcome: "usage_limit", code: "usage_limit_reached" },
    { route: "direct_native", outcome: "served" },
  ]);
  t.match((await router.execute(task)).routesTried[0], { outcome: "skipped", code: "circuit_open" });
});

t.test("nobody logged in: the service says so, and the runtime is asked", async (t) => {
  const { url } = await startServiceHarness(t, { login: "none" });
  const direct = await createRuntimeHarness(t);
  t.same(await direct.runtime.start(), { ready: true });
  const router = createRouter(t, url, { runtime: direct.runtime });
  const result = await router.execute({ taskClass: "normalization", input: "x" });
  t.match(result.routesTried, [
    { route: "localhost_api", outcome: "unhealthy", code: /native_/ },
    { route: "direct_native", outcome: "served" },
  ]);
});

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

t.test("a service that ends in the middle of a task and comes back", async (t) => {
  const port = await findFreePort();
  const { backend, service, url } = await startServiceHarness(t, {
    env: { CODEX_NATIVE_API_PORT: String(port) },
  });
  const direct = await createRuntimeHarness(t);
  t.same(await direct.runtime.start(), { ready: true });
  let passedMs = 0;
  const router = createRouter(t, url, {
    runtime: direct.runtime,
    limits: { circuitFailures: 1 },
    now: () => performance.now() + passedMs,
  });
  const task = { taskClass: "side_reasoning", input: "think" } as const;
  backend.setDefaultReply(stall());
  const running = router.execute(task);
  await backend.waitForRequest();
  await service.destroy();
  const rescued = await running;
  t.match(rescued.routesTried, [{ outcome: /connection_lost|unhealthy/ }, { outcome: "served" }]);
  t.match((await router.execute(task)).routesTried[0], { outcome: "skipped", code: "circuit_open" });

  backend.setDefaultReply(text("back"));
  await service.start();
  await pollUntil(() => service.health()?.readiness.ready === true);
  passedMs = 11_000;
  t.match(await router.execute(task), { route: "localhost_api", outputText: "back" });
});

/** A conversation of the host's own, as a chat bridge has one: a lasting thread in the user's home. */
async function startConversation(t: Test, home: string, backend: OfflineBackend) {
  const driver = await CodexDriver.start(home, backend.environment());
  t.teardown(() => driver.stop());
  const { thread } = await driver.call("thread/start", { cwd: home });
  const threadId = typeof thread === "object" && thread !== null && "id" in thread ? String(thread.id) : "";
  return {
    threadId,
    say: (words: string) => driver.runTurn(threadId, words),
    read: async () => (await driver.call("thread/read", { threadId, includeTurns: true })).thread,
    list: async () => (await driver.call("thread/list")).data,
  };
}

/** Role and words, without what Codex adds to a thread by itself. */
function wordsOf(items: readonly JsonObject[]): readonly string[] {
  return items.flatMap(({ role, content }) => {
    const parts = Array.isArray(content) ? content : [];
    const words = parts.map((part) =>
      typeof part === "object" && part !== null && "text" in part ? part.text : "",
    );
    const said = words.join("");
    return /^host|^reply/.test(said) ? [`${role}: ${said}`] : [];
  });
}

t.test("the host's own conversation is the same before, during and after side tasks", async (t) => {
  const { backend, url, userHome, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.setDefaultReply((request) => {
    const said = lastUserText(request);
    if (said === "host two") return delayed(600, text("reply to host two"));
    return text(said.startsWith("host") ? `reply to ${said}` : "side answer");
  });
  const conversation = await startConversation(t, userHome, backend);
  await conversation.say("host one");
  const before = await conversation.read();
  t.match(JSON.stringify(before), /host one.*reply to host one/);
  const router = createRouter(t, url);
  const sideTask = (index: number) =>
    router.execute({ taskClass: "small_verification", input: `side task ${index}` });

  for (let index = 0; index < 3; index += 1) t.equal((await sideTask(index)).outputText, "side answer");
  t.strictSame(await conversation.read(), before, "side tasks alone change nothing");

  const second = conversation.say("host two");
  await backend.waitForRequest((request) => lastUserText(request) === "host two");
  const during = await Promise.all([3, 4, 5].map(sideTask));
  t.ok(during.every(({ outputText, route }) => outputText === "side answer" && route === "localhost_api"));
  await second;
  await sideTask(6);
  await conversation.say("host three");

  const requests = backend.requests;
  const last = requests.findLast((request) => lastUserText(request) === "host three");
  t.strictSame(wordsOf(last?.fullInput ?? []), [
    "user: host one",
    "assistant: reply to host one",
    "user: host two",
    "assistant: reply to host two",
    "user: host three",
  ]);
  t.notMatch(JSON.stringify(await conversation.read()), /side task|side answer/);
  t.match(await conversation.list(), [{ id: conversation.threadId }]);
  const sideRequests = requests.filter((request) => lastUserText(request).startsWith("side"));
  t.equal(sideRequests.length, 7);
  t.ok(
    sideRequests.every(({ bodyText }) => !/host (one|two|three)/.test(bodyText)),
    "nor the other way round",
  );
  const files = await readdir(userHome, { recursive: true });
  t.equal(
    files.filter((name) => /rollout-.*\.jsonl$/.test(name)).length,
    1,
    "one thread on disk: the host's",
  );
});
