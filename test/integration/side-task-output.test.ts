/** Typed output, classes of the host's own, and a plan that two routes share. */
import t from "tap";
import { z } from "zod";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import { readSideTaskSettings } from "../../src/main/side-tasks/settings.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import type { SideTaskOutput, SideTaskRequest, StandardSchema } from "../../src/main/side-tasks/types.js";
import { failure } from "../support/fake-runtime.js";
import { failWith } from "../support/scripted-listener.js";
import { answerDirectly, failureOf, respond, startSideTaskHarness } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "x" };

t.test("a schema with its own JSON schema types and checks the output", async (t) => {
  const { router, api } = await startSideTaskHarness(t, {
    api: respond('{"intent":"command","at":"2026-01-02"}'),
  });
  const output = z.strictObject({
    intent: z.enum(["question", "command"]),
    at: z.string().transform((at) => new Date(at)),
  });
  const result = await router.execute({ ...task, output });
  const year: number = result.output.at.getUTCFullYear();
  t.equal(year, 2026);
  t.match(api.requests[0]?.body.text, {
    format: {
      type: "json_schema",
      schema: { type: "object", properties: { at: { type: "string" } }, additionalProperties: false },
    },
  });
  api.play(respond('{"intent":"poem","at":7}'));
  const error = await failureOf(router.execute({ ...task, output }));
  t.match(error, { code: "bad_output", outputText: '{"intent":"poem","at":7}' });
  t.match(error.message, /\/intent: .*\/at: /);
  api.play(respond("no JSON"));
  t.match((await failureOf(router.execute({ ...task, output }))).routesTried, [{ code: "not_json" }]);
});

t.test("a schema without one takes it beside it; a check may be slow, and is bounded", async (t) => {
  const { router } = await startSideTaskHarness(t, { api: respond('{"n":2}') });
  const jsonSchema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const makeSchema = (validate: StandardSchema<number>["~standard"]["validate"]): StandardSchema<number> => ({
    "~standard": { version: 1, vendor: "test", validate },
  });
  const schema = makeSchema(async (value) => ({ value: (value as { n: number }).n + 1 }));
  const result = await router.execute({ ...task, output: { schema, jsonSchema } });
  const next: number = result.output;
  t.equal(next, 3);
  const broken = makeSchema(() => {
    throw new Error("thrown by the host's schema");
  });
  t.match(await failureOf(router.execute({ ...task, output: { schema: broken, jsonSchema } })), {
    code: "bad_request",
    param: "output",
  });
  const endless = makeSchema(() => new Promise(() => {}));
  const slow = { ...task, timeoutMs: 1_000, output: { schema: endless, jsonSchema } };
  t.equal((await failureOf(router.execute(slow))).code, "timeout");

  const wrong: readonly (readonly [unknown, string])[] = [
    [schema, "output"],
    [{ schema }, "output.jsonSchema"],
    [{ schema, jsonSchema: [] }, "output.jsonSchema"],
    [{ schema, jsonSchema: { a: 1n } }, "output.jsonSchema"],
    [{ schema: {}, jsonSchema }, "output.schema"],
    [{}, "output"],
    ["text", "output"],
    [null, "output"],
    [z.bigint(), "output"],
    [{ "~standard": { version: 2, vendor: "x", validate: () => {} } }, "output"],
  ];
  for (const [output, param] of wrong)
    t.match(await failureOf(router.execute({ ...task, output: output as SideTaskOutput<unknown> })), {
      code: "bad_request",
      param,
    });
  const both = { ...task, output: { schema, jsonSchema }, outputSchema: jsonSchema };
  t.match(await failureOf(router.execute(both)), { code: "bad_request", param: "output" });
});

t.test("a check that breaks ends the task: no other route is tried", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t, { api: respond("[]") });
  const results: readonly unknown[] = [undefined, null, { issues: [null] }, { issues: "no list" }];
  for (const result of results) {
    const schema = { "~standard": { version: 1, vendor: "test", validate: () => result } };
    const output = { schema, jsonSchema: {} } as unknown as SideTaskOutput<unknown>;
    t.match(await failureOf(router.execute({ ...task, output })), { code: "bad_request", param: "output" });
  }
  const list = { anyOf: [{ type: "number" }, { type: "array", items: { $ref: "#/$defs/list" } }] };
  const outputSchema = { $ref: "#/$defs/list", $defs: { list } };
  api.play(respond("[".repeat(200_000) + "]".repeat(200_000)));
  t.match(await failureOf(router.execute({ ...task, outputSchema })), {
    code: "bad_output",
    routesTried: [{ route: "localhost_api", outcome: "bad_output", code: "check_failed" }],
  });
  t.equal(runtime.turns.length, 0);
});

t.test("a host defines classes of its own, with defaults", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t, {
    taskClasses: { route_message: { effort: "medium", outputHint: "One word." }, "plan-b": {} },
  });
  await router.execute({ taskClass: "route_message", input: "x" });
  t.match(api.requests[0]?.body, {
    reasoning: { effort: "medium" },
    text: { verbosity: "low" },
    instructions: "One word.",
    metadata: { codexbridge: { taskClass: "route_message" } },
  });
  await router.execute({ taskClass: "plan-b", input: "x", provider: "other" });
  t.match(runtime.turns[0]?.request, { taskClass: "plan-b", effort: "low" });
  for (const taskClass of ["poetry", "toString", "__proto__", 7 as unknown as string])
    t.match(await failureOf(router.execute({ taskClass, input: "x" })), {
      code: "bad_request",
      param: "taskClass",
    });
  const settings = { localApi: null, external: null };
  for (const [taskClasses, param, message] of [
    [{ "two words": {} }, "taskClasses.two words", /^The name must be/],
    [{ mine: { timeoutMs: 0 } }, "taskClasses.mine.timeoutMs", "It must be at least 1."],
    [{ mine: { effort: 7 } }, "taskClasses.mine.effort", "It must be a string."],
    [{ mine: { verbosity: "loud" } }, "taskClasses.mine.verbosity", "It must be 'low', 'medium' or 'high'."],
    [{ mine: { outputSchema: [] } }, "taskClasses.mine.outputSchema", "It must be an object."],
    [{ mine: "x" }, "taskClasses.mine", "It must be an object."],
    [{ mine: { efort: "low" } }, "taskClasses.mine", "It must not have 'efort'."],
    [[], "taskClasses", /it takes an object of classes by name/],
    [
      Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`c${index}`, {}])),
      "taskClasses",
      /at most 64 classes/,
    ],
  ] as const)
    t.throws(
      () =>
        new CodexNativeApiSideTaskRouter({ settings, taskClasses: taskClasses as Record<string, object> }),
      { code: "bad_request", param, message },
    );
  const kept = new CodexNativeApiSideTaskRouter({
    settings,
    taskClasses: { normalization: { timeoutMs: undefined } } as unknown as Record<string, object>,
  });
  t.equal((await failureOf(kept.execute(task))).code, "no_route", "undefined keeps the default");
  await kept.close();
});

t.test("the localhost route takes a host's class that the list names, or all", async (t) => {
  const env = { CODEXBRIDGE_INTERNAL_NATIVE_API_ENABLED: "1" };
  const names = { ...env, CODEXBRIDGE_INTERNAL_NATIVE_API_TASK_CLASSES: "mine,normalization" };
  const read = readSideTaskSettings(names, ["mine"]);
  t.match(read, { ok: true, settings: { localApi: { taskClasses: ["mine", "normalization"] } } });
  const { api } = await startSideTaskHarness(t);
  for (const [taskClasses, route] of [
    [["mine"], "localhost_api"],
    [sideTaskClasses, "localhost_api"],
    [["normalization"], "no_route"],
  ] as const) {
    const localApi = { baseUrl: api.url, authToken: null, taskClasses, timeoutMs: null };
    const router = new CodexNativeApiSideTaskRouter({
      settings: { localApi, external: null },
      taskClasses: { mine: {} },
    });
    const done = router.execute({ taskClass: "mine", input: "x" });
    t.equal(route === "no_route" ? (await failureOf(done)).code : (await done).route, route);
    await router.close();
  }
});

t.test("a plan that is used up on one route is not asked on the other, until its time", async (t) => {
  const { router, api, runtime, provider, pass } = await startSideTaskHarness(t);
  await router.execute(task);
  api.play(failWith(429, "usage_limit_reached", 60));
  t.match(await router.execute(task), {
    route: "external_provider",
    routesTried: [{ outcome: "usage_limit" }, { outcome: "skipped", code: "plan_used_up" }, {}],
  });
  t.equal(runtime.turns.length, 0, "both routes showed acct_1");
  t.match(await router.execute(task), {
    routesTried: [{ code: "circuit_open" }, { code: "plan_used_up" }, {}],
  });
  t.match(await failureOf(router.execute({ ...task, fallback: false })), { code: "routes_exhausted" });
  runtime.currentHealth = { ...runtime.currentHealth, account: null };
  const before = provider.requests.length;
  t.equal((await router.execute(task)).route, "direct_native", "another login, or none known");
  t.equal(provider.requests.length, before);
  pass(61_000);
  api.play(respond("back"));
  t.equal((await router.execute(task)).route, "localhost_api");
});

t.test("routes of different accounts stand in for each other", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t, { direct: answerDirectly("other account") });
  await router.execute(task);
  const { account } = runtime.currentHealth;
  runtime.currentHealth = {
    ...runtime.currentHealth,
    account: account === null ? null : { ...account, id: "acct_2" },
  };
  api.play(failWith(429, "usage_limit_reached", 60));
  t.match(await router.execute(task), { route: "direct_native" });
  runtime.script = async () => {
    throw failure("usage_limit_reached");
  };
  t.match((await router.execute(task)).routesTried, [{ outcome: "skipped" }, { outcome: "usage_limit" }, {}]);
});

t.test("a plan is noted for no account that logged in while the turn ran", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t);
  await router.execute(task);
  const { account } = runtime.currentHealth;
  const logIn = (id: string): void => {
    runtime.currentHealth = {
      ...runtime.currentHealth,
      account: account === null ? null : { ...account, id },
    };
  };
  logIn("acct_2");
  runtime.script = async () => {
    logIn("acct_1");
    throw failure("usage_limit_reached");
  };
  await router.execute({ ...task, provider: "other", fallback: false }).catch(() => null);
  t.equal(runtime.turns.length, 1);
  t.equal((await router.execute(task)).route, "localhost_api");
  t.equal(api.requests.length, 2);
});

t.test("a runtime that cannot name its account runs tasks all the same", async (t) => {
  const { router, runtime, api } = await startSideTaskHarness(t);
  runtime.health = () => {
    throw new Error("thrown by the host's runtime");
  };
  api.play(failWith(503, "queue_full"));
  t.equal((await router.execute(task)).route, "direct_native");
});
