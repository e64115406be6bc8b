/** An account that takes few turns at once, through the whole service on the real app-server. */
import { join } from "node:path";
import OpenAI from "openai";
import t from "tap";
import {
  type AccountLimitSettings,
  delayed,
  lastUserText,
  reply,
  stall,
  text,
  usedUpFor,
} from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

const turnMs = 150;

async function startLimited(
  t: Parameters<typeof startServiceHarness>[0],
  limits: AccountLimitSettings,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t, { backend: { limits }, env });
  harness.backend.setDefaultReply(delayed(turnMs, reply(text("ok"))));
  await harness.untilReady();
  return harness;
}

function askMany({ client }: ServiceHarness, callers: number): Promise<readonly (string | number)[]> {
  const ask = async (_: unknown, index: number): Promise<string | number> => {
    try {
      const input = `caller ${index}`;
      // Half of them as streams, whose heads wait too.
      if (index % 2 === 0) return (await client.responses.create({ input, store: false })).output_text;
      const stream = client.responses.stream({ model: "gpt-5.5", input, store: false });
      return (await stream.finalResponse()).output_text;
    } catch (error) {
      return error instanceof OpenAI.APIError ? (error.status ?? 0) : String(error);
    }
  };
  return Promise.all(Array.from({ length: callers }, ask));
}

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

const refusals: Readonly<Record<string, AccountLimitSettings>> = {
  "by status": { streams: 2 },
  "by status, saying when to come back": { streams: 2, retryAfterSeconds: 1 },
  "in the stream": { streams: 2, refuseBy: "stream" },
};

for (const [how, limits] of Object.entries(refusals)) {
  t.test(`callers wait and none is refused, where the account refuses ${how}`, async (t) => {
    const harness = await startLimited(t, limits);
    const answers = await askMany(harness, 16);
    t.same(new Set(answers), new Set(["ok"]));
    const { counters } = harness.backend;
    t.equal(counters.peakAdmittedStreams, 2);
    t.ok(counters.refusedStreams > 0, "it found the limit by meeting it");
    const { limits: learned } = harness.service.health()?.upstreamLimits ?? { limits: [] };
    t.ok((learned[0]?.limit ?? 99) < 6, `fewer than at the start: ${learned[0]?.limit}`);
  });
}

t.test("an account that takes nothing for long is said so, with a time to come back", async (t) => {
  const harness = await startLimited(t, { streams: 0 });
  const error = await harness.client.responses.create({ input: "hi" }).catch((reason: unknown) => reason);
  t.ok(error instanceof OpenAI.RateLimitError);
  if (!(error instanceof OpenAI.RateLimitError)) return;
  t.equal(error.code, "rate_limit_exceeded");
  t.ok(Number(error.headers.get("retry-after")) >= 1);
});

t.test("a model that the backend refuses by name does not hold up the other models", async (t) => {
  const harness = await startLimited(t, { streamsByModel: { "gpt-5.5": 0 }, refuseBy: "stream" });
  const models = (await harness.client.models.list()).data.map(({ id }) => id);
  t.ok(models.includes("gpt-5.5"));
  const other = models.find((id) => id !== "gpt-5.5") ?? "";
  const refused = harness.client.responses.create({ input: "hi", model: "gpt-5.5" }).catch((error) => error);
  await pollUntil(() => harness.backend.counters.refusedStreams > 0);
  const answer = await harness.client.responses.create({ input: "hi", model: other });
  t.equal(answer.output_text, "ok");
  t.ok((await refused) instanceof OpenAI.RateLimitError);
});

t.test(
  "a window that is used up ends all who wait at once, with its reset, and opens by itself",
  async (t) => {
    const harness = await startLimited(t, { streams: 1 });
    const { backend, client, service } = harness;
    const waiting = askMany(harness, 8);
    await pollUntil(() => (service.health()?.queue.depth ?? 0) > 0);
    const reset = usedUpFor(600);
    backend.setRateLimits({ primary: reset });
    backend.setAccountLimits({ usedUpUntil: reset.resetsAt });
    const answers = await waiting;
    t.ok(answers.includes(429));
    const asked = backend.counters.modelRequests;
    const error = await client.responses.create({ input: "later" }).catch((reason: unknown) => reason);
    t.ok(error instanceof OpenAI.RateLimitError);
    if (!(error instanceof OpenAI.RateLimitError)) return;
    t.equal(error.code, "usage_limit_reached");
    const retryAfter = Number(error.headers.get("retry-after"));
    t.ok(retryAfter > 500 && retryAfter <= 600, `it says ${retryAfter} s`);
    t.equal(backend.counters.modelRequests, asked, "the backend was not asked again");
  },
);

t.test("the window opens again by itself", async (t) => {
  const harness = await startLimited(t, {});
  const { backend, client } = harness;
  const reset = usedUpFor(3);
  backend.setRateLimits({ primary: reset });
  backend.setAccountLimits({ usedUpUntil: reset.resetsAt });
  const refused = await client.responses.create({ input: "now" }).catch((reason: unknown) => reason);
  t.match(refused, { code: "usage_limit_reached" });
  await pollUntil(() => Date.now() / 1_000 > (reset.resetsAt ?? 0));
  backend.setRateLimits({});
  t.equal((await client.responses.create({ input: "later" })).output_text, "ok");
});

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
  t.ok(Math.abs(known - learned) <= 1 && known < 6, `${learned} before, ${known} after`);
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

t.test("upgrades that are refused lower the bound on connections, and every turn is answered", async (t) => {
  const harness = await startLimited(t, { connections: 2 });
  t.same(new Set(await askMany(harness, 6)), new Set(["ok"]));
  const { connections } = harness.service.health()?.upstreamLimits ?? {};
  t.ok((connections?.refused ?? 0) > 0, "refusals were seen");
  t.ok((connections?.bound ?? 99) < 32, `the bound is ${connections?.bound}`);
});

t.test("running turns, spares and idle chains together stay under the bound on connections", async (t) => {
  const harness = await startLimited(t, { connections: 3 }, { CODEX_NATIVE_API_UPSTREAM_CONNECTIONS: "3" });
  const { backend, client } = harness;
  backend.whenReply((request) => lastUserText(request).startsWith("chain"), reply(text("kept")));
  for (let index = 0; index < 3; index += 1) {
    const response = await client.responses.create({ input: `chain ${index}` });
    t.equal(response.output_text, "kept");
  }
  t.same(new Set(await askMany(harness, 12)), new Set(["ok"]));
  t.equal(backend.counters.refusedUpgrades, 0);
});

t.test("while turns wait for the account, threads are set up for them", async (t) => {
  const harness = await startLimited(t, { streams: 1 }, { CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" });
  t.same(new Set(await askMany(harness, 8)), new Set(["ok"]));
  const { taken } = harness.service.health()?.spareThreads ?? { taken: 0 };
  t.ok(taken > 0, `${taken} turns found theirs`);
});
