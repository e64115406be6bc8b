/** What leaves this machine when the real service fails, over HTTP and in the host's own process: the bytes at a provider of each dialect. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import {
  CodexNativeApiSideTaskRouter,
  type CodexNativeApiSideTaskRouterOptions,
} from "../../src/main/index.js";
import {
  allExternalReasons,
  defaultExternalReasons,
  type ExternalReason,
  providerDialects,
} from "../../src/main/side-tasks/external-reasons.js";
import { sideTaskClasses } from "../../src/main/side-tasks/task-classes.js";
import type {
  ExternalProvider,
  LocalApiSettings,
  SideTaskRequest,
  SideTaskRouteName,
} from "../../src/main/side-tasks/types.js";
import {
  cutConnection,
  httpError,
  logout,
  overloaded,
  type Reply,
  refusal,
  stall,
  text,
  usageLimitReached,
  usedUpFor,
} from "../support/offline-backend/index.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { ScriptedListener } from "../support/scripted-listener.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { answerInDialect } from "../support/side-task-harness.js";
import { intentSchema } from "../support/side-task-rows.js";

interface Row {
  readonly name: string;
  /** For which a task may be sent; null: the task ends, and no setting sends it. */
  readonly reason: ExternalReason | null;
  readonly reply: Reply;
  readonly request?: Partial<SideTaskRequest>;
}

/** What the model's backend does. */
const rows: readonly Row[] = [
  { name: "the account is not allowed", reason: "unhealthy", reply: httpError(403) },
  {
    name: "the backend's connection is lost",
    reason: "connection_lost",
    reply: cutConnection({ afterDeltas: 1 }),
  },
  { name: "the time is over", reason: "route_timeout", reply: stall(), request: { timeoutMs: 400 } },
  { name: "the task is at fault", reason: null, reply: httpError(400) },
  { name: "a refusal", reason: null, reply: refusal("I will not.") },
  { name: "no JSON", reason: null, reply: text("no JSON"), request: { outputSchema: intentSchema } },
  {
    name: "another intent",
    reason: null,
    reply: text('{"intent":"poem"}'),
    request: { outputSchema: intentSchema },
  },
];

/** A way to the service, and what the router needs for it. */
interface Way {
  readonly route: SideTaskRouteName;
  readonly localApi: LocalApiSettings | null;
  readonly host: Pick<CodexNativeApiSideTaskRouterOptions, "service">;
}

interface Case {
  readonly provider: { readonly listener: ScriptedListener; readonly external: ExternalProvider };
  readonly reason: ExternalReason | null;
  readonly request: Partial<SideTaskRequest>;
}

const localApiAt = (baseUrl: string): LocalApiSettings => ({
  baseUrl,
  authToken: null,
  taskClasses: sideTaskClasses,
  timeoutMs: null,
});

/** Over HTTP, and in the host's own process. */
const waysTo = ({ url, service }: ServiceHarness): readonly Way[] => [
  { route: "localhost_api", localApi: localApiAt(url), host: {} },
  { route: "direct_native", localApi: null, host: { service } },
];

interface Run {
  readonly external: ExternalProvider | null;
  readonly request?: Partial<SideTaskRequest>;
}

/** Providers of both dialects that count, and a task with a file. */
async function startCounting(t: Test, harness: ServiceHarness) {
  const root = t.testdir();
  const path = join(root, "skill.md");
  writeFileSync(path, "The words of the skill.");
  const task = { taskClass: "normalization", input: "a private sentence", files: [{ path }] } as const;
  const providers = await Promise.all(
    providerDialects.map(async (dialect) => {
      const listener = await ScriptedListener.start(t, answerInDialect('{"intent":"question"}'));
      return { listener, external: { baseUrl: `${listener.url}/v1`, apiKey: null, model: "m", dialect } };
    }),
  );

  /** Twice on a router of its own: once for the failure, once for the circuit that it opened. */
  async function runTwice({ localApi, host }: Way, { external, request }: Run) {
    const sends: unknown[] = [];
    const router = new CodexNativeApiSideTaskRouter({
      settings: { localApi, external },
      limits: { circuitFailures: 1, blamedTimeoutMs: 0 },
      roots: [root],
      onEvent: (event) => void (event.type === "external_send" && sends.push(event)),
      ...host,
    });
    const ends: unknown[] = [];
    for (let round = 0; round < 2; round += 1)
      ends.push(await router.execute({ ...task, ...request }).catch((error: unknown) => error));
    await router.destroy();
    return { ends, sends };
  }

  async function check(t: Test, reason: ExternalReason | null, request: Partial<SideTaskRequest> = {}) {
    for (const way of waysTo(harness)) {
      for (const provider of providers) await checkUsual(t, way, { provider, reason, request });
      // Whatever it speaks: one is enough.
      for (const provider of providers.slice(0, 1)) await checkNamed(t, way, { provider, reason, request });
    }
  }

  /** By the default reasons. */
  async function checkUsual(t: Test, way: Way, { provider, reason, request }: Case) {
    const { listener, external } = provider;
    const of = `${way.route}, ${external.dialect}`;
    const isSent = reason !== null && defaultExternalReasons.includes(reason);
    const before = { bytes: listener.bytes, requests: listener.requests.length };
    const { ends, sends } = await runTwice(way, { external, request });
    const end = isSent ? { route: "external_provider" } : { name: "CodexNativeApiSideTaskError" };
    t.match(ends, [end, end], of);
    const bytes = listener.bytes - before.bytes;
    t.equal(bytes > 0, isSent, `${of}: ${bytes} bytes`);
    const send = { reasons: [reason], provider: listener.url };
    t.match(sends, isSent ? [send, send] : [], of);
    const requests = listener.requests.slice(before.requests);
    t.equal(requests.length, sends.length);
    for (const { path, body } of requests) {
      t.equal(path, external.dialect === "chat" ? "/v1/chat/completions" : "/v1/responses");
      t.match(JSON.stringify(body), /The words of the skill\..*a private sentence/, "with the task's file");
    }
  }

  /** For this reason alone, for all but this one, and by the task's own provider: only a task that ended stays here. */
  async function checkNamed(t: Test, way: Way, { provider, reason, request }: Case) {
    const { listener, external } = provider;
    // Where a timeout may send, the provider needs a part of the time.
    const longer = request.timeoutMs === undefined ? request : { ...request, timeoutMs: 1_500 };
    const runs: readonly (readonly [string, Run, boolean])[] = [
      ["named", { external: { ...external, when: reason === null ? allExternalReasons : [reason] } }, true],
      ["brought along", { external: null, request: { fallback: external } }, true],
      [
        "for others",
        { external: { ...external, when: allExternalReasons.filter((other) => other !== reason) } },
        false,
      ],
    ];
    for (const [name, run, isMeant] of runs) {
      const before = listener.bytes;
      await runTwice(way, { ...run, request: { ...(isMeant ? longer : request), ...run.request } });
      t.equal(listener.bytes > before, isMeant && reason !== null, `${way.route}, ${name}`);
    }
  }

  return { check };
}

/** Codex asks the backend once. */
const provider = { requestMaxRetries: 0, streamMaxRetries: 0 };

t.test("what the backend does to a turn", async (t) => {
  const harness = await startServiceHarness(t, { provider });
  await harness.untilReady();
  const { check } = await startCounting(t, harness);
  for (const { name, reason, reply, request } of rows)
    await t.test(`${name}: ${reason ?? "the task ends"}`, async (t) => {
      harness.backend.setDefaultReply(reply);
      await check(t, reason, request);
    });
});

t.test("the model is overloaded: overloaded", async (t) => {
  // The service lets such turns wait for a better moment.
  const env = { CODEX_NATIVE_API_QUEUE_TIMEOUT_MS: "500" };
  const harness = await startServiceHarness(t, { provider, env });
  await harness.untilReady();
  harness.backend.setDefaultReply(overloaded());
  const { check } = await startCounting(t, harness);
  await check(t, "overloaded");
});

t.test("what the account and the service come to", async (t) => {
  const harness = await startServiceHarness(t, { provider });
  const { backend, service, userHome, untilReady } = harness;
  await untilReady();
  const { check } = await startCounting(t, harness);
  await t.test("the plan is used up: usage_limit", async (t) => {
    backend.setRateLimits({ primary: usedUpFor(600) });
    backend.setDefaultReply(usageLimitReached({ resetsInSeconds: 600 }));
    await check(t, "usage_limit");
  });
  await t.test("nobody is logged in: not_logged_in", async (t) => {
    await logout(userHome);
    await pollUntil(() => {
      const readiness = service.health()?.readiness;
      return readiness?.ready === false && readiness.error.code === "native_login_required";
    });
    await check(t, "not_logged_in");
  });
  await t.test("the service is stopped: unreachable", async (t) => {
    await service.stop();
    await check(t, "unreachable");
  });
});

t.test("a runtime under the account whose plan is used up is skipped, and the task is sent", async (t) => {
  const harness = await startServiceHarness(t, { provider });
  await harness.untilReady();
  const own = await createRuntimeHarness(t, { login: "chatgpt" });
  t.same(await own.runtime.start(), { ready: true });
  const listener = await ScriptedListener.start(t, answerInDialect("from the provider"));
  const { backend, url } = harness;
  backend.setDefaultReply(text("native"));
  const external = { baseUrl: `${listener.url}/v1`, apiKey: null, model: "m", dialect: "responses" } as const;
  const settings = { localApi: localApiAt(url), external };
  const router = new CodexNativeApiSideTaskRouter({ settings, runtime: own.runtime });
  t.teardown(() => router.destroy());
  const task = { taskClass: "normalization", input: "a private sentence" } as const;
  t.match(await router.execute(task), { route: "localhost_api" });
  t.equal(listener.bytes, 0);
  backend.setDefaultReply(usageLimitReached({ resetsInSeconds: 600 }));
  for (const first of [{ outcome: "usage_limit" }, { code: "circuit_open" }])
    t.match(await router.execute(task), {
      outputText: "from the provider",
      routesTried: [first, { code: "plan_used_up" }, { outcome: "served" }],
    });
  t.ok(listener.bytes > 0);
  t.equal(own.backend.requests.length, 0, "the own runtime has the same plan");
});
