/** The limit that admission learns, driven by a simulated account: events on a clock of the test's own. */
import t from "tap";
import { LearnedLimit, type LearnedLimitSeat } from "../../../../src/main/turns/admission/learned-limit.js";

interface Simulation {
  /** What the account takes at a moment, in milliseconds from the start. */
  readonly takes: (atMs: number) => number;
  readonly turns: number;
  readonly turnMs: number;
}

interface Outcome {
  readonly wallMs: number;
  /** Index of each refused start among all starts. */
  readonly refusedStarts: readonly number[];
  /** The limit after each second. */
  readonly limits: readonly number[];
  readonly runningAt: (atMs: number) => number;
}

const acceptedAfterMs = 60;
const refusedAfterMs = 40;

/** All turns wait from the beginning; a refused one waits again. */
function simulate({ takes, turns, turnMs }: Simulation): Outcome {
  let nowMs = 0;
  let waiting = turns;
  let atBackend = 0;
  let starts = 0;
  const refusedStarts: number[] = [];
  const limits: number[] = [];
  const running: { readonly atMs: number; readonly count: number }[] = [];
  const events: { readonly atMs: number; readonly act: () => void }[] = [];
  const later = (afterMs: number, act: () => void) => {
    const atMs = nowMs + afterMs;
    const index = events.findIndex((event) => event.atMs > atMs);
    events.splice(index === -1 ? events.length : index, 0, { atMs, act });
  };
  const limit = new LearnedLimit({
    start: 6,
    most: () => 1000,
    now: () => nowMs,
    wallClock: () => nowMs,
    onChange: () => {},
  });
  const begin = (seat: LearnedLimitSeat) => {
    const index = starts;
    starts += 1;
    waiting -= 1;
    seat.started();
    if (atBackend >= takes(nowMs)) {
      later(refusedAfterMs, () => {
        refusedStarts.push(index);
        waiting += 1;
        seat.refused();
      });
      return;
    }
    atBackend += 1;
    later(acceptedAfterMs, () => seat.accepted());
    later(turnMs, () => {
      atBackend -= 1;
      seat.leave();
    });
  };
  const pump = () => {
    while (waiting > 0 && limit.hasRoom()) begin(limit.enter());
    const inMs = limit.roomInMs();
    if (waiting > 0 && inMs !== null) later(inMs + 1, () => {});
  };
  pump();
  for (let event = events.shift(); event !== undefined && limits.length < 3_600; event = events.shift()) {
    while (limits.length < Math.floor(event.atMs / 1_000)) limits.push(limit.limit);
    nowMs = event.atMs;
    event.act();
    pump();
    running.push({ atMs: nowMs, count: atBackend });
    if (waiting === 0 && limit.running === 0) break;
  }
  const runningAt = (atMs: number) => running.findLast((each) => each.atMs <= atMs)?.count ?? 0;
  return { wallMs: nowMs, refusedStarts, limits, runningAt };
}

/** A limit for which no time passes. */
function createLimit({ start, most }: { readonly start: number; readonly most: number }): LearnedLimit {
  const time = () => 0;
  return new LearnedLimit({ start, most: () => most, now: time, wallClock: time, onChange: () => {} });
}

for (const takes of [1, 2, 4, 8, 16]) {
  t.test(`an account that takes ${takes} at once is kept busy and seldom overrun`, async (t) => {
    const turns = 1_000;
    const { wallMs, refusedStarts } = simulate({ takes: () => takes, turns, turnMs: 2_000 });
    const idealMs = (turns / takes) * 2_000;
    t.ok(wallMs <= 1.1 * idealMs, `${wallMs} ms of ${idealMs}`);
    const late = refusedStarts.filter((index) => index >= 20).length;
    t.ok(late < 0.03 * turns, `${late} refusals after the first 20 starts`);
  });
}

t.test("a limit that changes in mid-run is followed within ten seconds", async (t) => {
  const takes = (atMs: number) => (atMs < 40_000 ? 4 : atMs < 80_000 ? 2 : 8);
  const { limits, runningAt } = simulate({ takes, turns: 500, turnMs: 2_000 });
  t.equal(runningAt(39_000), 4);
  t.ok((limits[50] ?? 0) <= 3, `ten seconds after 4 became 2 it is ${limits[50]}`);
  t.ok(runningAt(50_000) <= 2);
  t.ok(runningAt(90_000) >= 7, `ten seconds after 2 became 8, ${runningAt(90_000)} run`);
});

t.test("without refusals a thousand turns run together within two seconds", async (t) => {
  const { wallMs, refusedStarts } = simulate({ takes: () => 10_000, turns: 1_000, turnMs: 10_000 });
  t.equal(refusedStarts.length, 0);
  t.ok(wallMs < 12_000, `${wallMs} ms for turns of 10 s`);
});

t.test("an account that takes nothing is asked ever more seldom", async (t) => {
  const { refusedStarts } = simulate({ takes: (atMs) => (atMs < 300_000 ? 0 : 4), turns: 20, turnMs: 2_000 });
  t.ok(refusedStarts.length < 37, `${refusedStarts.length} refusals in five minutes`);
});

t.test("what was learned outlives the process for a day", async (t) => {
  const now = { ms: 0 };
  const options = {
    start: 6,
    most: () => 50,
    now: () => now.ms,
    wallClock: () => now.ms,
    onChange: () => {},
  };
  const first = new LearnedLimit(options);
  const seats = Array.from({ length: 6 }, () => first.enter());
  for (const seat of seats) seat.started();
  for (const seat of seats.slice(3)) seat.refused();
  const record = first.toRecord();
  t.equal(record.limit, 3);
  t.equal(new LearnedLimit(options, record).limit, 3);
  now.ms = 25 * 3_600_000;
  t.equal(new LearnedLimit(options, record).limit, 6);
  t.ok(first.hasRoom());
  t.equal(first.limit, 6, "a running process forgets as well");
});

t.test("a turn that is cancelled says nothing about the limit, and gives its place back once", async (t) => {
  const limit = createLimit({ start: 6, most: 50 });
  const seat = limit.enter();
  seat.leave();
  seat.leave();
  seat.refused();
  seat.accepted();
  t.equal(limit.running, 0);
  t.equal(limit.limit, 6);
});

t.test(
  "turns whose start hangs in Codex keep no others from the account, and count once they have started",
  async (t) => {
    const limit = createLimit({ start: 2, most: 10 });
    const hanging = [limit.enter(), limit.enter()];
    t.equal(limit.hasRoom(), false);
    for (const seat of hanging) seat.overdue();
    t.ok(limit.hasRoom());
    t.equal(limit.running, 0);
    hanging[0]?.started();
    t.equal(limit.running, 1);
    for (const seat of hanging) seat.leave();
    t.equal(limit.running, 0);
  },
);

t.test(
  "on a machine where every start looks as if it hung, few more than the limit are let through",
  async (t) => {
    const limit = createLimit({ start: 2, most: 10 });
    let entered = 0;
    while (limit.hasRoom() && entered < 100) {
      limit.enter().overdue();
      entered += 1;
    }
    t.equal(entered, 10, "eight set aside, and two that would be in the way");
  },
);

t.test("a turn that is silent for long proves no room, and counts as one in work", async (t) => {
  const limit = createLimit({ start: 6, most: 1000 });
  const seats = Array.from({ length: 6 }, () => limit.enter());
  for (const seat of seats) seat.started();
  for (const seat of seats.slice(0, 5)) seat.unrefused();
  t.equal(limit.limit, 6);
  seats[5]?.accepted();
  t.ok(limit.limit > 6, "it was taken on beside five that are in work");
  // Codex slept for longer than that before it asked again and told.
  for (const seat of seats.slice(1, 5)) seat.refused();
  t.ok(limit.limit < 6, `it is ${limit.limit} after four refusals`);
  t.equal(limit.running, 2);
});
