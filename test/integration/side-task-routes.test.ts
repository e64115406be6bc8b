/** What each route of the router is sent, and what it makes of the answer. */
import t from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { SideTaskFailure } from "../../src/main/side-tasks/fall-through.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failure, messageItem } from "../support/fake-runtime.js";
import { answerRaw, failWith, type ListenerScript } from "../support/scripted-listener.js";
import {
  answerDirectly,
  complete,
  failureOf,
  respond,
  startSideTaskHarness,
} from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "  heLLo " };

const intentSchema = {
  type: "object",
  properties: { intent: { enum: ["question", "command"] } },
  required: ["intent"],
  additionalProperties: false,
};

t.test("the service is sent the task as a request that is not stored, with its metadata", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  const result = await router.execute({
    taskClass: "intent_classification",
    input: [{ role: "user", content: "open the garage" }],
    instructions: "Classify.",
    model: "gpt-native",
    metadata: { eventMetadata: { event: "e1" }, threadMetadata: { thread: { id: 7 } } },
  });
  const [request] = api.requests;
  t.equal(request?.path, "/v1/responses");
  t.equal(request?.headers.authorization, "Bearer secret-token");
  t.match(request?.body, {
    input: [{ role: "user", content: "open the garage" }],
    instructions: /^Classify\.\n\nAnswer with the name of the intent alone/,
    model: "gpt-native",
    reasoning: { effort: "low" },
    text: { verbosity: "low" },
    store: false,
    stream: false,
    metadata: {
      codexbridge: {
        eventMetadata: { event: "e1" },
        threadMetadata: { thread: { id: 7 } },
        taskClass: "intent_classification",
      },
    },
  });
  t.match(result, {
    outputText: "from the service",
    route: "localhost_api",
    routesTried: [{ route: "localhost_api", outcome: "served", code: null }],
    responseId: "resp_1",
    model: "gpt-native",
    usage: {
      inputTokens: 5,
      cachedInputTokens: 1,
      cacheWriteInputTokens: 4,
      outputTokens: 3,
      reasoningOutputTokens: 2,
      totalTokens: 8,
    },
    native: { accountId: "acct_1", workerId: "worker-1", threadId: "thread_9", turnId: "turn_9" },
  });
  t.notOk("output" in result);
});

t.test("with a schema the answer is parsed and checked, and the class's hint is not said", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: respond('{"intent":"command"}') });
  const result = await router.execute({
    taskClass: "intent_classification",
    input: "open the garage",
    outputSchema: intentSchema,
  });
  t.strictSame(result.output, { intent: "command" });
  const { body } = api.requests[0] ?? {};
  t.match(body?.text, {
    format: { type: "json_schema", name: "intent_classification", schema: intentSchema },
  });
  t.equal(body?.instructions, undefined);
});

t.test("a mismatch carries what was answered", async (t) => {
  const { router } = await startSideTaskHarness(t, { api: respond('{"intent":"poem","more":1}') });
  const error = await failureOf(router.execute({ ...task, outputSchema: intentSchema }));
  t.equal(error.code, "bad_output");
  t.equal(error.outputText, '{"intent":"poem","more":1}');
  t.match(error.message, /\/intent must be equal to one of the allowed values/);
  t.match(error.message, /must NOT have additional properties/);
});

t.test("the direct route runs the same turn, with the class as its task class", async (t) => {
  const { router, runtime } = await startSideTaskHarness(t, {
    direct: answerDirectly('{"intent":"command"}'),
  });
  const result = await router.execute({
    taskClass: "intent_classification",
    input: "open the garage",
    instructions: "Classify.",
    outputSchema: intentSchema,
    effort: "high",
    provider: "some-other-provider",
  });
  t.match(runtime.turns[0]?.request, {
    items: [{ type: "message", role: "user", content: [{ type: "input_text", text: "open the garage" }] }],
    instructions: "Classify.",
    outputSchema: intentSchema,
    effort: "high",
    verbosity: "low",
    taskClass: "intent_classification",
    caller: "side-tasks",
  });
  t.match(result, {
    route: "direct_native",
    output: { intent: "command" },
    responseId: null,
    model: "gpt-fake",
    usage: { totalTokens: 18 },
    native: { workerId: "worker-1", threadId: "thread_1", turnId: "turn_1" },
  });
});

t.test("the direct route's own failures go by the same table", async (t) => {
  const { router, runtime, provider } = await startSideTaskHarness(t);
  // A provider that the task brings along gets it after any failure that may be tried elsewhere.
  const fallback = { baseUrl: `${provider.url}/v1`, apiKey: null, model: "m" };
  const direct = { ...task, provider: "other", fallback };
  runtime.script = async () => {
    throw failure("queue_full", 1500);
  };
  t.match(await router.execute(direct), {
    route: "external_provider",
    routesTried: [{ code: "provider_not_native" }, { outcome: "overloaded", code: "queue_full" }, {}],
  });
  runtime.script = async () => {
    throw new CodexNativeApiError("model_not_found", "no such model", { param: "model" });
  };
  t.match(await failureOf(router.execute(direct)), { code: "bad_request", param: "model" });
  runtime.script = async () => {
    throw new TypeError("unforeseen");
  };
  t.match((await router.execute(direct)).routesTried[1], { outcome: "internal", code: "internal_error" });
  runtime.script = async (turn) => {
    await turn.emit({ type: "item.completed", item: messageItem("msg_1", "half") });
    return { ...turn.result(), outcome: { status: "incomplete", reason: "max_output_tokens" } };
  };
  t.match(await failureOf(router.execute(direct)), { code: "bad_output", outputText: "half" });
  runtime.script = async (turn) => turn.result("cancelled");
  t.match((await router.execute(direct)).routesTried[1], { outcome: "connection_lost" });
});

t.test(
  "the external provider is asked over Chat Completions, without effort, metadata or Codex's model",
  async (t) => {
    const { router, provider, api } = await startSideTaskHarness(t, {
      api: failWith(503, "native_login_required"),
      direct: async () => {
        throw failure("native_login_required");
      },
      provider: complete('{"intent":"command"}'),
    });
    const result = await router.execute({
      taskClass: "intent_classification",
      input: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: "open the garage" },
      ],
      instructions: "Classify.",
      model: "gpt-native",
      outputSchema: intentSchema,
      metadata: { eventMetadata: { secret: "event" } },
    });
    t.equal(api.requests.length, 1);
    const [request] = provider.requests;
    t.equal(request?.path, "/v1/chat/completions");
    t.equal(request?.headers.authorization, "Bearer provider-key");
    t.strictSame(request?.body, {
      model: "provider-model",
      messages: [
        { role: "system", content: "Classify." },
        { role: "system", content: "Be brief." },
        { role: "user", content: "open the garage" },
      ],
      response_format: {
        type: "json_schema",
        json_schema: { name: "intent_classification", schema: intentSchema, strict: true },
      },
      stream: false,
    });
    t.match(result, {
      route: "external_provider",
      output: { intent: "command" },
      responseId: "chatcmpl_1",
      model: "provider-model-2026",
      usage: { inputTokens: 4, outputTokens: 2, totalTokens: 6 },
      native: null,
    });
  },
);

t.test("the external provider's failures go by the table too, and its refusals end the task", async (t) => {
  const harness = await startSideTaskHarness(t, { limits: { circuitFailures: 100 } });
  const { router, provider } = harness;
  await harness.api.die();
  harness.runtime.script = async () => {
    throw failure("native_login_required");
  };
  const outcomes: [ListenerScript, string, SideTaskFailure][] = [
    [failWith(401, "invalid_api_key"), "routes_exhausted", "misconfigured"],
    [failWith(404, "model_not_found"), "routes_exhausted", "misconfigured"],
    [failWith(400, "unsupported_parameter"), "bad_request", "bad_request"],
    [failWith(400, "content_filter"), "content_policy", "content_policy"],
    [failWith(500, null), "routes_exhausted", "internal"],
    [failWith(503, "constructor"), "routes_exhausted", "overloaded"],
    [answerRaw(200, "[]"), "routes_exhausted", "bad_answer"],
    [complete("", { finish_reason: "length" }), "bad_output", "bad_output"],
    [complete("", { finish_reason: "content_filter" }), "content_policy", "content_policy"],
    [complete("", { message: { content: null, refusal: "No." } }), "content_policy", "content_policy"],
    [complete("", { message: { content: null } }), "bad_output", "bad_output"],
  ];
  for (const [script, code, outcome] of outcomes) {
    provider.play(script);
    const error = await failureOf(router.execute(task));
    t.equal(error.code, code, outcome);
    t.equal(error.routesTried.at(-1)?.outcome, outcome);
  }
});

t.test(
  "a schema goes in words to a provider that knows no json_schema, and a fence is taken off",
  async (t) => {
    const { router, provider } = await startSideTaskHarness(t, {
      provider: complete('```json\n{"intent":"question"}\n```'),
      settings: { localApi: null, external: null },
      direct: async () => {
        throw failure("native_login_required");
      },
    });
    const fallback = { baseUrl: provider.url, apiKey: null, model: "own", schemaIn: "words" } as const;
    const result = await router.execute({ ...task, outputSchema: intentSchema, fallback });
    t.strictSame(result.output, { intent: "question" });
    const [request] = provider.requests;
    t.equal(request?.path, "/chat/completions");
    t.equal(request?.headers.authorization, undefined);
    t.equal(request?.body.response_format, undefined);
    t.match(JSON.stringify(request?.body.messages), /valid by this JSON schema/);
  },
);

t.test("a task may keep away from any provider, or bring its own", async (t) => {
  const { router, provider } = await startSideTaskHarness(t, {
    api: failWith(500, "internal_error"),
    direct: async () => {
      throw failure("internal_error");
    },
  });
  const error = await failureOf(router.execute({ ...task, fallback: false }));
  t.equal(error.code, "routes_exhausted");
  t.match(error.routesTried[2], { route: "external_provider", outcome: "skipped", code: "not_configured" });
  t.match(error.message, /localhost_api internal \(internal_error\), direct_native internal/);
  t.equal(provider.requests.length, 0);
  const fallback = { baseUrl: "http://models.example/v1", apiKey: "key", model: "m" };
  t.match(await failureOf(router.execute({ ...task, fallback })), {
    code: "bad_request",
    param: "fallback.baseUrl",
  });
});

t.test("routes that do not apply are skipped and say why", async (t) => {
  const { router, api } = await startSideTaskHarness(t, {
    settings: {
      localApi: {
        baseUrl: "http://127.0.0.1:9",
        authToken: null,
        taskClasses: ["normalization"],
        timeoutMs: null,
      },
      external: { baseUrl: "http://127.0.0.1:9", apiKey: null, model: "m" },
    },
  });
  const result = await router.execute({ taskClass: "side_reasoning", input: "why?" });
  t.match(result.routesTried, [{ code: "class_not_eligible" }, { outcome: "served" }]);
  t.equal(api.requests.length, 0);

  const bare = await startSideTaskHarness(t, { settings: { localApi: null, external: null } });
  const { router: none } = await startSideTaskHarness(t, {
    settings: { localApi: null, external: { baseUrl: "http://127.0.0.1:9", apiKey: null, model: "m" } },
    direct: async () => {
      throw failure("native_runtime_unavailable");
    },
  });
  t.equal((await bare.router.execute(task)).route, "direct_native");
  const spoken = await failureOf(none.execute({ ...task, input: [{ type: "web_search_call" }] }));
  t.match(spoken.routesTried, [
    { code: "not_configured" },
    { outcome: "unhealthy" },
    { code: "input_not_supported" },
  ]);
});

t.test("no route at all is an error of its own", async (t) => {
  const { CodexNativeApiSideTaskRouter } = await import("../../src/main/index.js");
  const router = new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external: null } });
  t.teardown(() => router.close());
  const error = await failureOf(router.execute(task));
  t.equal(error.code, "no_route");
  t.match(error.routesTried, [
    { route: "localhost_api", outcome: "skipped", code: "not_configured" },
    { route: "direct_native", outcome: "skipped", code: "not_configured" },
    { route: "external_provider", outcome: "skipped", code: "not_configured" },
  ]);
});

t.test("settings made by hand cannot send a token off this machine", async (t) => {
  const { CodexNativeApiSideTaskRouter } = await import("../../src/main/index.js");
  const localApi = { baseUrl: "http://192.168.1.4:43182", authToken: "t", taskClasses: [], timeoutMs: null };
  t.throws(() => new CodexNativeApiSideTaskRouter({ settings: { localApi, external: null } }), {
    code: "bad_request",
    param: "settings.localApi.baseUrl",
  });
  const external = { baseUrl: "http://models.example/v1", apiKey: "key", model: "m" };
  t.throws(() => new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external } }), {
    code: "bad_request",
    param: "settings.external.baseUrl",
  });
});
