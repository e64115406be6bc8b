import t from "tap";
import { atLeast, atMost, type Figure, judge, single } from "../../../bench/report/figure.js";
import { renderScenario, renderVerdict } from "../../../bench/report/render.js";
import type { ScenarioRecord } from "../../../bench/report/run-record.js";

function recordOf(figures: readonly Figure[], remarks: readonly string[] = []): ScenarioRecord {
  return {
    name: "some",
    title: "Some scenario",
    seconds: 1,
    outcome: { status: "done", result: { figures, details: null, remarks } },
    leftovers: [],
  };
}

t.test("a figure is judged by its median", async (t) => {
  const spread = { median: 2, min: 1, max: 9, count: 3 };
  const figure = { what: "it", unit: "ms", spread } as const;
  t.equal(judge({ ...figure, target: atMost(2) }), "reached");
  t.equal(judge({ ...figure, target: atMost(1.9) }), "missed");
  t.equal(judge({ ...figure, target: atLeast(2) }), "reached");
  t.equal(judge({ ...figure, target: null }), null);
});

t.test("a figure that could not be measured is not one that was reached", async (t) => {
  t.equal(judge(single("it", "ms", null, atMost(3))), "not measured");
});

t.test("the table has value, spread, target and verdict in a line, and the remarks below", async (t) => {
  const figure: Figure = {
    what: "turn",
    unit: "x",
    spread: { median: 0.805, min: 0.7, max: 1.25, count: 5 },
    target: atMost(0.9),
  };
  const lines = renderScenario(recordOf([figure], ["a peer did not run: no reason"]));
  t.match(lines.join("\n"), /\| turn \| 0\.8\d x \| 0\.70 … 1\.25 \(5\) \| at most 0\.90 x \| reached \|/);
  t.equal(lines.at(-1), "- a peer did not run: no reason");
});

t.test("a scenario that failed says so in place of figures", async (t) => {
  const failed: ScenarioRecord = { ...recordOf([]), outcome: { status: "failed", reason: "it broke" } };
  t.match(renderScenario(failed).join("\n"), /Failed after 1 s: it broke/);
});

t.test("the verdict counts targets and names those missed", async (t) => {
  const figures = [
    single("good", "ms", 1, atMost(2)),
    single("bad", "ms", 3, atMost(2)),
    single("free", "ms", 1),
  ];
  t.strictSame(renderVerdict([recordOf(figures)]), ["1 of 2 targets reached.", "- missed: bad"]);
});
