/**
 * A network that breaks between Codex and its backend, in each phase of a turn and over both transports: one outcome each, and the next
 * turn is served. `npm run test:networks` has black holes of their real length, and every fault in every phase.
 */
import OpenAI from "openai";
import t, { type Test } from "tap";
import { BadNetwork, type NetworkFault } from "../support/bad-network.js";
import { delayed, functionCall, text } from "../support/offline-backend/index.js";
import {
  type ServiceHarness,
  type ServiceHarnessOptions,
  startServiceHarness,
} from "../support/service-harness.js";

const isWhole = process.env.NETWORKS_WHOLE === "1";
/** How long a black hole lasts that ends, and how long a turn may be silent. */
const { holdMs, idleMs } = isWhole ? { holdMs: 30_000, idleMs: 90_000 } : { holdMs: 1_000, idleMs: 60_000 };
const always = Number.POSITIVE_INFINITY;
t.setTimeout(isWhole ? 3_600_000 : 600_000);

interface Rig extends ServiceHarness {
  readonly network: BadNetwork;
}

const look = { type: "function", name: "look", strict: false, parameters: { type: "object" } } as const;
const slowly = text({ deltas: ["one", " two", " three", " four"], delayMs: 60 });

type Body = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, "stream">;

/** The text of the answer, or the code of its error. */
async function ask(
  { client }: Pick<Rig, "client">,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    return (await client.responses.create(body, { headers })).output_text;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return `${error.code}`;
    throw error;
  }
}

/** The same as a stream. What was shown before an error stands before its code. */
async function follow({ client }: Rig, body: Body): Promise<string> {
  let shown = "";
  try {
    for await (const event of await client.responses.create({ ...body, stream: true })) {
      if (event.type === "response.output_text.delta") shown += event.delta;
      if (event.type === "response.failed") return `${shown}|${event.response.error?.code}`;
    }
    return shown;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return `${error.code}`;
    throw error;
  }
}

const warmUp = "in the warm-up";

/** How a turn comes to its phase, and what its caller gets. */
const phases: Readonly<Record<string, (rig: Rig, fault: NetworkFault) => Promise<string>>> = {
  connecting: (rig, fault) => {
    rig.network.arm(fault, { at: "accept" });
    return withHold(rig, fault, ask(rig, { input: "hi" }));
  },
  [warmUp]: (rig, fault) => {
    rig.network.arm(fault, { at: "text", text: "101 Switching Protocols" });
    return withHold(rig, fault, ask(rig, { input: "hi" }));
  },
  "before output": async (rig, fault) => {
    const { backend } = rig;
    const afterIndex = backend.requests.at(-1)?.index ?? -1;
    backend.queueReply(delayed(500, text("ok")));
    const answer = ask(rig, { input: "hi" });
    await backend.waitForRequest(() => true, { afterIndex });
    rig.network.strike(fault);
    return withHold(rig, fault, answer);
  },
  "in mid-output, whole": (rig, fault) => {
    rig.backend.queueReply(slowly);
    rig.network.arm(fault, { at: "text", text: " two" });
    return withHold(rig, fault, ask(rig, { input: "hi" }));
  },
  "in mid-output, as a stream": (rig, fault) => {
    rig.backend.queueReply(slowly);
    rig.network.arm(fault, { at: "text", text: " two" });
    return withHold(rig, fault, follow(rig, { input: "hi" }));
  },
  "while parked": async (rig, fault) => {
    rig.backend.queueReply(functionCall({ name: "look", arguments: {}, callId: "call_1" }));
    const { id } = await rig.client.responses.create({ input: "hi", tools: [look] });
    rig.network.strike(fault);
    const output = { type: "function_call_output", call_id: "call_1", output: "seen" } as const;
    const body = { input: [output], previous_response_id: id, tools: [look] };
    return withHold(rig, fault, ask(rig, body));
  },
  "between the turns of a chain": async (rig, fault) => {
    const { id } = await rig.client.responses.create({ input: "hi" });
    rig.network.strike(fault);
    return withHold(rig, fault, ask(rig, { input: "and?", previous_response_id: id }));
  },
};

/** A black hole ends after its time, which begins when it strikes: on a slow machine that is late. */
async function withHold({ network }: Rig, fault: NetworkFault, answer: Promise<string>): Promise<string> {
  if (fault !== "black_hole") return answer;
  let timer: NodeJS.Timeout | undefined;
  const watch = setInterval(() => {
    if (!network.isArmed) timer ??= setTimeout(() => network.lift(), holdMs);
  }, 10);
  return answer.finally(() => {
    clearInterval(watch);
    clearTimeout(timer);
  });
}

/** What a caller gets where a row has nothing else: the turn is made again, or goes on. */
const usual = "ok";
const whole = "one two three four";
const broken = "one two|upstream_connection_failed";
const inMidOutput: Readonly<Record<string, Partial<Record<NetworkFault, string>>>> = {
  "in mid-output, whole": { black_hole: whole, throttle: whole },
  "in mid-output, as a stream": {
    cut: broken,
    reset: broken,
    garble: broken,
    black_hole: whole,
    throttle: whole,
  },
};

const faults: readonly NetworkFault[] = [
  "cut",
  "reset",
  "black_hole",
  "throttle",
  ...(isWhole ? (["garble"] as const) : []),
];

async function startRig(t: Test, options: ServiceHarnessOptions = {}): Promise<Rig> {
  const network = await BadNetwork.start(t);
  const env = {
    // Each turn has a connection of its own from its beginning.
    CODEX_NATIVE_API_SPARE_THREADS: "0",
    CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: String(idleMs),
  };
  const harness = await startServiceHarness(t, { network, env, ...options });
  await harness.untilReady();
  harness.backend.setDefaultReply(text("ok"));
  return { ...harness, network };
}

const transports = { WebSocket: "accept", SSE: "refuse" } as const;

// They wait much and compute little.
t.jobs = 4;

for (const [transport, webSocket] of Object.entries(transports)) {
  t.test(`over ${transport} each fault has its outcome in each phase`, { buffered: true }, async (t) => {
    const rig = await startRig(t, { backend: { webSocket } });
    const { network } = rig;
    for (const [phase, run] of Object.entries(phases)) {
      // Only WebSockets are warmed up.
      if (phase === warmUp && webSocket === "refuse") continue;
      for (const fault of faults) {
        const struckBefore = network.struck;
        const outcome = await run(rig, fault);
        network.lift();
        t.ok(network.struck > struckBefore, `${fault} ${phase}: it struck`);
        t.equal(outcome, inMidOutput[phase]?.[fault] ?? usual, `${fault} ${phase}`);
        const before = network.accepted;
        t.equal(await ask(rig, { input: "next" }), "ok", `${fault} ${phase}: the next turn`);
        t.ok(network.accepted > before || webSocket === "refuse", `${fault} ${phase}: a new connection`);
      }
    }
  });

  t.test(`over ${transport} a fault that stays is an error after a while`, { buffered: true }, async (t) => {
    const rig = await startRig(t, { backend: { webSocket } });
    const { network, backend } = rig;
    for (const fault of isWhole ? (["reset", "cut", "garble"] as const) : (["reset"] as const)) {
      network.arm(fault, { at: "accept" }, always);
      t.equal(await ask(rig, { input: "hi" }, { "x-request-timeout-ms": "2000" }), "turn_timeout", fault);
      t.equal(await ask(rig, { input: "hi" }), "upstream_connection_failed", fault);
      network.lift();
      t.equal(await ask(rig, { input: "hi" }), "ok", `after ${fault}`);
    }
    backend.setDefaultReply(slowly);
    network.arm("reset", { at: "text", text: " two" }, always);
    t.equal(await ask(rig, { input: "hi" }), "upstream_connection_failed", "in mid-output");
    t.equal(await follow(rig, { input: "hi" }), broken, "in mid-output, as a stream");
    if (!isWhole) return;
    network.arm("black_hole", { at: "accept" }, always);
    t.equal(await ask(rig, { input: "hi" }), "turn_stalled", "a black hole");
    await network.refuse();
    t.equal(await ask(rig, { input: "hi" }), "upstream_connection_failed", "refused");
  });
}

/** Where Codex is told that the model is. */
const bases: Readonly<Record<string, (network: BadNetwork) => string>> = {
  "a name that is none": () => "http://no-such-host.invalid/v1",
  "a peer without TLS": ({ origin }) => `${origin.replace("http:", "https:")}/v1`,
};

for (const [what, urlOf] of Object.entries(bases)) {
  t.test(`${what} is an error after a while, with a login too`, { buffered: true }, async (t) => {
    const network = await BadNetwork.start(t);
    network.arm("garble", { at: "accept" }, always);
    const argv = ["--codex-config", `openai_base_url="${urlOf(network)}"`];
    const harness = await startServiceHarness(t, { argv });
    await harness.untilReady();
    t.equal(await ask(harness, { input: "hi" }), "upstream_connection_failed");
  });
}
