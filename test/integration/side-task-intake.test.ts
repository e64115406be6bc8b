/** How a task is taken from its host, whose objects may be of any shape and may change. */
import { getEventListeners, once } from "node:events";
import t from "tap";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { failWith, hang } from "../support/scripted-listener.js";
import { failureOf, startSideTaskHarness } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "x" };

t.test("what the host changes after its call reaches no route", async (t) => {
  const { router, api, runtime, provider } = await startSideTaskHarness(t, {
    api: failWith(503, "native_login_required"),
    direct: async () => {
      throw new Error("the runtime is broken");
    },
  });
  const input = [{ role: "user", content: "first" }];
  const eventMetadata: Record<string, unknown> = { at: new Date(0) };
  const fallback = { baseUrl: `${provider.url}/v1`, apiKey: null, model: "m" };
  const done = router.execute({ taskClass: "normalization", input, metadata: { eventMetadata }, fallback });
  input.push({ role: "user", content: "second" });
  eventMetadata.later = 1n;
  fallback.baseUrl = "http://later.example/v1";
  t.equal((await done).route, "external_provider");
  t.match(api.requests[0]?.body.metadata, {
    codexbridge: { eventMetadata: { at: "1970-01-01T00:00:00.000Z" } },
  });
  const sent = [api.requests[0]?.body.input, runtime.turns[0]?.request.items, provider.requests[0]?.body];
  for (const each of sent) {
    t.match(JSON.stringify(each), "first");
    t.notMatch(JSON.stringify(each), "second");
  }
});

t.test("a task of the wrong shape is its host's fault, and leaves nothing behind", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  for (const [change, param] of [
    [{ signal: "abort" }, "signal"],
    [{ signal: {} }, "signal"],
    [{ taskClass: "x".repeat(1_000_000) }, "taskClass"],
    [{ taskClass: undefined }, "taskClass"],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs"],
    [{ timeoutMs: Number.NaN }, "timeoutMs"],
    [{ metadata: "text" }, "metadata"],
    [{ metadata: [] }, "metadata"],
    [{ metadata: { include: "eventMetadata" } }, "metadata.include"],
    [{ metadata: { include: ["constructor"] } }, "metadata.include"],
  ] as const) {
    const error = await failureOf(router.execute({ ...task, ...change } as unknown as SideTaskRequest));
    t.match(error, { code: "bad_request", param });
    t.ok(error.message.length < 500);
  }
  for (const request of [null, undefined, "task", []])
    t.equal((await failureOf(router.execute(request as unknown as SideTaskRequest))).code, "bad_request");
  t.equal(router.running + api.requests.length, 0);
  const absent = { ...task, signal: null, metadata: null, model: null, timeoutMs: null };
  t.equal((await router.execute(absent as unknown as SideTaskRequest)).route, "localhost_api");
});

t.test("one signal may stand for many tasks, without a warning and without a listener left", async (t) => {
  const { router, api } = await startSideTaskHarness(t, { api: hang });
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  t.teardown(() => process.off("warning", note));
  const stop = new AbortController();
  const tasks = Array.from({ length: 60 }, () => failureOf(router.execute({ ...task, signal: stop.signal })));
  await api.received(60);
  t.equal(getEventListeners(stop.signal, "abort").length, 60);
  const aborted = once(stop.signal, "abort");
  stop.abort();
  await aborted;
  for (const error of await Promise.all(tasks)) t.equal(error.code, "cancelled");
  t.equal(getEventListeners(stop.signal, "abort").length, 0);
  t.strictSame(warnings, []);
});
