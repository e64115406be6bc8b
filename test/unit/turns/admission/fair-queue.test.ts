import t from "tap";
import { FairQueue, type QueueEntry } from "../../../../src/main/turns/admission/fair-queue.js";

interface Entry extends QueueEntry {
  readonly name: string;
}

function entry(name: string, other: Partial<QueueEntry> = {}): Entry {
  return { name, caller: name.slice(0, 1), priority: "interactive", pool: "", ...other };
}

function drain(queue: FairQueue<Entry>, canStart: (head: Entry) => boolean = () => true): string[] {
  const names: string[] = [];
  for (let next = queue.next(canStart); next !== undefined; next = queue.next(canStart)) {
    queue.take(next);
    names.push(next.name);
  }
  return names;
}

t.test("the queue serves callers in turns, each caller in order", async (t) => {
  const queue = new FairQueue<Entry>();
  for (const name of ["a1", "a2", "a3", "b1", "c1"]) queue.push(entry(name));
  t.equal(queue.size, 5);
  t.same(drain(queue), ["a1", "b1", "c1", "a2", "a3"]);
  t.equal(queue.size, 0);
});

t.test("an entry can leave the queue from anywhere", async (t) => {
  const queue = new FairQueue<Entry>();
  const [first, second] = [entry("a1"), entry("a2")];
  queue.push(first);
  queue.push(second);
  t.ok(queue.delete(first));
  t.notOk(queue.delete(first));
  t.same(drain(queue), ["a2"]);
});

t.test("an entry that is put back goes before all others of its caller", async (t) => {
  const queue = new FairQueue<Entry>();
  const first = entry("a1");
  queue.push(first);
  queue.push(entry("a2"));
  queue.push(entry("b1"));
  queue.take(first);
  queue.putBack(first);
  t.same(drain(queue), ["b1", "a1", "a2"]);
});

t.test("entries whose pool has no room do not hold up others of the same caller", async (t) => {
  const queue = new FairQueue<Entry>();
  queue.push(entry("a1", { pool: "full" }));
  queue.push(entry("a2", { pool: "free" }));
  queue.push(entry("a3", { pool: "free" }));
  t.same(
    drain(queue, ({ pool }) => pool === "free"),
    ["a2", "a3"],
  );
  t.equal(queue.size, 1);
});

t.test("background entries wait for interactive ones, yet not for ever", async (t) => {
  const queue = new FairQueue<Entry>();
  for (let index = 0; index < 3; index += 1) queue.push(entry(`b${index}`, { priority: "background" }));
  for (let index = 0; index < 12; index += 1) queue.push(entry(`a${index}`));
  const order = drain(queue);
  t.equal(order.indexOf("b0"), 8);
  t.same(order.slice(-2), ["b1", "b2"]);
});

t.test("the caller with the longest line is known, and what it pushed last", async (t) => {
  const queue = new FairQueue<Entry>();
  t.equal(queue.longestCaller(), undefined);
  for (const name of ["a1", "b1", "b2", "b3"]) queue.push(entry(name));
  t.equal(queue.longestCaller(), "b");
  t.equal(queue.newestOf("b")?.name, "b3");
  t.equal(queue.waitingOf("b"), 3);
});

t.test(
  "an entry that was taken and could not run keeps its turn in the round, and its caller no more",
  async (t) => {
    const queue = new FairQueue<Entry>();
    for (const name of ["a1", "b1", "c1", "a2"]) queue.push(entry(name));
    const first = queue.next(() => true);
    if (first === undefined) throw new Error("the queue is empty");
    queue.take(first);
    queue.putBack(first, true);
    t.same(drain(queue), ["a1", "b1", "c1", "a2"]);
    t.equal(queue.size, 0);
  },
);

t.test("an entry that keeps its turn holds up nobody who needs room elsewhere", async (t) => {
  const queue = new FairQueue<Entry>();
  queue.putBack(entry("a1", { pool: "full" }), true);
  queue.push(entry("b1"));
  t.same(
    drain(queue, ({ pool }) => pool !== "full"),
    ["b1"],
  );
  t.same(drain(queue), ["a1"]);
});
