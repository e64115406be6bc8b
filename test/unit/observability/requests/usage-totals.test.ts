import t from "tap";
import type { UsageReport } from "../../../../src/main/observability/requests/types.js";
import {
  type UsageBounds,
  UsageTotals,
  usageBounds,
} from "../../../../src/main/observability/requests/usage-totals.js";
import { endedOf } from "../../../support/request-entries.js";

const hour = 3_600_000;
const start = 1_790_000_000_000;
const firstHour = Math.floor(start / hour) * hour;

function createTotals(bounds: Partial<UsageBounds> = {}) {
  const clock = { nowMs: start };
  const totals = new UsageTotals(() => clock.nowMs, { ...usageBounds, ...bounds });
  return { clock, totals };
}

function sumOf({ rows }: UsageReport) {
  return {
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    inputTokens: rows.reduce((sum, row) => sum + row.inputTokens, 0),
  };
}

t.test("requests are summed by token, model, route, task class and hour", async (t) => {
  const { clock, totals } = createTotals();
  totals.add(endedOf("a", { caller: "ada", taskClass: "intent" }));
  totals.add(endedOf("b", { caller: "ada", taskClass: "intent", outcome: "failed", usage: null }));
  totals.add(endedOf("c", { caller: "bob", route: "/v1/decisions" }));
  clock.nowMs += hour;
  totals.add(endedOf("d", { caller: "ada", taskClass: "intent" }));
  const one = { model: "gpt-fake", route: "/v1/responses", failed: 0, requests: 1 };
  const tokens = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningOutputTokens: 2 };
  t.strictSame(totals.report(null), {
    sinceMs: start,
    rows: [
      { ...one, ...tokens, caller: "ada", taskClass: "intent", hourMs: firstHour + hour },
      { ...one, ...tokens, caller: "ada", taskClass: "intent", hourMs: firstHour, requests: 2, failed: 1 },
      { ...one, ...tokens, caller: "bob", taskClass: null, hourMs: firstHour, route: "/v1/decisions" },
    ],
    merged: 0,
  });
});

t.test("a viewer sees its own rows, and of merged ones its own too", async (t) => {
  const { totals } = createTotals({ maxRowsPerCaller: 1 });
  for (const caller of ["ada", "bob"]) {
    for (const taskClass of ["one", "two", "three"]) totals.add(endedOf("x", { caller, taskClass }));
  }
  const report = totals.report("ada");
  t.strictSame([...new Set(report.rows.map(({ caller }) => caller))], ["ada"]);
  t.strictSame(sumOf(report), { requests: 3, inputTokens: 30 });
  t.equal(report.merged, 2);
  t.equal(totals.report(null).merged, 4);
  t.strictSame(totals.report("eve").rows, []);
});

t.test("whatever callers name, the rows have a bound and the sums are whole", async (t) => {
  const { totals } = createTotals({ maxRows: 50, maxRowsPerCaller: 20, maxCallers: 10 });
  for (let index = 0; index < 5_000; index += 1) {
    totals.add(endedOf("x", { caller: `caller${index % 100}`, taskClass: `class${index}` }));
  }
  const report = totals.report(null);
  t.ok(report.rows.length <= 50 + 10 + 1, String(report.rows.length));
  t.strictSame(sumOf(report), { requests: 5_000, inputTokens: 50_000 });
  const others = report.rows.filter(({ caller }) => caller === "(other)");
  t.ok(others.length > 0, "callers beyond the bound are one, whose name no token can have");
  t.match(
    report.rows.find(({ hourMs }) => hourMs === null),
    { model: "other", route: "other", taskClass: "other" },
  );
});

t.test("one caller leaves room for the rows of others", async (t) => {
  const { totals } = createTotals({ maxRows: 30, maxRowsPerCaller: 10 });
  for (let index = 0; index < 100; index += 1) {
    totals.add(endedOf("x", { caller: "greedy", taskClass: `class${index}` }));
  }
  totals.add(endedOf("y", { caller: "ada", taskClass: "intent" }));
  t.match(totals.report("ada").rows, [{ taskClass: "intent", hourMs: firstHour }]);
});

t.test("hours older than a week lose their hour and nothing else", async (t) => {
  const { clock, totals } = createTotals({ hours: 3 });
  for (let index = 0; index < 10; index += 1) {
    totals.add(endedOf("x", { caller: "ada" }));
    clock.nowMs += hour;
  }
  const report = totals.report(null);
  t.equal(report.rows.length, 5, "the present hour, three before it, and what is older");
  t.match(report.rows.at(-1), { caller: "ada", model: "gpt-fake", hourMs: null, requests: 6 });
  t.strictSame(sumOf(report), { requests: 10, inputTokens: 100 });
  clock.nowMs = start;
  totals.add(endedOf("y", { caller: "ada" }));
  t.strictSame(sumOf(totals.report(null)), { requests: 11, inputTokens: 110 }, "a clock that jumps back");
});

t.test("tokens that are no numbers do not spoil a sum", async (t) => {
  const { totals } = createTotals();
  const usage = {
    inputTokens: Number.NaN,
    cachedInputTokens: -5,
    outputTokens: Number.POSITIVE_INFINITY,
    reasoningOutputTokens: 1,
    totalTokens: 1,
  };
  totals.add(endedOf("x", { usage }));
  totals.add(endedOf("y"));
  t.match(totals.report(null).rows, [{ inputTokens: 10, cachedInputTokens: 4, outputTokens: 5 }]);
});
