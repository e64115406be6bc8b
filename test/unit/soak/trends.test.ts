import t from "tap";
import { type CycleWeight, findTrends, fitSlope } from "../../soak/trends.js";

const mb = 2 ** 20;

/** Cycles of six minutes, of which only the service's memory is looked at. */
function createWeights(megabytes: readonly number[]): readonly CycleWeight[] {
  return megabytes.map((each, index) => ({
    hours: (index + 1) / 10,
    serviceBytes: each * mb,
    serviceDescriptors: 60,
    appServerBytes: 200 * mb,
    appServerDescriptors: 40,
    processes: 3,
    files: 20,
    fileBytes: mb,
  }));
}

const faultsOf = (megabytes: readonly number[]) =>
  findTrends(createWeights(megabytes)).flatMap(({ fault }) => fault ?? []);

t.test("what stays the same, or swings, is flat", async (t) => {
  t.same(faultsOf([200, 200, 200, 200, 200, 200]), []);
  t.same(faultsOf([200, 210, 195, 205, 200, 212]), []);
});

t.test("what the first cycle took and keeps is no growth", async (t) => {
  t.same(faultsOf([150, 200, 200, 200, 200]), []);
});

t.test("what each cycle takes is growth, with its rate", async (t) => {
  t.same(faultsOf([200, 212, 224, 236, 248]), ["memory of the service grows by 120 MB an hour"]);
});

t.test("one reading at a bad moment turns no line", async (t) => {
  t.same(faultsOf([200, 200, 201, 260, 200, 202]), []);
});

t.test("too few cycles for a line are held to the first one", async (t) => {
  t.same(faultsOf([200]), []);
  t.same(faultsOf([200, 300]), []);
  t.same(faultsOf([200, 400]), ["memory of the service rose from 200 MB to 400 MB"]);
  t.equal(findTrends(createWeights([200, 210, 220]))[0]?.perHour, null);
});

t.test("the slope is the middle one of those between all pairs", async (t) => {
  t.equal(
    fitSlope([
      [0, 0],
      [1, 2],
      [2, 4],
      [3, 60],
    ]),
    11,
  );
  t.equal(fitSlope([]), 0);
});
