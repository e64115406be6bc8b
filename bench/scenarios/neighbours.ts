import { setTimeout as sleep } from "node:timers/promises";
import { type BadNeighbourKind, inviteBadNeighbours } from "../../test/support/bad-neighbours.js";
import type { Contestant } from "../contestants/contestant.js";
import { runLoad } from "../measure/load.js";
import { cpuBetween, readCpuMs, readResidentBytes } from "../measure/process-usage.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { ratioSpread, spreadOf } from "../measure/statistics.js";
import { atMost } from "../report/figure.js";
import { charactersOf, type ReplyPlan } from "../rig/backend-messages.js";
import { callService, layGround, startService } from "../rig/rig.js";
import type { Scenario } from "./scenario.js";

/** What everybody else is answered with. */
const ordinary: ReplyPlan = { deltas: 20, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 0 };
/** More than sockets take for a reader: what is left waits in the service. */
const unread: ReplyPlan = { deltas: 3_000, charactersPerDelta: 4_096, firstDelayMs: 0, delayMs: 0 };
/** Longer than a round: whoever waits for it holds its turn open. */
const unsaid: ReplyPlan = { deltas: 1, charactersPerDelta: 6, firstDelayMs: 60_000, delayMs: 0 };

interface Guests {
  readonly kind: BadNeighbourKind;
  readonly count: number;
  /** What they are answered with where they get as far as a turn. */
  readonly reply?: ReplyPlan;
}

const guests: readonly Guests[] = [
  { kind: "idle connections", count: 2_000 },
  { kind: "silent connections", count: 500 },
  { kind: "senders of slow headers", count: 200 },
  { kind: "senders of a slow body", count: 200 },
  { kind: "senders of slow chunks", count: 200 },
  { kind: "half-closed callers", count: 50, reply: unsaid },
  { kind: "readers of no stream", count: 4, reply: unread },
  { kind: "readers of no answer", count: 4, reply: unread },
];

const rounds = 9;
const turns = 25;
/** CPU that a service with nothing to do may use in `quietMs`; on a busy machine a single look may find it waiting for its turn. */
const quietCpuMs = 40;
const quietMs = 500;
const quietLooks = 4;
const settleMs = 40_000;

/** Bad neighbours, kind by kind: what a turn of another caller takes beside them and without them. */
export const neighbours: readonly Scenario[] = guests.map(({ kind, count, reply }) => ({
  name: kind.replaceAll(" ", "-"),
  title: `A turn beside ${count} ${kind}`,
  quickSeconds: 0,
  // Those that get as far as a turn take their time to arrive.
  fullSeconds: reply === undefined ? 60 : 180,
  run: async (context) => {
    const { resources, signal } = context;
    const ground = await layGround(resources);
    await ground.backend.setReply(ordinary);
    const service = await startService(resources, ground);
    const port = Number(new URL(service.url).port);
    const { json } = await callService(resources, service);
    const plan = { prompt: "hello", expectedCharacters: charactersOf(ordinary), maxMs: 15_000, signal };
    const runTurns = () => runLoad(json, { ...plan, atOnce: 1, turns });
    await runTurns();
    const measured = await alternate([false, true], rounds, context, async (beside) => {
      if (beside && reply !== undefined) await ground.backend.setReply(reply);
      const invited = beside ? await inviteBadNeighbours(port, kind, count) : null;
      try {
        await untilQuiet(json);
        await ground.backend.setReply(ordinary);
        const bytes = await readResidentBytes(service.pid);
        return { load: await runTurns(), megabytes: (bytes ?? Number.NaN) / 1024 / 1024 };
      } finally {
        invited?.stop();
        await untilQuiet(json);
      }
    });
    const [alone, beside] = [ofThing(measured, 0), ofThing(measured, 1)];
    const p50 = (results: typeof alone) => results.map(({ load }) => load.totalP50Ms);
    const p95 = (results: typeof alone) => results.map(({ load }) => load.totalP95Ms);
    const failed = [...alone, ...beside].reduce((sum, { load }) => sum + load.failed + load.damaged, 0);
    return {
      figures: [
        { what: "turn p50 alone", unit: "ms", spread: spreadOf(p50(alone)), target: null },
        { what: `turn p50 beside ${kind}`, unit: "ms", spread: spreadOf(p50(beside)), target: null },
        {
          what: `turn p50 beside ${kind} / alone`,
          unit: "x",
          spread: ratioSpread(p50(beside), p50(alone)),
          target: atMost(1.2),
        },
        {
          what: "turn p95 beside them / alone",
          unit: "x",
          spread: ratioSpread(p95(beside), p95(alone)),
          target: null,
        },
        { what: "turns that failed", unit: "", spread: spreadOf([failed]), target: atMost(0) },
        {
          what: "supervisor beside them",
          unit: "MB",
          spread: spreadOf(beside.map(({ megabytes }) => megabytes)),
          target: null,
        },
      ],
      details: measured,
      remarks: [...alone, ...beside].flatMap(({ load }) => load.firstFailure ?? []),
    };
  },
}));

/** Until what the arrival or the end of neighbours made for work is done; what holding them costs goes on. */
async function untilQuiet({ servicePid, appServerPid }: Contestant): Promise<void> {
  const read = async () => [await readCpuMs(servicePid), await readCpuMs(appServerPid)] as const;
  const deadlineMs = performance.now() + settleMs;
  let before = await read();
  for (let quiet = 0; quiet < quietLooks && performance.now() < deadlineMs; ) {
    await sleep(quietMs);
    const after = await read();
    const used = (cpuBetween(before[0], after[0]) ?? 0) + (cpuBetween(before[1], after[1]) ?? 0);
    quiet = used <= quietCpuMs ? quiet + 1 : 0;
    before = after;
  }
}
