import t from "tap";
import { Backoff } from "../../../../src/workers/app-server/session-keeper.js";

function delays(random: number, count: number): number[] {
  const backoff = new Backoff({ minMs: 50, maxMs: 400, random: () => random });
  return Array.from({ length: count }, () => backoff.nextDelayMs());
}

t.test("delays double up to the bound", async (t) => {
  t.strictSame(delays(1, 6), [50, 100, 200, 400, 400, 400]);
});

t.test("jitter takes at most half of a delay", async (t) => {
  t.strictSame(delays(0, 5), [25, 50, 100, 200, 200]);
});

t.test("a reset starts anew", async (t) => {
  const backoff = new Backoff({ minMs: 50, maxMs: 400, random: () => 1 });
  backoff.nextDelayMs();
  backoff.nextDelayMs();
  backoff.reset();
  t.equal(backoff.nextDelayMs(), 50);
});

t.test("any number of attempts stays finite", async (t) => {
  const backoff = new Backoff({ minMs: 50, maxMs: 5_000, random: () => 1 });
  for (let attempt = 0; attempt < 5_000; attempt += 1) backoff.nextDelayMs();
  t.equal(backoff.nextDelayMs(), 5_000);
});
