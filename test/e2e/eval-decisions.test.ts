import t, { type Test } from "tap";
import { Agent } from "undici";
import { evaluate } from "../../bench/decisions/evaluate.js";
import { readLabelledSet } from "../../bench/decisions/labelled-set.js";
import { answerFrom } from "../../bench/decisions/offline-model.js";
import { renderEvaluation } from "../../bench/decisions/render.js";
import { ways } from "../../bench/decisions/ways.js";
import { httpError } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

async function openEvaluation(test: Test) {
  const harness = await startServiceHarness(test);
  await harness.untilReady();
  const dispatcher = new Agent();
  test.teardown(() => dispatcher.destroy());
  const set = await readLabelledSet();
  const cases = [...new Set(set.map(({ task }) => task))].flatMap((task) =>
    set.filter((labelled) => labelled.task === task).slice(0, 2),
  );
  const { signal } = new AbortController();
  const model = "gpt-6-luna";
  const service = {
    url: harness.url,
    token: null,
    model,
    plainModel: model,
    effort: "low",
    dispatcher,
    signal,
  };
  const run = () => evaluate({ service, cases, ways, concurrency: 2, onCase: () => {} });
  return { backend: harness.backend, cases, run };
}

t.test("each case is asked in both ways, which agree where the model does", async (t) => {
  const { backend, cases, run } = await openEvaluation(t);
  backend.setDefaultReply(answerFrom(cases));
  const reports = await run();
  t.match(reports, [{ way: "decisions" }, { way: "responses" }]);
  for (const { way, all, models, faults } of reports) {
    t.match(all, { cases: cases.length, declined: 0, failed: 0 }, way);
    t.equal(models.length, 1);
    t.strictSame(faults, []);
  }
  const figures = reports.map(({ all, reliability }) => [
    all.accuracy,
    all.brier?.toFixed(6),
    reliability.length,
  ]);
  t.strictSame(figures[0], figures[1]);
  const markdown = renderEvaluation({
    startedAt: "2026-01-01T00:00:00Z",
    model: "offline",
    codex: "0.0.0",
    package: "0.0.0",
    commit: null,
    ways: reports,
  });
  t.match(markdown, /\| intent injected \| en \| decisions \| 2 \|/);
  t.match(markdown, /say nothing about a model/);
});

t.test("a question that fails is counted, and its reason told once", async (t) => {
  const { backend, cases, run } = await openEvaluation(t);
  backend.setDefaultReply(httpError(400, { message: "No." }));
  const [decisions] = await run();
  t.match(decisions?.all, {
    cases: cases.length,
    failed: cases.length,
    accuracy: null,
    medianMs: null,
  });
  t.equal(decisions?.faults.length, 1);
});
