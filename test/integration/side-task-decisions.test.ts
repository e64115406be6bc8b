/** Decisions on each route of the router: what it is sent, what comes of its answers, and which failures another route can mend. */
import { pino } from "pino";
import t from "tap";
import type { DecisionQuestion } from "../../src/main/dialects/decisions/decision-types.js";
import { errorKinds, isErrorCode } from "../../src/main/errors.js";
import { providerDialects } from "../../src/main/side-tasks/external-reasons.js";
import { failureOfCode, fallThroughTable } from "../../src/main/side-tasks/fall-through.js";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import type { SideTaskDecisionRequest, SideTaskEvent } from "../../src/main/side-tasks/types.js";
import { choiceOf, predicate, scoreOf } from "../support/decisions.js";
import { answerUntilAborted, type FakeScript, failure, messageItem } from "../support/fake-runtime.js";
import { answersFor } from "../support/offline-backend/decisions.js";
import {
  failWith,
  hang,
  type ListenerScript,
  ScriptedListener,
  sendJson,
} from "../support/scripted-listener.js";
import {
  answerDirectly,
  answerInDialect,
  failureOf,
  respond,
  responseObject,
  startSideTaskHarness,
} from "../support/side-task-harness.js";

const questions = [predicate, choiceOf("billing", "support", true), scoreOf("low", "high")] as const;
const ask = { input: "a private sentence", questions };

/** What `decide` of the deciding model makes of these questions. */
const answers = [
  { type: "predicate", name: "p", probability: 0.75 },
  { type: "choice", name: "c", choice: "support" },
  { type: "score", name: "s", score: 0.9 },
];

const modelText = JSON.stringify({
  q001: 0.75,
  q002: { v00: 0.05, v01: 0.9, v02: 0.05 },
  q003: { v00: 0.1, v01: 0.9 },
});

const wireAnswers = [
  { type: "predicate", name: "p", probability: 0.75 },
  {
    type: "choice",
    name: "c",
    choice: "support",
    confidence: 0.85,
    probabilities: [
      { value: "billing", probability: 0.05 },
      { value: "support", probability: 0.9 },
      { value: true, probability: 0.05 },
    ],
  },
  {
    type: "score",
    name: "s",
    score: 0.9,
    confidence: 0.8,
    probabilities: [
      { value: 0, label: "low", probability: 0.1 },
      { value: 1, label: "high", probability: 0.9 },
    ],
  },
];

/** The service's answer to a decision. */
function answerDecision(changes: object = {}): ListenerScript {
  return (_request, response) => {
    const { usage, native_api: native, model } = wireParts;
    sendJson(response, 200, {
      model,
      answers: wireAnswers,
      usage,
      native_api: { ...native, decisions: { method: "stated" } },
      ...changes,
    });
  };
}

const wireParts = JSON.parse(JSON.stringify(responseObject([])));

t.test(
  "the service is asked at /v1/decisions with the questions, and its answers come as they are",
  async (t) => {
    const events: SideTaskEvent[] = [];
    const lines: string[] = [];
    const { router, api, runtime } = await startSideTaskHarness(t, {
      api: answerDecision(),
      onEvent: (event) => events.push(event),
      logger: pino({ level: "debug" }, { write: (line) => lines.push(line) }),
    });
    const result = await router.decide({
      ...ask,
      model: "gpt-native",
      effort: "high",
      metadata: { eventMetadata: { mark: "event-mark" }, include: ["eventMetadata"] },
    });
    t.strictSame(result.answers, wireAnswers);
    t.match(result, {
      method: "stated",
      route: "localhost_api",
      responseId: null,
      model: "gpt-native",
      usage: { totalTokens: 8 },
      native: { threadId: "thread_9", eventMetadata: { mark: "event-mark" } },
    });
    t.match(api.requests, [{ path: "/v1/decisions", headers: { authorization: "Bearer secret-token" } }]);
    t.strictSame(api.requests[0]?.body, {
      ...JSON.parse(JSON.stringify(ask)),
      model: "gpt-native(high)",
      metadata: { codexbridge: { eventMetadata: { mark: "event-mark" }, taskClass: "small_verification" } },
    });
    t.equal(runtime.turns.length, 0);
    t.match(events, [
      { type: "route_tried", call: "decide", route: "localhost_api", outcome: "served" },
      { type: "task_ended", call: "decide", taskClass: "small_verification", usage: { totalTokens: 8 } },
    ]);
    t.match(lines.join(""), /"side_task.served"[^\n]*"call":"decide"[^\n]*"route":"localhost_api"/);
    t.notMatch(lines.join("") + JSON.stringify(events), /private|urgent|mark/);
  },
);

t.test(
  "the runtime runs the service's own turn, and its reply is read as the service reads it",
  async (t) => {
    const { router, runtime } = await startSideTaskHarness(t, {
      settings: { localApi: null, external: null },
      direct: answerDirectly(modelText),
    });
    runtime.resolveModel = async (name) => ({
      model: `of ${name}`,
      alias: null,
      effort: "low",
      serviceTier: null,
    });
    const result = await router.decide({ ...ask, taskClass: "intent_classification" });
    t.match(result, { answers, route: "direct_native", method: "stated", usage: { totalTokens: 18 } });
    t.match(runtime.turns[0]?.request, {
      model: "of gpt-6-luna",
      requestedModel: null,
      effort: "low",
      taskClass: "intent_classification",
      outputSchema: { required: ["q001", "q002", "q003"] },
    });
    await router.decide({ ...ask, effort: "high" });
    t.match(runtime.turns[1]?.request, { model: "of gpt-6-luna(high)" });
  },
);

for (const dialect of providerDialects)
  t.test(
    `an external provider gets the same prompt and schema by ${dialect}, and no other path`,
    async (t) => {
      const provider = await ScriptedListener.start(t, answerInDialect(`\`\`\`json\n${modelText}\n\`\`\``));
      const external = { baseUrl: `${provider.url}/v1`, apiKey: null, model: "m", dialect };
      const { router } = await startSideTaskHarness(t, {
        settings: { localApi: null, external },
        direct: async () => {
          throw failure("usage_limit_reached");
        },
      });
      const result = await router.decide({
        ...ask,
        effort: "high",
        metadata: { eventMetadata: { a: "mark" } },
      });
      t.match(result, { answers, route: "external_provider", method: "stated", native: null });
      const [sent] = provider.requests;
      t.equal(sent?.path, dialect === "chat" ? "/v1/chat/completions" : "/v1/responses");
      const text = JSON.stringify(sent?.body);
      t.match(text, /You answer questions about an input/);
      t.match(text, /q001 predicate.*a private sentence.*The input ends here/);
      t.match(text, /"strict":true/);
      t.notMatch(text, /luna|high\(|mark|effort/);
      t.match(router.circuits(), { [`external_provider ${provider.url}/v1`]: "closed" });
      const inWords = { ...external, schemaIn: "words" as const };
      t.match(await router.decide({ ...ask, fallback: inWords }), { answers });
    },
  );

t.test("a refusal is an answer: of the questions, whichever route gave it", async (t) => {
  const refuse: FakeScript = async (turn) => {
    turn.start();
    const content = [{ type: "refusal", refusal: "No." }];
    await turn.emit({ type: "item.completed", item: { ...messageItem("m", ""), content } });
    return turn.result();
  };
  const refused = questions.map(({ name }) => ({ type: "refusal", name }));
  const direct = await startSideTaskHarness(t, {
    settings: { localApi: null, external: null },
    direct: refuse,
  });
  t.strictSame((await direct.router.decide(ask)).answers, refused);
  const one = [{ type: "refusal", name: "p" }, ...wireAnswers.slice(1)];
  const { router } = await startSideTaskHarness(t, { api: answerDecision({ answers: one }) });
  t.strictSame((await router.decide(ask)).answers, one);
});

t.test(
  "a reply that breaks the form ends the decision, with its text, and is asked of nobody else",
  async (t) => {
    for (const [reply, code] of [
      ["no JSON", "invalid_model_output"],
      [JSON.stringify({ q001: 2 }), "invalid_model_output"],
      [" ", "empty_output"],
    ] as const) {
      const { router, provider } = await startSideTaskHarness(t, {
        api: failWith(503, "native_runtime_unavailable"),
        direct: answerDirectly(reply),
      });
      const error = await failureOf(router.decide(ask));
      t.match(error, {
        code: "bad_output",
        outputText: reply,
        routesTried: [{}, { outcome: "bad_output", code }],
      });
      t.equal(provider.requests.length, 0);
    }
  },
);

t.test("an answer of the service to other questions is none, and the next route is asked", async (t) => {
  const [first, second, third] = wireAnswers;
  const wrong: readonly object[] = [
    {},
    { answers: [first, second] },
    { answers: [second, first, third] },
    { answers: [{ ...first, name: "other" }, second, third] },
    { answers: [{ ...first, probability: 2 }, second, third] },
    { answers: [first, { ...second, choice: "sales" }, third] },
    { answers: [first, { ...second, probabilities: [] }, third] },
    { answers: Array.from({ length: 401 }, () => first) },
    { native_api: {} },
  ];
  for (const [index, changes] of wrong.entries()) {
    const { router } = await startSideTaskHarness(t, {
      api: index === 0 ? respond("a response") : answerDecision(changes),
      direct: answerDirectly(modelText),
    });
    const { routesTried, answers: given } = await router.decide(ask);
    t.match(routesTried, [{ outcome: "bad_answer", code: "bad_answer" }, { outcome: "served" }], `${index}`);
    t.match(given, answers);
  }
});

t.test(
  "each code falls through or ends a decision as it does a task, over HTTP and in process",
  async (t) => {
    for (const code of Object.keys(errorKinds).filter(isErrorCode)) {
      const row = failureOfCode[code];
      const { next } = fallThroughTable[row];
      const http = await startSideTaskHarness(t, {
        api: failWith(errorKinds[code].status, code),
        direct: answerDirectly(modelText),
      });
      const served = await http.router.decide(ask).catch((error) => error);
      t.match(served.routesTried?.[0], { outcome: row, code }, code);
      t.equal(http.runtime.turns.length, next ? 1 : 0, code);
      const direct = await startSideTaskHarness(t, {
        settings: { localApi: null, external: null },
        direct: async () => {
          throw failure(code);
        },
      });
      t.match((await failureOf(direct.router.decide(ask))).routesTried[1], { outcome: row, code });
    }
  },
);

t.test("a service from before decisions is skipped for them alone", async (t) => {
  const { router, api } = await startSideTaskHarness(t, {
    api: (request, response) => {
      const answer = request.path === "/v1/responses" ? respond("text") : failWith(404, "route_not_found");
      answer(request, response);
    },
    direct: answerDirectly(modelText),
    limits: { circuitFailures: 1 },
  });
  t.match(await router.decide(ask), { route: "direct_native", answers });
  t.match(await router.execute({ taskClass: "normalization", input: "x" }), { route: "localhost_api" });
  t.equal(api.requests.length, 2);
});

t.test("routes and circuits are those of tasks", async (t) => {
  const { router, api, provider } = await startSideTaskHarness(t, {
    api: failWith(503, "native_login_required"),
    direct: async () => {
      throw failure("queue_full");
    },
    limits: { circuitFailures: 1 },
  });
  const error = await failureOf(router.decide({ ...ask, fallback: false }));
  t.equal(error.code, "routes_exhausted");
  t.match((await failureOf(router.execute({ taskClass: "normalization", input: "x" }))).routesTried, [
    { code: "circuit_open" },
    { code: "circuit_open" },
    { code: "not_allowed" },
  ]);
  t.equal(api.requests.length, 1);
  t.equal(provider.bytes, 0, "the host's policy keeps it here");
  const other = await startSideTaskHarness(t, { direct: answerDirectly(modelText) });
  t.match((await other.router.decide({ ...ask, provider: "other" })).routesTried[0], {
    code: "provider_not_native",
  });
  const settings = {
    localApi: { baseUrl: api.url, authToken: null, taskClasses: ["normalization"], timeoutMs: null },
    external: null,
  };
  const narrow = new CodexNativeApiSideTaskRouter({ settings });
  t.teardown(() => narrow.destroy());
  t.match(await failureOf(narrow.decide(ask)), {
    code: "no_route",
    routesTried: [{ code: "class_not_eligible" }, {}, {}],
  });
  t.ok(sideTaskClasses.includes("small_verification"));
});

t.test("time, signal and closing end a decision", async (t) => {
  const { router } = await startSideTaskHarness(t, { api: hang, direct: answerUntilAborted });
  const late = await failureOf(router.decide({ ...ask, timeoutMs: 200, fallback: false }));
  t.match(late, { code: "timeout", routesTried: [{ outcome: "route_timeout" }, { outcome: "timeout" }] });
  const controller = new AbortController();
  const cancelled = failureOf(router.decide({ ...ask, signal: controller.signal }));
  controller.abort();
  t.equal((await cancelled).code, "cancelled");
  const closed = failureOf(router.decide(ask));
  await router.destroy();
  t.equal((await closed).code, "closed");
  t.equal((await failureOf(router.decide(ask))).code, "closed");
});

t.test("what is wrong with a decision is named by its path, and no route is asked", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t);
  const decide = (given: unknown): Promise<unknown> =>
    Promise.resolve(Reflect.apply(router.decide, router, [given])).catch((error: unknown) => error);
  const question = (changes: object): readonly object[] => [predicate, { ...predicate, ...changes }];
  for (const [given, param] of [
    [{ questions: undefined }, "questions"],
    [{ questions: "one" }, "questions"],
    [{ questions: [] }, "questions"],
    [{ questions: question({ type: "guess" }) }, "questions[1].type"],
    [{ questions: question({ instructions: 5 }) }, "questions[1].instructions"],
    [{ questions: question({ type: "choice", choices: [{ value: "a" }] }) }, "questions[1].choices"],
    [
      { questions: question({ type: "choice", choices: [{ value: "a" }, { value: "a" }] }) },
      "questions[1].choices[1].value",
    ],
    [
      { questions: question({ type: "score", levels: [{ label: "a" }, { label: 5 }] }) },
      "questions[1].levels[1].label",
    ],
    [{ questions: Array.from({ length: 401 }, () => predicate) }, "questions"],
    [{ input: 5 }, "input"],
    [{ input: [] }, "input"],
    [{ input: [{ role: "user", content: [{ type: "input_file" }] }] }, "input[0].content[0].type"],
    [{ input: [{ type: "item_reference", id: "x" }] }, "input[0].type"],
    [{ taskClass: "nothing" }, "taskClass"],
    [{ timeoutMs: 0.5 }, "timeoutMs"],
    [{ effort: 5 }, "effort"],
    [{ model: "gpt-5.5(low)", effort: "high" }, "effort"],
    [{ metadata: { threadMetadata: "x" } }, "metadata.threadMetadata"],
    [{ instructions: "x" }, "instructions"],
    [{ outputSchema: {} }, "outputSchema"],
    [{ question: [] }, "question"],
    [{ fallback: { baseUrl: "x" } }, "fallback.baseUrl"],
  ] as const)
    t.match(await decide({ ...ask, ...given }), { code: "bad_request", param }, `${param}`);
  for (const none of [undefined, null, "x"])
    t.match(await decide(none), { code: "bad_request", param: null });
  t.equal(api.requests.length + runtime.turns.length, 0);
});

t.test("what the host does to its objects later reaches no route", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: answerDecision() });
  const changing: DecisionQuestion[] = [...questions];
  const request: SideTaskDecisionRequest = { input: "x", questions: changing };
  const running = router.decide(request);
  changing.pop();
  await running;
  t.equal(JSON.stringify(api.requests[0]?.body.questions), JSON.stringify(questions));
});

t.test("each answer has the type that its question gives it", async (t) => {
  const { router } = await startSideTaskHarness(t, { direct: answerDirectly(modelText) });
  const { answers: typed } = await router.decide({
    input: "x",
    questions: [
      { type: "predicate", name: "p", instructions: "It is urgent." },
      {
        type: "choice",
        name: "c",
        instructions: "Which?",
        choices: [{ value: "billing" }, { value: "support" }, { value: true }],
      },
      { type: "score", name: "s", instructions: "How?", levels: [{ label: "low" }, { label: "high" }] },
    ],
  });
  const [is, which, how] = typed;
  const probability: number | null = is.type === "refusal" ? null : is.probability;
  const choice: "billing" | "support" | true | null = which.type === "refusal" ? null : which.choice;
  const score: number | null = how.type === "refusal" ? null : how.score;
  t.strictSame([probability, choice, score], [0.75, "support", 0.9]);
  // @ts-expect-error there are three questions
  t.equal(typed[3], undefined);
});

t.test("the deciding model of the end-to-end tests answers by the schema that is sent", async (t) => {
  const { router, runtime } = await startSideTaskHarness(t, {
    settings: { localApi: null, external: null },
    direct: async (turn) => answerDirectly(JSON.stringify(answersFor(turn.request.outputSchema ?? {})))(turn),
  });
  t.match(await router.decide(ask), { answers });
  t.equal(runtime.turns.length, 1);
});
