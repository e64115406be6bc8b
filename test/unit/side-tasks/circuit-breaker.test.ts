import t from "tap";
import { CircuitBreaker, Circuits } from "../../../src/main/side-tasks/circuit-breaker.js";
import type { CircuitEffect } from "../../../src/main/side-tasks/fall-through.js";

function createBreaker() {
  const clock = { ms: 0 };
  const options = {
    failureThreshold: 3,
    openMs: 1_000,
    maxOpenMs: 5_000,
    trialMs: 2_000,
    now: () => clock.ms,
  };
  const breaker = new CircuitBreaker(options);
  const settle = (effect: CircuitEffect, waitMs?: number): boolean => {
    const permit = breaker.enter();
    permit?.settle(effect, waitMs);
    return permit !== null;
  };
  return { breaker, clock, settle, options };
}

t.test("failures in a row open it; one success in between starts the count anew", async (t) => {
  const { breaker, settle } = createBreaker();
  settle("counts");
  settle("counts");
  settle("healthy");
  settle("counts");
  settle("none");
  settle("counts");
  t.equal(breaker.state, "closed");
  settle("counts");
  t.equal(breaker.state, "open");
  t.equal(breaker.enter(), null);
});

t.test("when its time is over one task may look, and decides", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  settle("opens");
  clock.ms = 999;
  t.equal(breaker.state, "open");
  clock.ms = 1_000;
  t.equal(breaker.state, "half_open");
  t.ok(breaker.isPassable);
  const trial = breaker.enter();
  t.equal(breaker.state, "half_open");
  t.notOk(breaker.isPassable);
  t.equal(breaker.enter(), null);
  trial?.settle("healthy");
  t.equal(breaker.state, "closed");
});

t.test("a trial that takes long keeps the others away no longer, and its end still counts", async (t) => {
  for (const end of ["healthy", "counts", "none"] as const) {
    const { breaker, clock, settle } = createBreaker();
    settle("opens");
    clock.ms = 1_000;
    const trial = breaker.enter();
    clock.ms = 2_999;
    t.equal(breaker.enter(), null);
    clock.ms = 3_000;
    t.equal(breaker.state, "closed");
    t.ok(breaker.isPassable);
    t.ok(breaker.enter());
    trial?.settle(end);
    t.equal(breaker.state, end === "counts" ? "open" : "closed", end);
    if (end === "none") t.ok(settle("counts"));
    t.equal(breaker.state, end === "healthy" ? "closed" : "open", `${end}: one failure opens it again`);
    clock.ms = 4_999;
    t.equal(breaker.state, end === "healthy" ? "closed" : "open", `${end}: for twice as long`);
  }
});

t.test("each trial that fails doubles the wait, up to a bound", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  settle("opens");
  for (const waitMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
    clock.ms += waitMs - 1;
    t.equal(breaker.state, "open", `${waitMs} ms`);
    clock.ms += 1;
    t.ok(settle("counts"));
  }
});

t.test("a success makes the wait short again", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  settle("opens");
  clock.ms += 1_000;
  settle("opens");
  clock.ms += 2_000;
  settle("healthy");
  settle("opens");
  clock.ms += 1_000;
  t.equal(breaker.state, "half_open");
});

t.test("it stays open as long as the route asked, up to a bound", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  settle("opens", 3_000);
  clock.ms = 2_999;
  t.equal(breaker.state, "open");
  clock.ms = 3_000;
  t.equal(breaker.state, "half_open");
  settle("opens", 1_000_000);
  clock.ms = 8_000;
  t.equal(breaker.state, "half_open");
});

t.test("a trial that says nothing leaves it to the next task", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  settle("opens");
  clock.ms = 1_000;
  settle("none");
  t.equal(breaker.state, "half_open");
  t.ok(settle("healthy"));
  t.equal(breaker.state, "closed");
});

t.test("tasks let through before a change have no say after it, and each has one say", async (t) => {
  const { breaker, clock, settle } = createBreaker();
  const old = [breaker.enter(), breaker.enter()];
  settle("opens");
  old[0]?.settle("healthy");
  t.equal(breaker.state, "open");
  clock.ms = 1_000;
  const trial = breaker.enter();
  old[1]?.settle("opens");
  t.equal(breaker.state, "half_open");
  trial?.settle("healthy");
  trial?.settle("opens");
  t.equal(breaker.state, "closed");
});

t.test("the place longest unused is forgotten beyond the bound", async (t) => {
  const circuits = new Circuits(createBreaker().options, 2);
  const first = circuits.of("a");
  circuits.of("b");
  t.equal(circuits.of("a"), first);
  circuits.of("c");
  t.strictSame(circuits.states(), { a: "closed", c: "closed" });
  t.equal(circuits.of("a"), first);
});
