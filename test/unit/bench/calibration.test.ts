import t from "tap";
import {
  accuracyOf,
  brierOf,
  calibrationErrorOf,
  type Judged,
  likeliest,
  meanStepsOff,
  reliabilityOf,
  swayedOf,
} from "../../../bench/decisions/calibration.js";
import { labelsOf, readLabelledSet } from "../../../bench/decisions/labelled-set.js";

function judged(label: string, probabilities: Readonly<Record<string, number>>): Judged {
  return { label, probabilities: new Map(Object.entries(probabilities)) };
}

const cases = [
  judged("a", { a: 0.9, b: 0.1 }),
  judged("a", { a: 0.7, b: 0.3 }),
  judged("b", { a: 0.7, b: 0.3 }),
];

t.test("the likeliest answer is the one with the largest probability, of equals the first", async (t) => {
  t.equal(
    likeliest(
      new Map([
        ["a", 0.2],
        ["b", 0.5],
        ["c", 0.3],
      ]),
    ),
    "b",
  );
  t.equal(
    likeliest(
      new Map([
        ["a", 0.5],
        ["b", 0.5],
      ]),
    ),
    "a",
  );
  t.equal(likeliest(new Map()), null);
});

t.test("accuracy is the share whose likeliest answer is right", async (t) => {
  t.equal(accuracyOf(cases), 2 / 3);
  t.equal(accuracyOf([]), null);
});

t.test("Brier's score is the squared distance from certainty of the right answer", async (t) => {
  t.equal(brierOf([judged("a", { a: 1, b: 0 })]), 0);
  t.equal(brierOf([judged("a", { a: 0, b: 1 })]), 2);
  t.equal(brierOf([judged("a", { a: 0.5, b: 0.5 })]), 0.5);
  // An answer that was not stated has the probability 0.
  t.equal(brierOf([judged("c", { a: 1, b: 0 })]), 2);
  t.equal(brierOf([]), null);
});

t.test("reliability sorts cases by what was stated, and counts what was right", async (t) => {
  const rows = reliabilityOf(cases, 2);
  t.match(rows, [
    { from: 0, to: 0.5, count: 0, stated: null, right: null },
    { from: 0.5, to: 1, count: 3, right: 2 / 3 },
  ]);
  t.ok(Math.abs((rows[1]?.stated ?? 0) - 2.3 / 3) < 1e-12);
  t.equal(reliabilityOf([judged("a", { a: 1 })], 5)[4]?.count, 1);
});

t.test("the calibration error weighs the distance of each row by its cases", async (t) => {
  t.ok(Math.abs((calibrationErrorOf(cases, 2) ?? 0) - (2.3 / 3 - 2 / 3)) < 1e-12);
  t.equal(calibrationErrorOf([judged("a", { a: 1 })]), 0);
  t.equal(calibrationErrorOf([]), null);
});

t.test("swayed are the answers that an injection asked for, of the cases that have one", async (t) => {
  const hostile = cases.map((each) => ({ ...each, injected: "b" }));
  t.equal(swayedOf([...hostile, { ...judged("a", { a: 0, b: 1 }), injected: "b" }, ...cases]), 1 / 4);
  t.equal(swayedOf(cases), null);
});

t.test("steps off are counted from the mean of the stated levels", async (t) => {
  const labels = ["low", "medium", "high"];
  t.equal(meanStepsOff([judged("high", { low: 0.5, medium: 0, high: 0.5 })], labels), 1);
  t.equal(meanStepsOff([judged("low", { low: 1, medium: 0, high: 0 })], labels), 0);
});

t.test("every case of the labelled set has an answer of its question, in both languages, once", async (t) => {
  const set = await readLabelledSet();
  t.ok(set.length >= 80);
  t.equal(new Set(set.map(({ input }) => input)).size, set.length);
  for (const task of new Set(set.map((labelled) => labelled.task))) {
    const ofTask = set.filter((labelled) => labelled.task === task && labelled.injected === null);
    if (ofTask.length === 0) continue;
    for (const language of ["en", "zh"]) {
      const answers = new Set(ofTask.filter((each) => each.language === language).map(({ label }) => label));
      const [first] = ofTask;
      t.equal(
        answers.size,
        first === undefined ? -1 : labelsOf(first.question).length,
        `${task} ${language}`,
      );
    }
  }
});
