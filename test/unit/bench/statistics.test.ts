import t from "tap";
import {
  differenceSpread,
  median,
  quantile,
  ratioSpread,
  spreadOf,
} from "../../../bench/measure/statistics.js";

t.test("a quantile lies between its neighbours by straight line", async (t) => {
  const values = [40, 10, 30, 20];
  t.equal(quantile(values, 0), 10);
  t.equal(quantile(values, 1), 40);
  t.equal(quantile(values, 0.5), 25);
  t.ok(Math.abs(quantile(values, 0.9) - 37) < 1e-9);
});

t.test("values are not sorted in place", async (t) => {
  const values = [3, 1, 2];
  t.equal(median(values), 2);
  t.strictSame(values, [3, 1, 2]);
});

t.test("of nothing there is no median", async (t) => {
  t.ok(Number.isNaN(median([])));
});

t.test("a spread has median, ends and count", async (t) => {
  t.strictSame(spreadOf([5, 1, 3]), { median: 3, min: 1, max: 5, count: 3 });
});

t.test("a ratio is taken round by round, so that a slow round weighs on both sides", async (t) => {
  const ours = [10, 100, 12];
  const theirs = [20, 200, 20];
  t.strictSame(ratioSpread(ours, theirs), { median: 0.5, min: 0.5, max: 0.6, count: 3 });
  t.strictSame(differenceSpread(ours, theirs), { median: -10, min: -100, max: -8, count: 3 });
});

t.test("a round with one side is refused", async (t) => {
  t.throws(() => ratioSpread([1, 2], [1]));
  t.throws(() => differenceSpread([1], []));
});
