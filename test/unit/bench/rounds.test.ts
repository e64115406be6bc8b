import t from "tap";
import { alternate, ofThing } from "../../../bench/measure/rounds.js";

const never = new AbortController().signal;

t.test("every other round runs backwards, and results stay with whom they are of", async (t) => {
  const order: string[] = [];
  const rounds = await alternate(
    ["a", "b"],
    3,
    { signal: never, timeLeftMs: () => 1_000_000 },
    async (thing) => {
      order.push(thing);
      return `${thing}${order.length}`;
    },
  );
  t.strictSame(order, ["a", "b", "b", "a", "a", "b"]);
  t.strictSame(ofThing(rounds, 0), ["a1", "a4", "a5"]);
  t.strictSame(ofThing(rounds, 1), ["b2", "b3", "b6"]);
});

t.test("without time left there is one round and no more", async (t) => {
  const rounds = await alternate(["a"], 5, { signal: never, timeLeftMs: () => -1 }, async (thing) => thing);
  t.equal(rounds.length, 1);
});

t.test("an aborted measurement ends between two measurements", async (t) => {
  const abort = new AbortController();
  const context = { signal: abort.signal, timeLeftMs: () => 1_000_000 };
  let measured = 0;
  const rounds = alternate(["a", "b"], 5, context, async () => {
    measured++;
    abort.abort(new Error("enough"));
  });
  await t.rejects(rounds, { message: "enough" });
  t.equal(measured, 1);
});
