/** What a host can watch: events, metrics on its own registry, and metadata in the log. */
import { pino } from "pino";
import { Registry } from "prom-client";
import t from "tap";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import type { SideTaskEvent, SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failure } from "../support/fake-runtime.js";
import { failWith, type ListenerScript } from "../support/scripted-listener.js";
import { complete, failureOf, respond, startSideTaskHarness } from "../support/side-task-harness.js";

const task: SideTaskRequest = {
  taskClass: "normalization",
  input: "a private sentence",
  metadata: { eventMetadata: { mark: "event-mark" }, threadMetadata: { mark: "thread-mark" } },
};

t.test("every route and the end of each task are events, without a word of the task", async (t) => {
  const events: SideTaskEvent[] = [];
  const { router, api, runtime, provider } = await startSideTaskHarness(t, {
    onEvent: (event) => events.push(event),
  });
  await router.execute(task);
  t.match(events, [
    { type: "route_tried", route: "localhost_api", outcome: "served" },
    { type: "task_ended", route: "localhost_api", outcome: "served", usage: { totalTokens: 8 } },
  ]);
  events.length = 0;
  api.play(failWith(503, "native_login_required"));
  runtime.script = async () => {
    throw failure("native_login_required");
  };
  await router.execute(task);
  t.match(events, [
    { type: "route_tried", route: "localhost_api", outcome: "unhealthy", code: "native_login_required" },
    { type: "route_tried", route: "direct_native", outcome: "unhealthy", code: "native_login_required" },
    { type: "external_send", reasons: ["not_logged_in"], provider: provider.url },
    { type: "route_tried", route: "external_provider", outcome: "served" },
    { type: "task_ended", route: "external_provider" },
  ]);
  await failureOf(router.execute({ ...task, fallback: false }));
  t.match(events.at(-1), { type: "task_ended", route: null, outcome: "routes_exhausted", usage: null });
  t.notMatch(JSON.stringify(events), /private|mark|secret-token|provider-key/);
});

t.test("what another server calls a code gets into no event, log or label unless it is one", async (t) => {
  const events: SideTaskEvent[] = [];
  const lines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line) => lines.push(line) });
  const { router, api, pass } = await startSideTaskHarness(t, {
    logger,
    metadataLevel: "silent",
    onEvent: (event) => events.push(event),
  });
  const told = `you said: a private sentence ${"x".repeat(100_000)}`;
  const scripts: readonly (readonly [ListenerScript, string])[] = [
    [failWith(400, told), "http_400"],
    [failWith(429, "queue_full\n"), "http_429"],
    [respond("", { status: "failed", error: { code: told, message: told } }), "unreadable_code"],
    [respond("", { status: "incomplete", incomplete_details: { reason: told } }), "unreadable_code"],
  ];
  for (const [script, code] of scripts) {
    api.play(script);
    // Past every circuit's longest pause.
    pass(400_000);
    const error = await router.execute(task).catch((reason) => reason);
    t.match(error.routesTried, [{ route: "localhost_api", code }]);
    t.ok(error instanceof Error ? error.message.length < 2_000 : true);
  }
  t.notMatch(lines.join("") + JSON.stringify(events), /private|xxx/);
});

t.test("a route's event comes when its try ends, before the next route is asked", async (t) => {
  const events: SideTaskEvent[] = [];
  const seen: Record<string, readonly string[]> = {};
  const note = (where: string) => {
    seen[where] = events.map((event) => ("route" in event ? `${event.type} ${event.route}` : event.type));
  };
  const { router, api } = await startSideTaskHarness(t, {
    onEvent: (event) => events.push(event),
    direct: async () => {
      note("direct");
      throw failure("native_login_required");
    },
    provider: (request, response) => {
      note("provider");
      complete("from the provider")(request, response);
    },
  });
  api.play(failWith(503, "native_login_required"));
  await router.execute(task);
  t.strictSame(seen, {
    direct: ["route_tried localhost_api"],
    provider: ["route_tried localhost_api", "route_tried direct_native", "external_send"],
  });
  events.length = 0;
  await router.execute({ ...task, provider: "other", fallback: false }).catch(() => undefined);
  t.match(events, [
    { type: "route_tried", route: "localhost_api", outcome: "skipped", code: "provider_not_native" },
    { type: "route_tried", route: "direct_native", outcome: "unhealthy" },
    { type: "route_tried", route: "external_provider", outcome: "skipped", code: "not_configured" },
    { type: "task_ended", outcome: "routes_exhausted" },
  ]);
});

t.test("a listener that throws disturbs no task", async (t) => {
  const { router } = await startSideTaskHarness(t, {
    onEvent: () => {
      throw new Error("thrown by the host's listener");
    },
  });
  t.equal((await router.execute(task)).route, "localhost_api");
  const lines: string[] = [];
  const later = await startSideTaskHarness(t, {
    logger: pino({ level: "error" }, { write: (line) => lines.push(line) }),
    // A promise that rejects unheard would end the host's process.
    onEvent: async () => {
      throw new Error("rejected by the host's listener");
    },
  });
  t.equal((await later.router.execute(task)).route, "localhost_api");
  await later.router.close();
  t.match(lines.join(""), /side_task\.listener_failed.*rejected by the host/);
});

t.test("side tasks are counted on the host's registry, which routers share", async (t) => {
  const registry = new Registry();
  const { router } = await startSideTaskHarness(t, { registry });
  const other = await startSideTaskHarness(t, { registry });
  await router.execute(task);
  await other.router.execute(task);
  const text = await registry.metrics();
  const labels = 'task_class="normalization",route="localhost_api"';
  t.match(text, `codex_native_api_side_tasks_total{${labels},outcome="served"} 2`);
  t.match(text, `codex_native_api_side_task_duration_seconds_count{${labels},outcome="served"} 2`);
  t.match(text, `codex_native_api_side_task_tokens_total{${labels},type="input"} 10`);
  t.match(text, `codex_native_api_side_task_tokens_total{${labels},type="output"} 6`);
});

t.test("metadata is logged at the level that the host sets, and not at all unless it does", async (t) => {
  for (const [metadataLevel, isLogged] of [
    [undefined, false],
    ["info", true],
    ["debug", true],
    ["trace", false],
    ["silent", false],
  ] as const) {
    const lines: string[] = [];
    const logger = pino({ level: "debug" }, { write: (line) => lines.push(line) });
    const { router } = await startSideTaskHarness(t, {
      logger,
      ...(metadataLevel !== undefined && { metadataLevel }),
    });
    const secret = { ...task.metadata?.threadMetadata, apiKey: "sk-private" };
    await router.execute({ ...task, metadata: { ...task.metadata, threadMetadata: secret } });
    t.equal(
      lines.some((line) => /side_task\.metadata.*event-mark.*thread-mark/.test(line)),
      isLogged,
      String(metadataLevel),
    );
    t.equal(lines.filter((line) => line.includes("side_task.accepted")).length, 1);
    t.notMatch(lines.join(""), /private sentence|sk-private/);
  }
  const settings = { localApi: null, external: null };
  t.throws(() => new CodexNativeApiSideTaskRouter({ settings, metadataLevel: "loud" as "info" }), {
    code: "bad_request",
    param: "metadataLevel",
  });
});

t.test(
  "native of the result repeats the metadata that the task asks for, on either native route",
  async (t) => {
    const eventMetadata = { mark: "event-mark" };
    const asking = {
      ...task,
      metadata: { eventMetadata, include: ["eventMetadata", "threadMetadata"] },
    } as const;
    const expected = { threadId: String, eventMetadata, threadMetadata: null };
    const { router, api } = await startSideTaskHarness(t);
    const served = await router.execute(asking);
    t.match(served, { route: "localhost_api", native: expected });
    t.notMatch(JSON.stringify(api.requests), /"include"/);
    const direct = await router.execute({ ...asking, provider: "other" });
    t.match(direct, { route: "direct_native", native: expected });
    const { native } = await router.execute(task);
    t.notOk("eventMetadata" in (native ?? {}));
  },
);
