import t from "tap";
import {
  choiceConfidence,
  indexOfLargest,
  meanLevel,
  normalize,
  scoreConfidence,
  spread,
} from "../../../../src/main/dialects/decisions/distribution.js";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

t.test("stated probabilities are scaled to a sum of 1", async (t) => {
  t.strictSame(normalize([0.5, 0.5]), [0.5, 0.5]);
  t.strictSame(normalize([0.2, 0.2]), [0.5, 0.5]);
  t.strictSame(normalize([1, 1, 1, 1]), [0.25, 0.25, 0.25, 0.25]);
  t.strictSame(normalize([0, 1, 0]), [0, 1, 0]);
  for (const stated of [[0.1, 0.2, 0.7], [0.3, 0.3, 0.3], Array(255).fill(0.01)])
    t.equal(sum(normalize(stated) ?? []), 1);
  t.equal(normalize([0, 0]), null, "nothing was said");
  t.equal(sum(normalize([5e-324, 0]) ?? []), 1, "the smallest number there is");
});

t.test("whatever is stated, the sum is 1 and the likeliest stays the first of the likeliest", async (t) => {
  const alike = (count: number, probability: number) => Array<number>(count).fill(probability);
  // Of fractions whose rounded sum misses 1 by much, by little, and by more than the likeliest can give.
  const pieces = [0.1, 0.2, 0.3, 0.7, 1e-17, 1e-320, 1, 0];
  const mixed = Array.from({ length: 2_000 }, (_, seed) =>
    Array.from({ length: 2 + (seed % 31) }, (_, at) => pieces[(seed * 7 + at * at * (seed % 5)) % 8] ?? 0),
  );
  const even = Array.from({ length: 254 }, (_, more) => alike(more + 2, 0.3));
  for (const stated of [...even, ...mixed, [0.2, 0.7, 0.7, 0.7, 0.1, 0.3, 0.3], alike(6, 1e-17)]) {
    const scaled = normalize(stated);
    if (scaled === null) continue;
    const shown = `${stated.length} values: ${stated.slice(0, 8).join(", ")}`;
    if (sum(scaled) !== 1) t.equal(sum(scaled), 1, shown);
    if (indexOfLargest(scaled) !== indexOfLargest(stated)) t.fail(`another is the likeliest of ${shown}`);
    if (scaled.some((value) => value < 0 || value > 1)) t.fail(`out of bounds: ${shown}`);
  }
});

t.test("equal probabilities have no confidence at all", async (t) => {
  for (let count = 2; count <= 255; count += 1) {
    t.equal(choiceConfidence(normalize(Array(count).fill(0.3)) ?? []), 0, `${count}`);
  }
});

t.test(
  "what the named values leave is spread over the others, and makes none of them likelier",
  async (t) => {
    t.strictSame(spread(new Map([[1, 0.8]]), 3), [0.09999999999999998, 0.8, 0.09999999999999998]);
    t.strictSame(spread(new Map([[0, 0.01]]), 3), [0.01, 0.01, 0.01]);
    t.strictSame(
      spread(
        new Map([
          [0, 0.9],
          [2, 0.6],
        ]),
        3,
      ),
      [0.9, 0, 0.6],
      "more than 1 leaves nothing",
    );
  },
);

t.test("confidence is as OpenAI's API was seen to answer", async (t) => {
  t.equal(choiceConfidence([1, 0]), 1);
  t.equal(choiceConfidence([0.5, 0.5]), 0);
  t.equal(choiceConfidence([0.9, 0.1]).toFixed(2), "0.80");
  t.equal(scoreConfidence([0.06, 0.94, 0]).toFixed(2), "0.91");
  t.equal(scoreConfidence([0, 1]), 1);
  t.equal(scoreConfidence([0.5, 0, 0.5]), 0);
});

t.test("a score is the mean of its levels, and never above the last", async (t) => {
  t.equal(meanLevel([0, 0.5, 0.5]), 1.5);
  t.equal(meanLevel([0, 0, 0.5, 0.5000000001]), 2.5000000003);
  t.equal(meanLevel([0, 1.0000000001]), 1);
});
