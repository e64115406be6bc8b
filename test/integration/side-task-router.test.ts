/** The router on real sockets: every row of the fall-through table, and what each route is sent. */
import t from "tap";
import {
  type FallThroughRule,
  failureOfCode,
  fallThroughTable,
} from "../../src/main/side-tasks/fall-through.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { answerDirectly, failureOf, startSideTaskHarness } from "../support/side-task-harness.js";
import { rows } from "../support/side-task-rows.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "  heLLo " };

for (const row of rows) {
  const { next, circuit }: FallThroughRule = fallThroughTable[row.failure];
  t.test(`${row.failure} (${row.code}) ${next ? "falls through" : "ends the task"}`, async (t) => {
    const harness = await startSideTaskHarness(t, {
      api: row.api,
      direct: answerDirectly('{"intent":"question"}'),
      limits: { circuitFailures: 1, blamedTimeoutMs: 0 },
    });
    const { router, runtime, provider, api } = harness;
    const running = router.execute({ ...task, ...row.request });
    const trial = { route: "localhost_api", outcome: row.failure, code: row.code };
    if (next) {
      const result = await running;
      t.equal(result.route, "direct_native");
      t.match(result.routesTried, [trial, { route: "direct_native", outcome: "served", code: null }]);
    } else {
      const error = await failureOf(running);
      t.equal(error.code, row.failure);
      t.match(error.routesTried, [trial]);
      t.equal(runtime.turns.length, 0, "nothing else was asked");
    }
    t.equal(api.requests.length, 1, "asked once");
    t.equal(provider.requests.length, 0);
    const opens = circuit === "counts" || circuit === "opens";
    t.strictSame(Object.values(router.circuits())[0], opens ? "open" : "closed");
  });
}

t.test("every row that a service can bring about is tried above", async (t) => {
  const untried = Object.keys(fallThroughTable).filter((name) => !rows.some((row) => row.failure === name));
  t.strictSame(untried, ["unreachable", "timeout", "cancelled", "closed"]);
  const codes = Object.entries(failureOfCode);
  const isTried = ([code, failure]: readonly [string, string]) =>
    rows.some((row) => row.code === code && row.failure === failure);
  t.strictSame(
    codes.filter((entry) => !isTried(entry)),
    [],
    "and each of its codes",
  );
});

t.test("unreachable falls through: nobody listens", async (t) => {
  const { router, api } = await startSideTaskHarness(t);
  await api.die();
  const result = await router.execute(task);
  t.equal(result.route, "direct_native");
  t.match(result.routesTried[0], { outcome: "unreachable", code: "ECONNREFUSED" });
});
