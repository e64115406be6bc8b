import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../src/workers/contract/json.js";
import { CodexExecContestant } from "../contestants/codex-exec.js";
import type { Contestant } from "../contestants/contestant.js";
import { StreamClient } from "../contestants/stream-calls.js";
import { spreadOf } from "../measure/statistics.js";
import { atMost, type Figure, single, type Target } from "../report/figure.js";
import type { ReplyPlan } from "../rig/backend-messages.js";
import { findCodexTools } from "../rig/codex-tools.js";
import { layGround, openFloor, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext, ScenarioResult } from "./scenario.js";

const reply: ReplyPlan = { deltas: 4, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 0 };
/** Callers of settings that were seen before find what they need on their third turn. */
const warmUpTurns = 3;
const burstOf = 16;
const idleLimitMs = 2_000;
const minuteMs = 60_000;
const pausesMs = [
  { pauseMs: 30_000, times: 5 },
  { pauseMs: 5 * minuteMs, times: 1 },
] as const;

/** What is asked, and how soon the first word should be there at a round trip of 60 ms. */
interface Kind {
  readonly name: string;
  readonly targetMs: number;
  /** `previous`: the id of the response before. */
  readonly ask: (turn: number, previous: string | null) => JsonObject;
}

const message = (role: string, text: string): JsonObject => ({ type: "message", role, content: text });
const schema: JsonObject = {
  type: "object",
  properties: { intent: { type: "string" } },
  required: ["intent"],
  additionalProperties: false,
};
const instructions = "Say which intent the message has. ".repeat(20);
const tool: JsonObject = {
  type: "function",
  name: "weather",
  description: "The weather in a city.",
  parameters: schema,
  strict: true,
};

const kinds: readonly Kind[] = [
  { name: "text", targetMs: 100, ask: () => ({ input: "Hello.", store: false }) },
  {
    name: "items",
    targetMs: 100,
    ask: () => ({ input: [message("user", "A question."), message("user", "Hello.")], store: false }),
  },
  {
    name: "instructions and schema",
    targetMs: 100,
    ask: () => ({
      instructions,
      input: "Hello.",
      text: { format: { type: "json_schema", name: "intent", schema, strict: true } },
      store: false,
    }),
  },
  { name: "tools", targetMs: 100, ask: () => ({ input: "Hello.", tools: [tool], store: false }) },
  {
    name: "chain",
    targetMs: 100,
    ask: (_turn, previous) => ({ input: "Hello.", previous_response_id: previous }),
  },
  {
    name: "new instructions",
    targetMs: 180,
    ask: (turn) => ({ instructions: `${instructions} ${turn}`, input: "Hello.", store: false }),
  },
];

/** Settings of its own, so that all of its threads are opened under the idle limit. */
const afterIdleLimit: Kind = {
  name: "idle limit",
  targetMs: 0,
  ask: () => ({ instructions: "Be brief.", input: "Hello.", store: false }),
};

/** What a person waits for the first word, at a real distance from the backend. */
export function networkAt(roundTripMs: number): Scenario {
  return {
    name: `rtt-${roundTripMs}`,
    title: `The first word at a round trip of ${roundTripMs} ms, callers paced at one a second`,
    quickSeconds: 60,
    fullSeconds: 150,
    run: (context) => run(roundTripMs, context),
  };
}

/** Somebody who comes back: what stood by has waited, and the backend may have closed it. */
export const pauses: Scenario = {
  name: "pauses",
  title: "The first word after a pause, at a round trip of 60 ms",
  quickSeconds: 0,
  fullSeconds: 600,
  run: async (context) => {
    const { resources, signal } = context;
    const ground = await layGround(resources, 60);
    await ground.backend.setReply(reply);
    await ground.backend.setIdleLimit(minuteMs);
    const service = await startService(resources, ground);
    const client = new StreamClient(service.url);
    await resources.defer("stream client", () => client.close());
    const ask = async () => (await client.ask({ input: "Hello.", store: false })).firstDeltaMs;
    await repeat(3, ask);
    const figures: Figure[] = [];
    const details: Record<string, readonly number[]> = {};
    for (const { pauseMs, times } of pausesMs) {
      const firsts = await repeat(times, async () => {
        await sleep(pauseMs, undefined, { signal });
        return ask();
      });
      const what = `after ${pauseMs / 1_000} s`;
      details[what] = firsts;
      // Four round trips and 150 ms.
      figures.push({ what, unit: "ms", spread: spreadOf(firsts), target: atMost(4 * 60 + 150) });
      context.say(`${what}: ${firsts.map((first) => first.toFixed(0)).join(", ")} ms`);
    }
    return { figures, details, remarks: [] };
  },
};

async function run(roundTripMs: number, context: ScenarioContext): Promise<ScenarioResult> {
  const { resources, quick } = context;
  const ground = await layGround(resources, roundTripMs);
  await ground.backend.setReply(reply);
  const service = await startService(resources, ground);
  const client = new StreamClient(service.url);
  await resources.defer("stream client", () => client.close());
  const turns = quick ? 5 : 15;
  const figures: Figure[] = [];
  const details: Record<string, readonly number[]> = {};
  const note = (what: string, firsts: readonly number[], target: Target | null) => {
    details[what] = firsts;
    figures.push({ what, unit: "ms", spread: spreadOf(firsts), target });
    context.say(`${what}: ${spreadOf(firsts).median.toFixed(0)} ms`);
  };
  const target = (ms: number) => (roundTripMs === 60 ? atMost(ms) : null);
  for (const kind of kinds) {
    note(kind.name, await paced(kind, turns, client, context), target(kind.targetMs));
  }
  // A pause after which the backend has closed what stood by.
  await ground.backend.setIdleLimit(idleLimitMs);
  const afterIdle = await paced(afterIdleLimit, quick ? 3 : 8, client, context, idleLimitMs + 1_000);
  note("text, the backend closes what is idle for 2 s", afterIdle, target(3.5 * 60 + 150));
  await ground.backend.setIdleLimit(3_600_000);
  await burst(client, context);
  await sleep(3_000, undefined, { signal: context.signal });
  note(`burst of ${burstOf} after another`, await burst(client, context), target(460));
  const { warmups, modelRequests } = await ground.backend.readCounters();
  figures.push(single("warm-ups a turn, over all of the above", "x", warmups / modelRequests, atMost(1.5)));
  const floors = await openFloor(resources, ground, service);
  const floor = await floors.startOnSocket();
  const sides = await besideFloor(floor, client, context);
  note("thin client that starts its thread in the request", sides.floor, null);
  const ratio = Math.min(...sides.service) / Math.min(...sides.floor);
  figures.push(
    single(
      "text, best of all rounds vs. the thin client's best",
      "x",
      ratio,
      roundTripMs === 0 ? atMost(0.35) : null,
    ),
  );
  const exec = new CodexExecContestant(await findCodexTools(ground, await service.readDefaultModel()));
  const whole = await repeat(quick ? 1 : 3, async () => (await exec.runTurn("Hello.")).totalMs);
  note("codex exec, whole turn", whole, null);
  return { figures, details, remarks: [] };
}

/** A turn every so often, from start to start; those that only warm up do not count. */
async function paced(
  kind: Kind,
  turns: number,
  client: StreamClient,
  { signal }: ScenarioContext,
  everyMs = 1_000,
): Promise<readonly number[]> {
  let previous: string | null = null;
  const firsts: number[] = [];
  for (let turn = 0; turn < warmUpTurns + turns; turn += 1) {
    const next = sleep(everyMs, undefined, { signal });
    const { id, firstDeltaMs } = await client.ask(kind.ask(turn, previous));
    previous = id;
    if (turn >= warmUpTurns) firsts.push(firstDeltaMs);
    await next;
  }
  return firsts;
}

async function burst(client: StreamClient, { signal }: ScenarioContext): Promise<readonly number[]> {
  signal.throwIfAborted();
  const [text] = kinds;
  const calls = Array.from({ length: burstOf }, (_, index) => client.ask(text?.ask(index, null) ?? {}));
  return (await Promise.all(calls)).map(({ firstDeltaMs }) => firstDeltaMs);
}

/** The same text on both, in turn, a second apart. */
async function besideFloor(floor: Contestant, client: StreamClient, { quick, signal }: ScenarioContext) {
  const floors: number[] = [];
  const service: number[] = [];
  for (let round = 0; round < (quick ? 3 : 10); round += 1) {
    service.push((await client.ask({ input: "Hello.", store: false })).firstDeltaMs);
    await sleep(1_000, undefined, { signal });
    floors.push((await floor.runTurn("Hello.")).firstDeltaMs ?? Number.NaN);
    await sleep(1_000, undefined, { signal });
  }
  return { floor: floors, service };
}

async function repeat(times: number, measure: () => Promise<number>): Promise<readonly number[]> {
  const values: number[] = [];
  for (let time = 0; time < times; time += 1) values.push(await measure());
  return values;
}
