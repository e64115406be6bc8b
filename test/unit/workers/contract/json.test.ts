import t from "tap";
import { measureJsonBytes } from "../../../../src/workers/contract/json.js";

t.test("the measure is the length of the JSON", async (t) => {
  const values = [
    null,
    true,
    -1.5e30,
    "",
    "näive 漢字 🙂",
    [],
    [1],
    [1, [2, []], {}],
    {},
    { a: 1 },
    { a: undefined, b: "x", ключ: [null, false, { c: {} }] },
  ];
  for (const value of values) {
    t.equal(measureJsonBytes(value), Buffer.byteLength(JSON.stringify(value)), JSON.stringify(value));
  }
});

t.test("nesting deeper than the call stack is measured", async (t) => {
  let value: unknown = "x";
  for (let depth = 0; depth < 200_000; depth += 1) value = [value];
  t.equal(measureJsonBytes(value), 3 + 400_000);
});
