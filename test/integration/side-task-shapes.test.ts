/** Options and tasks as a host in JavaScript may give them: the error names each that has the wrong shape. */
import t from "tap";
import { CodexNativeApiSideTaskError, CodexNativeApiSideTaskRouter } from "../../src/main/index.js";
import { startSideTaskHarness } from "../support/side-task-harness.js";

const settings = { localApi: null, external: null };

function refusalOf(options: unknown): CodexNativeApiSideTaskError | null {
  try {
    Reflect.construct(CodexNativeApiSideTaskRouter, [options]);
  } catch (error) {
    if (error instanceof CodexNativeApiSideTaskError) return error;
    throw error;
  }
  return null;
}

t.test("every option of the router of the wrong shape is named", async (t) => {
  for (const [given, param] of [
    [{ settings: undefined }, "settings"],
    [{ settings: { localApi: null } }, "settings"],
    [{ settings: { ...settings, localApi: { baseUrl: 5 } } }, "settings.localApi.baseUrl"],
    [{ runtime: {} }, "runtime"],
    [{ runtime: null }, "runtime"],
    [{ service: "service" }, "service"],
    [{ taskClasses: [] }, "taskClasses"],
    [{ roots: "/srv" }, "roots"],
    [{ limits: 5 }, "limits"],
    [{ limits: { circuitFailures: "3" } }, "limits.circuitFailures"],
    [{ limits: { routeShare: 2 } }, "limits.routeShare"],
    [{ limits: { maxTasks: 3 } }, "limits.maxTasks"],
    [{ logger: () => {} }, "logger"],
    [{ metadataLevel: "loud" }, "metadataLevel"],
    [{ onEvent: {} }, "onEvent"],
    [{ registry: {} }, "registry"],
    [{ now: 5 }, "now"],
    [{ onevent: () => {} }, "onevent"],
  ] as const) {
    const error = refusalOf({ settings, ...given });
    t.match(error, { code: "bad_request", param }, param);
    t.match(error?.message, param.split(".").at(-1), param);
  }
  const error = refusalOf({ settings, onEvent: 1, registry: 2, onevent: 3 });
  t.match(
    error?.message,
    /onEvent is not allowed.*registry is not allowed.*no option onevent; did you mean onEvent\?/,
  );
  for (const none of [undefined, null, "settings", []])
    t.match(refusalOf(none), { code: "bad_request", param: null, message: /the options must be an object/ });
  t.equal(refusalOf({ settings, logger: undefined, roots: undefined }), null);
});

t.test("every field of a task of the wrong shape is named, and no route is asked", async (t) => {
  const { router, api, runtime } = await startSideTaskHarness(t);
  const task = { taskClass: "normalization", input: "x" };
  const execute = async (given: unknown): Promise<unknown> =>
    Promise.resolve(Reflect.apply(router.execute, router, [given])).catch((error: unknown) => error);
  for (const [given, param] of [
    [{ input: undefined }, "input"],
    [{ input: 5 }, "input"],
    [{ taskClass: undefined }, "taskClass"],
    [{ instructions: 5 }, "instructions"],
    [{ files: "skill.md" }, "files"],
    [{ outputSchema: "object" }, "outputSchema"],
    [{ output: 5 }, "output"],
    [{ model: 5 }, "model"],
    [{ effort: {} }, "effort"],
    [{ timeoutMs: "5" }, "timeoutMs"],
    [{ metadata: "text" }, "metadata"],
    [{ metadata: { eventMetadata: "text" } }, "metadata.eventMetadata"],
    [{ metadata: { threadMetadata: [1] } }, "metadata.threadMetadata"],
    [{ metadata: { include: ["cwd"] } }, "metadata.include"],
    [{ signal: {} }, "signal"],
    [{ provider: 5 }, "provider"],
    [{ fallback: true }, "fallback"],
    [{ inputText: "x" }, "inputText"],
  ] as const)
    t.match(await execute({ ...task, ...given }), { code: "bad_request", param }, param);
  t.match(await execute({ ...task, model: 5, effort: 5 }), {
    message: /model is not allowed.*effort is not allowed/,
  });
  for (const none of [undefined, null, "x"])
    t.match(await execute(none), { code: "bad_request", param: null });
  t.equal(api.requests.length + runtime.turns.length, 0);
  t.match(await execute({ ...task, model: undefined, signal: undefined }), { route: "localhost_api" });
});
