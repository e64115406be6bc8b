import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallerTurn } from "../../contestants/named-callers.js";
import {
  describeCallerFaults,
  faultsOf,
  summariseWaits,
  type WaitSummary,
} from "../../measure/caller-load.js";
import { atMost, type Figure, single } from "../../report/figure.js";
import { Resources } from "../../rig/resources.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { openPlan, type PlanGround } from "./plan-ground.js";

const streams = 4;
const batchTurns = 1_000;
/** The interactive caller's question comes once in this time, answered or not. */
const askEveryMs = 2_000;
const settings = { quick: { turnMs: 1_000, questions: 10 }, full: { turnMs: 2_000, questions: 60 } } as const;

/** Until the limit is known and the batch is under way. */
const settleTurns = 5;

interface Measured {
  readonly name: string;
  readonly turns: readonly CallerTurn[];
  readonly batch: readonly CallerTurn[];
  readonly waits: WaitSummary;
}

/** Somebody who asks now and then, beside somebody who asks a thousand times at once. */
export const interactive: Scenario = {
  name: "interactive",
  title: "A caller with a question every 2 s beside a batch of 1,000 turns, at an account that takes 4",
  quickSeconds: 100,
  fullSeconds: 400,
  run: async (context) => {
    const { turnMs } = context.quick ? settings.quick : settings.full;
    const measured = [
      await measure(context, "a batch", {}),
      await measure(context, "a background batch", { "x-request-priority": "background" }),
    ];
    return {
      figures: measured.flatMap((one) => report(one, turnMs)),
      details: measured.map(({ name, waits, turns, batch }) => ({
        name,
        waits,
        turns: turns.map(({ startMs, endMs, fault }) => ({ ms: endMs - startMs, fault })),
        batchTurns: batch.length,
      })),
      remarks: measured.flatMap(({ name, turns, batch }) => [
        ...describeCallerFaults(`beside ${name}`, turns),
        ...describeCallerFaults(name, batch),
      ]),
    };
  },
};

async function measure(
  context: ScenarioContext,
  name: string,
  batchHeaders: Readonly<Record<string, string>>,
): Promise<Measured> {
  const { turnMs, questions } = context.quick ? settings.quick : settings.full;
  const resources = new Resources();
  await context.resources.defer(`service beside ${name}`, () => resources.close());
  const plan = await openPlan({ resources }, { turnMs, limits: { streams } });
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal]);
  setMaxListeners(0, signal);
  const batch: CallerTurn[] = [];
  const batchDone = Promise.all(
    Array.from({ length: batchTurns }, async () => {
      // What is given up at the end rejects, and is no turn.
      const turn = await plan.callers.ask("batch", signal, batchHeaders).catch(() => null);
      if (turn !== null) batch.push(turn);
    }),
  );
  await sleep(settleTurns * turnMs, undefined, { signal });
  const turns = await askNowAndThen(plan, questions, context.signal);
  enough.abort();
  await batchDone;
  await resources.close();
  context.signal.throwIfAborted();
  context.say(`beside ${name}: ${turns.length} questions, ${batch.length} turns of the batch`);
  return { name, turns, batch, waits: summariseWaits(turns, turnMs) };
}

async function askNowAndThen(
  { callers }: PlanGround,
  questions: number,
  signal: AbortSignal,
): Promise<readonly CallerTurn[]> {
  const asked: Promise<CallerTurn>[] = [];
  while (asked.length < questions) {
    asked.push(callers.ask("interactive", signal));
    await sleep(askEveryMs, undefined, { signal });
  }
  return Promise.all(asked);
}

function report({ name, turns, batch, waits }: Measured, turnMs: number): readonly Figure[] {
  return [
    single(`beside ${name}: errors seen by callers`, "", faultsOf([...turns, ...batch]).length, atMost(0)),
    single(`beside ${name}: wait p50 / one turn`, "x", waits.p50Ms / turnMs),
    single(`beside ${name}: wait p95 / one turn`, "x", waits.p95Ms / turnMs, atMost(1.2)),
    single(`beside ${name}: turns of the batch meanwhile`, "", batch.length),
  ];
}
