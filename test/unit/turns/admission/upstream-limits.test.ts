/** What is remembered of an account's limits, and what is not. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { UpstreamLimits } from "../../../../src/main/turns/admission/upstream-limits.js";
import { makeTemporaryDirectory } from "../../../support/runtime-harness.js";

const dayMs = 24 * 60 * 60 * 1_000;

interface Clock {
  nowMs: number;
}

async function openLimits(file: string | null, clock: Clock = { nowMs: 0 }): Promise<UpstreamLimits> {
  const now = () => clock.nowMs;
  const options = { limit: "auto", most: () => 1_000, file, now, wallClock: now } as const;
  const limits = new UpstreamLimits(options, () => "account", pino({ enabled: false }));
  await limits.load();
  return limits;
}

/** Two turns are taken and a third one is refused. */
function learnTwo(limits: UpstreamLimits): void {
  const seats = [1, 2, 3].map(() => limits.enter("model"));
  for (const seat of seats) seat.started();
  const [first, second, third] = seats;
  first?.accepted();
  second?.accepted();
  third?.refused("account");
  for (const seat of seats) seat.leave();
}

function limitOf(limits: UpstreamLimits): number | undefined {
  limits.hasRoom("model");
  return limits.health().find(({ model }) => model === null)?.limit;
}

t.test("names of models that callers make up do not push the account's limit out", async (t) => {
  const limits = await openLimits(null);
  learnTwo(limits);
  for (let index = 0; index < 100; index += 1) limits.hasRoom(`looked for ${index}`);
  for (let index = 0; index < 100; index += 1) limits.enter(`ran ${index}`).leave();
  t.equal(limitOf(limits), 2);
});

t.test("the service's own bound can be raised, and the limit grows up to it", async (t) => {
  let most = 1;
  const options = { limit: "auto", most: () => most, file: null, now: () => 0, wallClock: () => 0 } as const;
  const limits = new UpstreamLimits(options, () => "account", pino({ enabled: false }));
  const accept = (): void => {
    const seat = limits.enter("model");
    seat.started();
    seat.accepted();
    seat.leave();
  };
  accept();
  t.equal(limitOf(limits), 1);
  most = 3;
  accept();
  t.equal(limitOf(limits), 2);
  t.ok(limits.hasRoom("model"));
});

t.test("a model with a name of any length leaves a file that can be read again", async (t) => {
  const file = join(await makeTemporaryDirectory(t), "limits.json");
  const limits = await openLimits(file);
  learnTwo(limits);
  const seat = limits.enter("m".repeat(10_000));
  seat.started();
  seat.refused("model");
  await limits.close();
  t.ok((await readFile(file, "utf8")).length < 1_000);
  t.equal(limitOf(await openLimits(file)), 2);
});

t.test("a limit that turns went on confirming is not a day old after a restart", async (t) => {
  const file = join(await makeTemporaryDirectory(t), "limits.json");
  const clock = { nowMs: 0 };
  const first = await openLimits(file, clock);
  learnTwo(first);
  await first.close();
  const second = await openLimits(file, clock);
  clock.nowMs = dayMs - 1;
  const seat = second.enter("model");
  seat.accepted();
  seat.leave();
  await second.close();
  clock.nowMs += dayMs - 1;
  t.equal(limitOf(await openLimits(file, clock)), 2);
});
