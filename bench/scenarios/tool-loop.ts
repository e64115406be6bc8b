import { Agent, request } from "undici";
import { WebSocket } from "ws";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { turnDeadlineMs } from "../contestants/contestant.js";
import { alternate, ofThing } from "../measure/rounds.js";
import { spreadOf } from "../measure/statistics.js";
import { atMost } from "../report/figure.js";
import { layGround, startService } from "../rig/rig.js";
import type { Scenario, ScenarioContext, ScenarioResult } from "./scenario.js";

const roundTripMs = 60;
const steps = 20;

const tool: JsonObject = {
  type: "function",
  name: "step",
  description: "One step of the work.",
  parameters: { type: "object", properties: {}, additionalProperties: false },
  strict: false,
};
const question: JsonObject = { type: "message", role: "user", content: "Do it in twenty steps." };

/** A response as far as the loop looks at it. */
interface Answer {
  readonly id: string;
  readonly output: readonly JsonObject[];
}

/** A way to run the loop: what it sends, and how. */
interface Way {
  readonly name: string;
  /** `history`: all items before; `added`: those since the response before. */
  readonly fields: (
    previousId: string | null,
    history: readonly JsonObject[],
    added: JsonObject,
  ) => JsonObject;
  /** Something that asks, and is closed. */
  readonly open: (url: string) => Promise<Asker>;
}

interface Asker {
  readonly ask: (fields: JsonObject) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

const ways: readonly Way[] = [
  {
    name: "WebSocket, store: false",
    fields: (previousId, _history, added) => ({
      store: false,
      input: [added],
      previous_response_id: previousId,
    }),
    open: openSocket,
  },
  {
    name: "HTTP, store: false, history resent",
    fields: (_previousId, history) => ({ store: false, input: history }),
    open: openHttp,
  },
  {
    name: "HTTP, previous_response_id",
    fields: (previousId, _history, added) => ({ input: [added], previous_response_id: previousId }),
    open: openHttp,
  },
];

/** A loop of tool calls, as agents run it: how much of it is the way to the backend and back. */
export const toolLoop: Scenario = {
  name: "tool-loop",
  title: `${steps} tool steps at a round trip of ${roundTripMs} ms`,
  quickSeconds: 60,
  fullSeconds: 180,
  run,
};

async function run(context: ScenarioContext): Promise<ScenarioResult> {
  const { resources, quick } = context;
  const ground = await layGround(resources, roundTripMs);
  await ground.backend.setReply({
    deltas: 1,
    charactersPerDelta: 4,
    firstDelayMs: 0,
    delayMs: 0,
    calls: "step",
  });
  const { url } = await startService(resources, ground);
  // Threads, connections and compiled code stand by, as in a service that runs for days.
  for (const way of ways) await runLoop(way, url, context);
  const rounds = await alternate(ways, quick ? 3 : 9, context, (way) => runLoop(way, url, context));
  const totals = ways.map((_way, index) => ofThing(rounds, index));
  const [socket = [], resent = [], chained = []] = totals;
  const ratio = (others: readonly number[]) =>
    spreadOf(socket.map((ms, at) => ms / (others[at] ?? Number.NaN)));
  const figures = ways.map(({ name }, index) => ({
    what: name,
    unit: "ms" as const,
    spread: spreadOf(totals[index] ?? []),
    target: null,
  }));
  return {
    figures: [
      ...figures,
      {
        what: "WebSocket vs. HTTP that resends its history",
        unit: "x",
        spread: ratio(resent),
        target: atMost(0.8),
      },
      {
        what: "WebSocket vs. HTTP with previous_response_id",
        unit: "x",
        spread: ratio(chained),
        target: atMost(1),
      },
    ],
    details: Object.fromEntries(ways.map(({ name }, index) => [name, totals[index]])),
    remarks: [],
  };
}

/** From the first question to the answer of the last step, in milliseconds. */
async function runLoop({ name, fields, open }: Way, url: string, context: ScenarioContext): Promise<number> {
  context.signal.throwIfAborted();
  const startMs = performance.now();
  const asker = await open(url);
  try {
    const history: JsonObject[] = [];
    let added = question;
    let previousId: string | null = null;
    for (let step = 0; step <= steps; step += 1) {
      history.push(added);
      const asked = fields(previousId, history, added);
      const { id, output } = await asker.ask({ tools: [tool], ...asked });
      const call = output.find(({ type }) => type === "function_call");
      if (call === undefined) throw new Error(`step ${step} was no call`);
      history.push(...output);
      previousId = id;
      added = { type: "function_call_output", call_id: call.call_id, output: `step ${step} is done` };
    }
    const tookMs = performance.now() - startMs;
    context.say(`${name}: ${tookMs.toFixed(0)} ms`);
    return tookMs;
  } finally {
    await asker.close();
  }
}

async function openSocket(url: string): Promise<Asker> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/responses`);
  let settle = { resolve: (_answer: Answer) => {}, reject: (_error: Error) => {} };
  const opened = new Promise<void>((resolve) => socket.once("open", () => resolve()));
  socket.on("message", (data) => {
    const event: unknown = JSON.parse(String(data));
    const answer = readEnd(event);
    if (answer instanceof Error) settle.reject(answer);
    else if (answer !== null) settle.resolve(answer);
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", (error) => settle.reject(error));
  await opened;
  return {
    ask: (fields) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        socket.send(JSON.stringify({ type: "response.create", ...fields }));
      }),
    close: async () => {
      socket.close();
      await closed;
    },
  };
}

async function openHttp(url: string): Promise<Asker> {
  const agent = new Agent({ headersTimeout: turnDeadlineMs, bodyTimeout: turnDeadlineMs });
  const ask = async (fields: JsonObject): Promise<Answer> => {
    const { statusCode, body } = await request(`${url}/v1/responses`, {
      method: "POST",
      dispatcher: agent,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...fields, stream: true }),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${text.slice(0, 300)}`);
    for (const line of text.split("\n")) {
      if (!line.startsWith("data: {")) continue;
      const answer = readEnd(JSON.parse(line.slice("data: ".length)));
      if (answer instanceof Error) throw answer;
      if (answer !== null) return answer;
    }
    throw new Error("the stream broke off");
  };
  return { ask, close: () => agent.destroy() };
}

/** The response that an event ends; null for other events. */
function readEnd(event: unknown): Answer | Error | null {
  if (!isJsonObject(event)) return null;
  const { type, response } = event;
  if (type === "error" || type === "response.failed") return new Error(JSON.stringify(event).slice(0, 300));
  if (type !== "response.completed" || !isJsonObject(response)) return null;
  const output = Array.isArray(response.output) ? response.output.filter(isJsonObject) : [];
  return { id: String(response.id), output };
}
