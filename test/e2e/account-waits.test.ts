/** How turns wait for an account that takes few at once. */
import { join } from "node:path";
import t from "tap";
import { askMany, startLimited, turnMs } from "../support/limited-account.js";
import {
  delayed,
  functionCall,
  lastUserText,
  type RecordedModelRequest,
  reply,
  stall,
  text,
  usedUpFor,
} from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil, type ServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

interface QueueShown {
  readonly waited_ms: number;
  readonly refusals: number;
}

/** What the answer says of the turn's wait. */
function queueOf(answer: object): QueueShown {
  const shown: { readonly native_api?: { readonly queue: QueueShown } } = answer;
  if (shown.native_api === undefined) throw new Error("the answer has no native_api");
  return shown.native_api.queue;
}

t.test("what was learned outlives the service, and `native_api` tells how a turn waited", async (t) => {
  const directory = await makeTemporaryDirectory(t);
  const env = { CODEX_NATIVE_API_STATE_DIR: join(directory, "state") };
  const first = await startLimited(t, { streams: 2 }, env);
  await askMany(first, 12);
  const waited: QueueShown[] = [];
  const ask = async () => {
    const { data } = await first.client.responses.create({ input: "hi" }).withResponse();
    waited.push(queueOf(data));
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  t.ok(
    waited.some(({ waited_ms }) => waited_ms >= turnMs),
    "those that came last waited for a turn",
  );
  const learned = first.service.health()?.upstreamLimits?.limits[0]?.limit ?? 99;
  await first.service.stop();
  const second = await startLimited(t, { streams: 2 }, env);
  t.equal((await second.client.responses.create({ input: "hi" })).output_text, "ok");
  const known = second.service.health()?.upstreamLimits?.limits[0]?.limit ?? 99;
  t.ok(Math.abs(known - learned) <= 1, `${learned} before, ${known} after`);
});

t.test(
  "a turn that cannot start in its caller's own time is refused then, and one that runs ends",
  async (t) => {
    const harness = await startLimited(t, {}, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" });
    const { backend, client, service } = harness;
    backend.whenReply((request) => lastUserText(request) === "long", stall({ afterDeltas: 0 }));
    const ends = (input: string, timeoutMs: string): Promise<unknown> =>
      client.responses
        .create({ input }, { headers: { "x-request-timeout-ms": timeoutMs } })
        .catch((error: unknown) => error);
    const long = ends("long", "8000");
    await pollUntil(() => service.health()?.queue.running === 1);
    t.match(await ends("hopeless", "1000"), { status: 503, code: "queue_timeout" });
    t.match(await long, { status: 504, code: "turn_timeout" });
    await pollUntil(() => service.health()?.queue.running === 0);
    t.match(await ends("next", "60000"), { output_text: "ok" });
  },
);

t.test("interactive turns go before a batch that is said to be one", async (t) => {
  const harness = await startLimited(t, {}, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" });
  const { client, service } = harness;
  const order: string[] = [];
  const ask = async (input: string, headers: Record<string, string> = {}) => {
    await client.responses.create({ input, store: false }, { headers });
    order.push(input);
  };
  const batch = Array.from({ length: 6 }, (_, index) =>
    ask(`batch ${index}`, { "x-request-priority": "background" }),
  );
  await pollUntil(() => service.health()?.queue.depth === 5);
  await Promise.all([...batch, ask("interactive")]);
  t.ok(order.indexOf("interactive") <= 2, `it was done as number ${order.indexOf("interactive") + 1} of 7`);
});

t.test("while turns wait for the account, threads are set up for them", async (t) => {
  const harness = await startLimited(t, { streams: 1 }, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" });
  t.same(new Set(await askMany(harness, 8)), new Set(["ok"]));
  const { taken } = harness.service.health()?.spareThreads ?? { taken: 0 };
  t.ok(taken > 0, `${taken} turns found theirs`);
});

const hasOutputs = ({ fullInput }: RecordedModelRequest): boolean =>
  fullInput.some((item) => item.type === "function_call_output");

/** Turns of a caller's whose model calls a function, and takes so long once it has the output. */
async function parkTurns({ backend, client }: ServiceHarness, count: number, afterwardsMs: number) {
  backend.whenReply(hasOutputs, delayed(afterwardsMs, reply(text("done"))));
  backend.whenReply(
    (request) => lastUserText(request) === "weather",
    reply(functionCall({ name: "weather", arguments: { city: "Bonn" } })),
  );
  const goOn: ((headers?: Record<string, string>) => Promise<unknown>)[] = [];
  for (let index = 0; index < count; index += 1) {
    const parked = await client.responses.create({ input: "weather", tools: [weatherTool] });
    const [call] = parked.output;
    if (call?.type !== "function_call") throw new Error("the model called nothing");
    const output = { type: "function_call_output", call_id: call.call_id, output: "sun" } as const;
    const body = { previous_response_id: parked.id, input: [output], tools: [weatherTool] };
    goOn.push((headers = {}) => client.responses.create(body, { headers }).catch((error: unknown) => error));
  }
  return goOn;
}

t.test("turns that went on with a function's output count for what the account takes", async (t) => {
  const harness = await startLimited(t, { streams: 4 });
  const { backend, client, service } = harness;
  const goOn = await parkTurns(harness, 4, 4_000);
  const going = goOn.map((go) => go());
  await pollUntil(() => backend.counters.openStreams === 4);
  const fifth = client.responses.create({ input: "hi" });
  await pollUntil(() => backend.counters.refusedStreams > 0);
  await pollUntil(() => (service.health()?.upstreamLimits?.refusals ?? 0) > 0);
  t.equal(service.health()?.upstreamLimits?.limits[0]?.limit, 4);
  for (const answer of await Promise.all(going)) t.match(answer, { output_text: "done" });
  t.equal((await fifth).output_text, "ok");
});

t.test("a chain's turn that is refused keeps its place in the line, and tells of it", async (t) => {
  const harness = await startLimited(t, { streams: 1 }, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "2" });
  const { backend, client } = harness;
  const head = await client.responses.create({ input: "hi" });
  const goOn = await parkTurns(harness, 1, 10);
  backend.whenReply((request) => lastUserText(request) === "long", delayed(1_500, reply(text("ok"))));
  for (const refused of [
    () => client.responses.create({ input: "next", previous_response_id: head.id }),
    () => goOn[0]?.(),
  ]) {
    const long = client.responses.create({ input: "long" });
    await pollUntil(() => backend.counters.openStreams === 1);
    const { refusals, waited_ms: waitedMs } = queueOf(Object(await refused()));
    t.ok(refusals > 0, `${refusals} refusals`);
    t.ok(waitedMs > 500, `its wait counts from its first: ${waitedMs} ms`);
    await long;
  }
});

t.test("a parked turn stays parked while the plan is used up", async (t) => {
  const harness = await startLimited(t, {});
  const { backend, client } = harness;
  const [goOn] = await parkTurns(harness, 1, 10);
  const reset = usedUpFor(4);
  backend.setRateLimits({ primary: reset });
  backend.setAccountLimits({ usedUpUntil: reset.resetsAt });
  t.match(await client.responses.create({ input: "hi" }).catch((error: unknown) => error), {
    code: "usage_limit_reached",
  });
  const asked = backend.counters.modelRequests;
  t.match(await goOn?.(), { code: "usage_limit_reached" });
  t.equal(backend.counters.modelRequests, asked, "the backend was not asked");
  await pollUntil(() => Date.now() / 1_000 > (reset.resetsAt ?? 0) + 0.5);
  backend.setRateLimits({});
  const answer = await goOn?.();
  t.match(answer, { output_text: "done", native_api: { continuation: { mode: "native" } } });
});

t.test("a turn that goes on with a function's output keeps to its caller's new terms", async (t) => {
  const harness = await startLimited(t, {}, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" });
  const { backend, client, service } = harness;
  const [queued, running, inBackground] = await parkTurns(harness, 3, 2_000);
  t.match(await running?.({ "x-request-timeout-ms": "500" }), { status: 504, code: "turn_timeout" });
  backend.whenReply((request) => lastUserText(request) === "long", delayed(4_000, reply(text("ok"))));
  const long = client.responses.create({ input: "long" });
  await pollUntil(() => service.health()?.queue.running === 1);
  const order: string[] = [];
  const background = inBackground?.({ "x-request-priority": "background" }).then((answer) => {
    order.push("background");
    return answer;
  });
  await pollUntil(() => service.health()?.queue.depth === 1);
  const interactive = client.responses.create({ input: "hi" }).then(() => order.push("interactive"));
  t.match(await queued?.({ "x-request-timeout-ms": "500" }), { status: 503, code: "queue_timeout" });
  await Promise.all([long, interactive]);
  t.ok(queueOf(Object(await background)).waited_ms > 500, "its wait is that of the leg");
  t.same(order, ["interactive", "background"]);
});
