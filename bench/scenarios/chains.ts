import { type ChainLink, ResponseChainClient } from "../contestants/response-calls.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { median, ratioSpread, spreadOf } from "../measure/statistics.js";
import type { Figure } from "../report/figure.js";
import type { ReplyPlan, RequestSummary } from "../rig/backend-messages.js";
import type { BackendProcess } from "../rig/backend-process.js";
import { layGround, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext } from "./scenario.js";

const reply: ReplyPlan = { deltas: 100, charactersPerDelta: 6, firstDelayMs: 0, delayMs: 0 };
/** Some hundred tokens of question each. */
const question = "What follows from what was said before? ".repeat(10);
/** Turns of a chain before it is measured. */
const depth = 10;

type Way = "fresh" | "native" | "replayed";

const ways: readonly Way[] = ["fresh", "native", "replayed"];

interface WayResult {
  readonly p50Ms: number;
  readonly modes: readonly (string | null)[];
  readonly requests: readonly RequestSummary[];
}

/** A turn that goes on from ten others: on its native thread, replayed on a new one, and one with nothing before it. */
export const chains: Scenario = {
  name: "chains",
  title: `A turn after ${depth} others: on its native thread, replayed, and fresh`,
  quickSeconds: 15,
  fullSeconds: 25,
  run: async (context) => {
    const ground = await layGround(context.resources);
    await ground.backend.setReply(reply);
    const service = await startService(context.resources, ground);
    const client = new ResponseChainClient(service.url);
    await context.resources.defer("chain client", () => client.close());
    const turns = context.quick ? 4 : 10;
    const rounds = await alternate(ways, context.quick ? 2 : 4, context, (way) =>
      measure(way, turns, client, ground.backend, context),
    );
    const fresh = ofThing(rounds, 0);
    return {
      figures: ways.flatMap((way, index) => report(way, ofThing(rounds, index), fresh)),
      details: rounds,
      remarks: ways.flatMap((way, index) => checkModes(way, ofThing(rounds, index))),
    };
  },
};

async function measure(
  way: Way,
  turns: number,
  client: ResponseChainClient,
  backend: BackendProcess,
  { signal }: ScenarioContext,
): Promise<WayResult> {
  const links: ChainLink[] = [];
  if (way !== "fresh") {
    for (let turn = 0; turn < depth; turn++) {
      signal.throwIfAborted();
      links.push(await client.create(question, links.at(-1)?.id ?? null));
    }
    // Whoever goes on from an older link finds the native thread further on, and has the history replayed.
    if (way === "replayed") await client.create(question, links.at(-1)?.id ?? null);
  }
  const measured: ChainLink[] = [];
  const requests = await backend.recordRequests(async () => {
    for (let turn = 0; turn < turns; turn++) {
      signal.throwIfAborted();
      const head = way === "native" ? (measured.at(-1) ?? links.at(-1)) : links.at(-1);
      measured.push(await client.create(question, head?.id ?? null));
    }
  });
  return { p50Ms: median(measured.map(({ ms }) => ms)), modes: measured.map(({ mode }) => mode), requests };
}

function report(way: Way, results: readonly WayResult[], fresh: readonly WayResult[]): readonly Figure[] {
  const p50 = ({ p50Ms }: WayResult) => p50Ms;
  const first = ({ requests }: WayResult) => requests[0];
  const of = (what: string, unit: Figure["unit"], read: (result: WayResult) => number): Figure => ({
    what: `${way}: ${what}`,
    unit,
    spread: spreadOf(results.map(read)),
    target: null,
  });
  const figures = [
    of("p50", "ms", p50),
    of("input items the model sees", "", (result) => first(result)?.inputItems ?? Number.NaN),
    of("input bytes the model sees", "bytes", (result) => first(result)?.inputBytes ?? Number.NaN),
    of("bytes sent to the backend", "bytes", (result) => first(result)?.bodyBytes ?? Number.NaN),
  ];
  if (way === "fresh") return figures;
  const spread = ratioSpread(results.map(p50), fresh.map(p50));
  return [...figures, { what: `${way}: p50 vs. a fresh turn`, unit: "x", spread, target: null }];
}

/** A figure under the name of a way that was not taken would be worse than none. */
function checkModes(way: Way, results: readonly WayResult[]): readonly string[] {
  const expected = way === "fresh" ? null : way;
  const others = results.flatMap(({ modes }) => modes.filter((mode) => mode !== expected));
  return others.length === 0 ? [] : [`${others.length} turns meant to be ${way} were ${others.join(", ")}`];
}
