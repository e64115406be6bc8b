import t from "tap";
import { ParkedTurns } from "../../../../src/main/turns/threads/parked-turns.js";

class FakeSession {
  cancelled = false;

  constructor(readonly owner: string | null = null) {}

  cancel(): void {
    this.cancelled = true;
  }
}

function createParking(options: { ttlMs?: number; maxTurns?: number } = {}) {
  const left: FakeSession[] = [];
  const parked = new ParkedTurns<FakeSession>({ ttlMs: 60_000, maxTurns: 10, ...options }, (session) =>
    left.push(session),
  );
  return { parked, left };
}

t.test("a parked turn is taken by exactly its calls, once", async (t) => {
  const { parked } = createParking();
  const session = new FakeSession();
  parked.park("turn", session, ["a", "b"]);
  t.equal(parked.find(["b"], null), "turn");
  t.equal(parked.take("turn", ["b", "a"]), session);
  t.equal(parked.take("turn", ["a", "b"]), null);
  t.equal(parked.size, 0);
});

t.test("answers to other calls mean another history: the turn is given up", async (t) => {
  for (const callIds of [["a"], ["a", "b", "c"], ["a", "x"], []]) {
    const { parked } = createParking();
    const session = new FakeSession();
    parked.park("turn", session, ["a", "b"]);
    t.equal(parked.take("turn", callIds), null);
    t.ok(session.cancelled);
  }
});

t.test("a turn that nobody returns to is given up when its time is over", async (t) => {
  const { parked, left } = createParking({ ttlMs: 1 });
  const session = new FakeSession();
  // The parking's own timer keeps no process alive, so this one does.
  const keepAlive = setInterval(() => {}, 1000);
  parked.park("turn", session, ["a"]);
  while (parked.size > 0) await new Promise((resolve) => setImmediate(resolve));
  clearInterval(keepAlive);
  t.ok(session.cancelled);
  t.equal(left.length, 1);
});

t.test("beyond the bound the turn that was parked first makes room", async (t) => {
  const { parked } = createParking({ maxTurns: 2 });
  const sessions = [new FakeSession(), new FakeSession(), new FakeSession()];
  for (const [index, session] of sessions.entries()) parked.park(`turn ${index}`, session, ["a"]);
  t.same(
    sessions.map((session) => session.cancelled),
    [true, false, false],
  );
  parked.abandonAll();
  t.equal(parked.size, 0);
});

t.test("a parked turn of one owner is not found by another, nor by nobody", async (t) => {
  const { parked } = createParking();
  parked.park("turn", new FakeSession("ada"), ["a"]);
  t.equal(parked.find(["a"], "bob"), null);
  t.equal(parked.find(["a"], null), null);
  t.equal(parked.find(["a"], "ada"), "turn");
});
