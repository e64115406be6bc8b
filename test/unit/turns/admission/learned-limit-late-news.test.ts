/**
 * The learned limit where news take their time: a turn is set up, its request travels, and what became of it travels back, each with
 * delays of its own, so that the service never knows exactly what the backend has in work.
 */
import t from "tap";
import { LearnedLimit, type LearnedLimitSeat } from "../../../../src/main/turns/admission/learned-limit.js";

interface Account {
  /** What it takes at a moment, in milliseconds from the start. */
  readonly takes: (atMs: number) => number;
  readonly turns: number;
  readonly turnMs: number;
  /** Mean of each way between service and backend. */
  readonly wayMs: number;
  readonly seed: number;
  readonly endMs?: number;
}

interface Run {
  readonly wallMs: number;
  /** After the first twenty turns. */
  readonly lateRefusals: number;
  /** Part of what the account took between two moments that was in use. */
  readonly use: (fromMs: number, toMs: number) => number;
}

const setUpMs = 60;

function run({ takes, turns, turnMs, wayMs, seed, endMs = Number.POSITIVE_INFINITY }: Account): Run {
  const random = randomOf(seed);
  /** Half of it sure, half of it chance. */
  const about = (ms: number) => ms / 2 - (Math.log(1 - random()) * ms) / 2;
  let [nowMs, waiting, inWork, done, lateRefusals] = [0, turns, 0, 0, 0];
  const work: { readonly atMs: number; readonly inWork: number }[] = [];
  const events: { readonly atMs: number; readonly act: () => void }[] = [];
  const later = (afterMs: number, act: () => void) => {
    const atMs = nowMs + afterMs;
    const index = events.findIndex((event) => event.atMs > atMs);
    events.splice(index === -1 ? events.length : index, 0, { atMs, act });
  };
  const options = {
    start: 6,
    most: () => 1_000,
    now: () => nowMs,
    wallClock: () => nowMs,
    onChange: () => {},
  };
  const limit = new LearnedLimit(options);
  const arrive = (seat: LearnedLimitSeat) => {
    if (inWork >= takes(nowMs)) {
      if (done >= 20) lateRefusals += 1;
      return later(about(wayMs), () => {
        waiting += 1;
        seat.refused();
      });
    }
    inWork += 1;
    const lengthMs = turnMs * (0.85 + 0.3 * random());
    later(lengthMs / 2 + about(wayMs), () => seat.accepted());
    later(lengthMs, () => {
      inWork -= 1;
      later(about(wayMs), () => {
        done += 1;
        seat.leave();
      });
    });
  };
  const begin = (seat: LearnedLimitSeat) => {
    waiting -= 1;
    later(about(setUpMs), () => {
      seat.started();
      later(about(wayMs), () => arrive(seat));
    });
  };
  const pump = () => {
    while (waiting > 0 && limit.hasRoom()) begin(limit.enter());
    const inMs = limit.roomInMs();
    if (waiting > 0 && inMs !== null) later(inMs + 1, () => {});
  };
  pump();
  for (let event = events.shift(); event !== undefined && event.atMs < endMs; event = events.shift()) {
    nowMs = event.atMs;
    event.act();
    pump();
    work.push({ atMs: nowMs, inWork });
    if (waiting === 0 && limit.running === 0) break;
  }
  const use = (fromMs: number, toMs: number) => {
    let used = 0;
    for (const [index, { atMs, inWork }] of work.entries()) {
      const untilMs = Math.min(work[index + 1]?.atMs ?? nowMs, toMs);
      if (untilMs > fromMs) used += inWork * Math.max(0, untilMs - Math.max(atMs, fromMs));
    }
    return used / ((toMs - fromMs) * takes(fromMs));
  };
  return { wallMs: nowMs, lateRefusals, use };
}

/** The same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed * 7_919 + 13;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (const { takes, turnMs, wayMs } of [
  { takes: 1, turnMs: 2_000, wayMs: 60 },
  { takes: 2, turnMs: 2_000, wayMs: 60 },
  { takes: 4, turnMs: 2_000, wayMs: 5 },
  { takes: 4, turnMs: 2_000, wayMs: 60 },
  { takes: 4, turnMs: 500, wayMs: 60 },
  { takes: 4, turnMs: 10_000, wayMs: 150 },
  { takes: 16, turnMs: 2_000, wayMs: 60 },
]) {
  const name = `${takes} at once, turns of ${turnMs} ms, ${wayMs} ms away`;
  t.test(`${name}: the account is kept as busy as the way to it allows, and seldom overrun`, async (t) => {
    const turns = 1_000;
    const possibleMs = (turns / takes) * (turnMs + setUpMs + 2 * wayMs);
    const runs = seeds.map((seed) => run({ takes: () => takes, turns, turnMs, wayMs, seed }));
    const wall = meanOf(runs.map(({ wallMs }) => wallMs)) / possibleMs;
    t.ok(wall <= 1.05, `it took ${wall.toFixed(3)} of what is possible`);
    const refused = meanOf(runs.map(({ lateRefusals }) => lateRefusals)) / turns;
    t.ok(refused < 0.03, `${(100 * refused).toFixed(1)} % were refused after the first twenty turns`);
  });
}

t.test("an account that takes 4, then 2, then 8 is in use again ten seconds after each change", async (t) => {
  const takes = (atMs: number) => (atMs < 15_000 ? 4 : atMs < 30_000 ? 2 : 8);
  const runs = seeds.map((seed) =>
    run({ takes, turns: 10_000, turnMs: 2_000, wayMs: 20, seed, endMs: 60_000 }),
  );
  const useOf = (fromMs: number, toMs: number) => meanOf(runs.map(({ use }) => use(fromMs, toMs)));
  t.ok(useOf(5_000, 15_000) > 0.85, "4 at once");
  t.ok(useOf(25_000, 30_000) > 0.85, "2 at once");
  t.ok(useOf(42_000, 60_000) > 0.8, "8 at once");
});
