import t from "tap";
import { elapsedPart, forecast } from "../../../src/page/figures/forecast.js";
import { quantile, spreadOf } from "../../../src/page/figures/quantiles.js";
import { quantileSeries, spanUntil, timesOf, tokenSeries } from "../../../src/page/figures/series.js";
import { currentStage, meanStages, stages, stageTimes } from "../../../src/page/figures/stages.js";
import { endedSince, summarize } from "../../../src/page/figures/summary.js";
import { groupUsage, sumUsage, usageByHour } from "../../../src/page/figures/usage-table.js";
import { makeBusyHour, makeEntry, makeUsage } from "../../support/page-fixtures.js";

const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;

t.test("quantiles lie between the samples, and none has none", async (t) => {
  t.equal(quantile([], 0.5), null);
  t.equal(quantile([7], 0.95), 7);
  t.equal(quantile([0, 10], 0.5), 5);
  t.strictSame(spreadOf([4, 1, 3, 2]), { count: 4, p50: 2.5, p95: 3.8499999999999996 });
});

t.test("a window that is used evenly ends where its pace leads", async (t) => {
  const window = {
    name: "primary",
    used_percent: 20,
    window_minutes: 300,
    resets_at_ms: nowMs + 2.5 * hourMs,
  };
  t.equal(elapsedPart(window, nowMs), 0.5);
  t.strictSame(forecast(window, nowMs), { kind: "lasts", percentAtReset: 40 });
  t.strictSame(forecast({ ...window, used_percent: 80 }, nowMs), {
    kind: "runs_out",
    atMs: nowMs + 0.625 * hourMs,
  });
  t.strictSame(forecast({ ...window, used_percent: 100 }, nowMs), { kind: "used_up" });
});

t.test(
  "nothing is foretold of a window that has just begun, is over, or whose times are unknown",
  async (t) => {
    const window = {
      name: "primary",
      used_percent: 20,
      window_minutes: 300,
      resets_at_ms: nowMs + 4.9 * hourMs,
    };
    t.strictSame(forecast(window, nowMs), { kind: "none" });
    t.strictSame(forecast({ ...window, resets_at_ms: nowMs - 1 }, nowMs), { kind: "none" });
    t.strictSame(forecast({ ...window, resets_at_ms: null }, nowMs), { kind: "none" });
    t.strictSame(forecast({ ...window, window_minutes: null }, nowMs), { kind: "none" });
    t.strictSame(forecast({ ...window, window_minutes: 0 }, nowMs), { kind: "none" });
  },
);

t.test("stages add up to the whole, also where some were not reached", async (t) => {
  const { timings } = makeEntry();
  const sumOf = (times: Readonly<Record<string, number>>) =>
    Object.values(times).reduce((sum, ms) => sum + ms, 0);
  t.equal(sumOf(stageTimes(timings)), timings.ended_ms);
  const refused = {
    ...timings,
    thread_ready_ms: null,
    turn_started_ms: null,
    first_output_ms: null,
    output_ended_ms: null,
  };
  t.equal(sumOf(stageTimes(refused)), timings.ended_ms);
  t.equal(stageTimes(refused).finish, 1_601);
  t.equal(stageTimes({ ...timings, admitted_ms: 1 }).queue, 0, "clocks that disagree take nothing away");
});

t.test("a running request is in the stage after the last that it reached", async (t) => {
  const { timings } = makeEntry();
  const none = { ...timings, output_ended_ms: null, ended_ms: null };
  t.equal(currentStage(none), "output");
  t.equal(currentStage({ ...none, first_output_ms: null }), "model");
  t.equal(
    currentStage({
      ...none,
      prepared_ms: null,
      admitted_ms: null,
      thread_ready_ms: null,
      turn_started_ms: null,
      first_output_ms: null,
    }),
    "prepare",
  );
});

t.test("means of stages add up to the mean turn", async (t) => {
  const means = meanStages(makeBusyHour(200));
  const sum = stages.reduce((total, stage) => total + (means?.times[stage] ?? 0), 0);
  t.ok(means !== null && Math.abs(sum - means.totalMs) < 1e-6);
  t.equal(meanStages([]), null);
});

t.test("a summary counts what ended, failed and was used", async (t) => {
  const failed = makeEntry({
    id: "req_2",
    outcome: "failed",
    usage: null,
    error: { code: "queue_full", param: null, retryable: true, message: null },
    thread: null,
  });
  const summary = summarize([makeEntry(), failed], 60_000);
  t.match(summary, { ended: 2, failed: 1, tokens: 1_380, tokensPerMinute: 1_380, cacheShare: 0.75 });
  t.strictSame(summary.errors, [{ code: "queue_full", count: 1 }]);
  t.match(summary.threads, [{ kind: "spare", count: 1, firstWord: { p50: 420 } }]);
  t.equal(summarize([], 60_000).cacheShare, null);
});

t.test("what ended before the span is left out, and so is what runs", async (t) => {
  const old = makeEntry({ id: "old", started_at_ms: nowMs - 10_000 });
  const running = makeEntry({ id: "running", state: "running", started_at_ms: nowMs });
  const kept = endedSince([running, makeEntry({ started_at_ms: nowMs }), old], nowMs);
  t.strictSame(
    kept.map(({ id }) => id),
    ["req_1"],
  );
});

t.test("a span has buckets whose edges stay, the last of them under way", async (t) => {
  const span = spanUntil(nowMs + 1, 24 * 60_000);
  t.match(span, { count: 24, bucketMs: 60_000 });
  t.strictSame(spanUntil(nowMs + 59_000, 24 * 60_000), span);
  t.equal(timesOf(span).length, 24);
  t.equal(span.fromMs + span.count * span.bucketMs, nowMs + 60_000);
});

t.test("series have each entry in its bucket, and gaps where nothing was", async (t) => {
  const span = spanUntil(nowMs, 24 * 60_000);
  const entries = [makeEntry({ started_at_ms: nowMs - 1_604 - 60_000 })];
  const groups = { groupOf: () => "responses", measure: () => 420, colorOf: () => 1 };
  const [p50, p95] = quantileSeries(entries, span, groups);
  t.equal(p50?.values.filter((value) => value !== null).length, 1);
  t.equal(p50?.values[22], 420);
  t.equal(p95?.isDashed, true);
  const tokens = tokenSeries(entries, span, { groupOf: () => "m", restName: "other", mostGroups: 1 });
  t.equal(tokens[0]?.values[22], 1_380);
});

t.test("the smallest groups of tokens are one", async (t) => {
  const span = spanUntil(Date.now(), 3_600_000);
  const series = tokenSeries(makeBusyHour(100), span, {
    groupOf: ({ model }) => model ?? "none",
    restName: "rest",
    mostGroups: 2,
  });
  t.strictSame(series.map(({ name }) => name).slice(2), ["rest"]);
});

t.test("usage adds up however it is grouped", async (t) => {
  const { data } = makeUsage(makeBusyHour(300, 5 * hourMs, nowMs), nowMs);
  const whole = sumUsage(data);
  for (const key of ["caller", "model", "route", "task_class", "hour"] as const) {
    const groups = groupUsage(data, key);
    t.equal(
      groups.reduce((sum, { requests }) => sum + requests, 0),
      whole.requests,
      key,
    );
    t.equal(
      groups.reduce((sum, { output }) => sum + output, 0),
      whole.output,
      key,
    );
  }
});

t.test("hours without usage are there, and the oldest make room", async (t) => {
  const [row] = makeUsage([makeEntry({ started_at_ms: nowMs - 60 * hourMs })], nowMs).data;
  const { span, sums } = usageByHour(row === undefined ? [] : [row], nowMs, 48);
  t.equal(span.count, 48);
  t.equal(sums.length, 48);
  t.equal(usageByHour([], nowMs, 48).span.count, 12);
});
