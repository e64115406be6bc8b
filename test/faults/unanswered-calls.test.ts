/** Calls that Codex leaves unanswered on a connection that goes on answering everything else: they cost their own turn only. */
import t, { type Test } from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import type { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { userMessage } from "../support/runtime-harness.js";
import {
  attachRuntime,
  runTurn,
  type ScriptedAppServer,
  type ScriptedCall,
} from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

/** Those below take their 28 seconds beside each other. */
t.jobs = 3;
const startCalls = ["thread/start", "thread/inject_items", "turn/start"] as const;

/** Leaves this call of every turn with these instructions unanswered. */
function ignoreCallsOf(appServer: ScriptedAppServer, instructions: string, method: string): void {
  const ignoredThreads = new Set<unknown>();
  const isIgnored = ({ params }: ScriptedCall): boolean =>
    params.baseInstructions === instructions || ignoredThreads.has(params.threadId);
  if (method !== "thread/start") {
    let ignored = 0;
    appServer.answer("thread/start", (call) => {
      if (!isIgnored(call)) return "usual";
      ignored += 1;
      const id = `ignored-${ignored}`;
      ignoredThreads.add(id);
      return { result: { thread: { id }, model: "scripted-model" } };
    });
  }
  appServer.answer(method, (call) => (isIgnored(call) ? "silence" : "usual"));
}

interface Ignored {
  readonly end: Promise<string>;
  leave(): void;
}

/** A turn whose starting calls the app-server was told to ignore. */
function runIgnored(runtime: CodexNativeRuntime): Ignored {
  const controller = new AbortController();
  const items = [userMessage("I have a question."), userMessage("Which one?")];
  const end = runtime.runIsolatedTurn({ items, instructions: "ignored" }, { signal: controller.signal }).then(
    ({ outcome }): string => outcome.status,
    (error: unknown) => (error instanceof CodexNativeApiError ? error.code : String(error)),
  );
  return { end, leave: () => controller.abort() };
}

async function timeTurn(t: Test, runtime: CodexNativeRuntime): Promise<number> {
  const startedAt = performance.now();
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  return performance.now() - startedAt;
}

for (const method of startCalls) {
  const name = `eight turns whose ${method} is never answered end once, in time, and hold nobody up`;
  t.test(name, { buffered: true }, async (t) => {
    const { appServer, runtime } = await attachRuntime(t, { turns: { idleTimeoutMs: 60_000 } });
    await timeTurn(t, runtime);
    const before = { asked: appServer.countCalls(method), connections: appServer.connections };
    ignoreCallsOf(appServer, "ignored", method);
    const startedAt = performance.now();
    const ignored = Array.from({ length: 8 }, () => runIgnored(runtime));
    await appServer.called(method, before.asked + 8);
    const firstMs = await timeTurn(t, runtime);
    t.ok(firstMs < 20_000, `the next turn took ${firstMs} ms, where it took 30 s`);
    await pollUntil(() => runtime.health().degraded.includes("unanswered_calls"));
    t.ok((await timeTurn(t, runtime)) < 20_000);
    const ends = await Promise.all(ignored.map(({ end }) => end));
    t.strictSame(ends, Array(8).fill("turn_stalled"));
    t.ok(performance.now() - startedAt < 35_000);
    t.equal(appServer.countCalls(method), before.asked + 8 + 2, "none was run again");
    t.equal(appServer.connections, before.connections, "the connection is not blamed");
    await pollUntil(() => runtime.health().degraded.length === 0);
    const { faults } = runtime.health().workers[0] ?? {};
    t.match(faults, { [`unanswered:${method}`]: 8 });
  });
}

for (const method of startCalls) {
  t.test(`a client that leaves while ${method} is not answered frees its places at once`, async (t) => {
    const { appServer, runtime } = await attachRuntime(t, {
      admission: { startGate: 1, maxConcurrentTurns: 1 },
    });
    const asked = appServer.countCalls(method);
    ignoreCallsOf(appServer, "ignored", method);
    const ignored = runIgnored(runtime);
    await appServer.called(method, asked + 1);
    const next = runTurn(runtime);
    ignored.leave();
    t.equal(await ignored.end, "turn_cancelled");
    t.match(await next, { end: "completed" });
    t.match(runtime.health().queue, { depth: 0, running: 0 });
  });
}

t.test("a thread that Codex starts after its turn was given up is unloaded", async (t) => {
  const { appServer, runtime } = await attachRuntime(t);
  let answerLate = () => {};
  appServer.answer("thread/start", ({ client, id }) => {
    answerLate = () => client.send({ id, result: { thread: { id: "late" }, model: "scripted-model" } });
    return "silence";
  });
  const ignored = runIgnored(runtime);
  await appServer.called("thread/start");
  ignored.leave();
  await ignored.end;
  answerLate();
  await appServer.called("thread/unsubscribe");
  t.match(appServer.calls.at(-1), { method: "thread/unsubscribe", params: { threadId: "late" } });
});

t.test(
  "a turn that Codex starts after it was given up is interrupted, and its thread unloaded",
  async (t) => {
    const { appServer, runtime } = await attachRuntime(t);
    let answerLate = () => {};
    appServer.answer("turn/start", ({ client, id }) => {
      answerLate = () => client.send({ id, result: { turn: { id: "late", status: "inProgress" } } });
      return "silence";
    });
    const ignored = runIgnored(runtime);
    await appServer.called("turn/start");
    ignored.leave();
    t.equal(await ignored.end, "turn_cancelled");
    answerLate();
    await appServer.called("thread/unsubscribe");
    t.match(appServer.calls.at(-2), { method: "turn/interrupt", params: { turnId: "late" } });
  },
);

t.test("a thread/unsubscribe that is never answered holds no turn up", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, {
    admission: { startGate: 1, maxConcurrentTurns: 1 },
  });
  appServer.answer("thread/unsubscribe", () => "silence");
  for (let turn = 0; turn < 3; turn += 1) t.ok((await timeTurn(t, runtime)) < 20_000);
});

t.test("a spare thread that is never set up holds no turn up, of its settings or others", async (t) => {
  const { appServer, runtime } = await attachRuntime(t, {
    turns: { spareThreads: 4 },
    admission: { startGate: 1 },
  });
  await runTurn(runtime);
  let own = 0;
  appServer.answer("thread/start", ({ params }) => {
    own += 1;
    // The second turn of its settings starts a thread for itself, then one ahead of need.
    return params.baseInstructions === "" && own === 2 ? "silence" : "usual";
  });
  await runTurn(runtime);
  await appServer.called("thread/start", 3);
  t.ok((await timeTurn(t, runtime)) < 20_000);
  t.ok((await timeTurn(t, runtime)) < 20_000);
});

t.test("where the connection answers nothing at all, it is replaced and the turn is run again", async (t) => {
  const { appServer, runtime } = await attachRuntime(t);
  const [hung] = appServer.clients;
  for (const method of ["thread/start", "thread/loaded/list"]) {
    appServer.answer(method, ({ client }) => (client === hung ? "silence" : "usual"));
  }
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  t.equal(appServer.connections, 2);
});
