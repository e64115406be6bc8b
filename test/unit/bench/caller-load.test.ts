import t from "tap";
import type { CallerTurn } from "../../../bench/contestants/named-callers.js";
import {
  describeCallerFaults,
  runCallers,
  summariseWaits,
  unfairnessOf,
} from "../../../bench/measure/caller-load.js";
import { followPhase } from "../../../bench/measure/limit-watch.js";

function turnOf(caller: string, ms: number, fault: string | null = null): CallerTurn {
  const status = fault === null ? 200 : 429;
  return { caller, startMs: 0, endMs: ms, status, fault, retryAfterSeconds: null };
}

t.test("a wait is what a turn took beside the backend's own time", async (t) => {
  const turns = [turnOf("a", 500), turnOf("a", 700), turnOf("b", 1_500)];
  t.match(summariseWaits(turns, 500), { meanMs: 400, p50Ms: 200, maxMs: 1_000 });
});

t.test(
  "fairness compares the caller that waited longest with the mean of callers, not of turns",
  async (t) => {
    const turns = [turnOf("a", 200), turnOf("a", 200), turnOf("a", 200), turnOf("b", 400)];
    t.equal(unfairnessOf(turns, 100), 300 / 200);
  },
);

t.test("faults are told by kind with how often they came", async (t) => {
  const turns = [turnOf("a", 1, "queue_full"), turnOf("b", 1), turnOf("c", 1, "queue_full")];
  t.strictSame(describeCallerFaults("batch", turns), ["batch: 2 times HTTP 429 queue_full"]);
});

t.test("a load that is out of time ends, and what was under way is no turn of it", async (t) => {
  const { turns, isCut } = await runCallers({
    callers: 2,
    turnsEach: 2,
    maxMs: 50,
    signal: new AbortController().signal,
    ask: async (caller, signal) => {
      if (caller === "caller-0") return turnOf(caller, 1);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  t.ok(isCut);
  t.strictSame(
    turns.map(({ caller }) => caller),
    ["caller-0", "caller-0"],
  );
});

t.test("a load that its run interrupts rejects", async (t) => {
  const run = new AbortController();
  const load = runCallers({
    callers: 1,
    turnsEach: 1,
    maxMs: 60_000,
    signal: run.signal,
    ask: (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  run.abort(new Error("interrupted"));
  await t.rejects(load, { message: "interrupted" });
});

t.test(
  "a change is followed when the limit is the account's and the turns in work are, but for one",
  async (t) => {
    const readings = [
      { atMs: 900, limit: 2, inWork: 2 },
      { atMs: 1_100, limit: 4, inWork: 4 },
      { atMs: 1_200, limit: 2, inWork: 4 },
      { atMs: 1_300, limit: 2, inWork: 2 },
      { atMs: 1_400, limit: 3, inWork: 1 },
    ];
    const phase = { streams: 2, fromMs: 1_000, toMs: 2_000 };
    t.strictSame(followPhase(readings, phase), { streams: 2, afterMs: 300, use: 0.75 });
    t.match(followPhase(readings, { ...phase, streams: 8 }), { afterMs: Number.NaN });
  },
);
