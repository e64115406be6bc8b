import t from "tap";
import { RestartPolicy } from "../../../../src/main/codex/process/restart-policy.js";

function makePolicy(
  random: () => number = () => 1,
  maxDelayMs = 300,
): {
  policy: RestartPolicy;
  advance: (ms: number) => void;
} {
  let nowMs = 0;
  const policy = new RestartPolicy({
    maxRestarts: 4,
    windowMs: 60_000,
    baseDelayMs: 100,
    maxDelayMs,
    now: () => nowMs,
    random,
  });
  return {
    policy,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

t.test("each restart in a window waits twice as long, up to the maximum", async (t) => {
  const { policy } = makePolicy();
  const delays = [policy.next(), policy.next(), policy.next()].map(({ delayMs }) => delayMs);
  t.same(delays, [100, 200, 300]);
});

t.test("jitter shortens the wait by at most half", async (t) => {
  const { policy } = makePolicy(() => 0);
  t.equal(policy.next().delayMs, 50);
});

t.test("a process that ran longer than the window is restarted as quickly as the first time", async (t) => {
  const { policy, advance } = makePolicy();
  policy.next();
  policy.next();
  advance(61_000);
  t.equal(policy.next().delayMs, 100);
});

t.test("a process that ran well for a few seconds is restarted as quickly as the first time", async (t) => {
  const { policy, advance } = makePolicy();
  policy.next();
  policy.next();
  advance(6_000);
  t.equal(policy.next().delayMs, 100);
});

t.test("requested restarts do not wait, but count", async (t) => {
  const { policy } = makePolicy();
  t.same(policy.nextAtOnce(), { delayMs: 0, exhausted: false });
  t.equal(policy.next().delayMs, 200);
});

t.test("an exhausted window reports it, and for how long", async (t) => {
  const { policy, advance } = makePolicy(() => 0);
  for (let i = 0; i < 4; i += 1) policy.nextAtOnce();
  advance(10_000);
  const refused = policy.nextAtOnce();
  t.same(refused, { delayMs: 50_000, exhausted: true });
});

t.test("after the wait of an exhausted window there is room again", async (t) => {
  const { policy, advance } = makePolicy(() => 0);
  for (let i = 0; i < 4; i += 1) policy.nextAtOnce();
  advance(policy.nextAtOnce().delayMs + 1);
  t.equal(policy.nextAtOnce().exhausted, false);
});

t.test(
  "a start that spawned no process is retried soon, takes nothing from the window, and is reported at once",
  async (t) => {
    const { policy } = makePolicy();
    const tries = [1, 2, 3].map((failures) => policy.nextTry(failures));
    t.same(tries, Array(3).fill({ delayMs: 300, exhausted: true }));
    t.same(policy.next(), { delayMs: 100, exhausted: false });
  },
);

t.test(
  "attempts that spawned no process wait twice as long each time, up to the maximum, however many there were",
  async (t) => {
    const { policy } = makePolicy(() => 1, 5_000);
    const delays = [1, 2, 3, 4, 17, 1_000_000].map((failures) => policy.nextTry(failures).delayMs);
    t.same(delays, [800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  },
);
