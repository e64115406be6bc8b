/** An account that takes few turns at once, through the whole service on the real app-server. */
import OpenAI from "openai";
import t from "tap";
import { askMany, startLimited } from "../support/limited-account.js";
import { type AccountLimitSettings, usedUpFor } from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness } from "../support/service-harness.js";

function useUp({ backend }: ServiceHarness, seconds: number): number {
  const reset = usedUpFor(seconds);
  backend.setRateLimits({ primary: reset });
  backend.setAccountLimits({ usedUpUntil: reset.resetsAt });
  return reset.resetsAt ?? 0;
}

const askOnce = ({ client }: ServiceHarness): Promise<unknown> =>
  client.responses.create({ input: "hi" }).catch((reason: unknown) => reason);

/** In seconds. */
async function readRetryAfter(harness: ServiceHarness): Promise<number> {
  const error = await askOnce(harness);
  if (!(error instanceof OpenAI.RateLimitError)) throw error;
  return Number(error.headers.get("retry-after"));
}

/** The quarter of a second that is added for the backend's clock makes one more when it is rounded up. */
const roundedUp = 1;

/**
 * How long a refusal waits for what the plan says now. Where the machine is too busy for that, a later one has it, before the time
 * of the next read.
 */
const readPatienceMs = 1_990;
const nextReadMs = 20_000;

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

t.test("many who wait for an account that takes nothing are told together", async (t) => {
  const harness = await startLimited(t, { streams: 0 });
  t.same(new Set(await askMany(harness, 8)), new Set([429]));
  t.ok(harness.backend.counters.refusedStreams < 30, "none of them was tried again and again");
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
    useUp(harness, 600);
    const answers = await waiting;
    t.ok(answers.includes(429));
    await pollUntil(async () => (await readRetryAfter(harness)) > 500, nextReadMs);
    const asked = backend.counters.modelRequests;
    const error = await client.responses.create({ input: "later" }).catch((reason: unknown) => reason);
    t.ok(error instanceof OpenAI.RateLimitError);
    if (!(error instanceof OpenAI.RateLimitError)) return;
    t.equal(error.code, "usage_limit_reached");
    const retryAfter = Number(error.headers.get("retry-after"));
    t.ok(retryAfter > 500 && retryAfter <= 600 + roundedUp, `it says ${retryAfter} s`);
    t.equal(backend.counters.modelRequests, asked, "the backend was not asked again");
  },
);

t.test("a used-up plan tells its newest reset", async (t) => {
  const harness = await startLimited(t, {});
  useUp(harness, 600);
  t.match(await askOnce(harness), { code: "usage_limit_reached" });
  useUp(harness, 60);
  await pollUntil(async () => (await readRetryAfter(harness)) <= 60 + roundedUp, nextReadMs);
});

t.test("where the plan has room again before its reset, all who ask at once are served", async (t) => {
  const harness = await startLimited(t, {});
  const { backend } = harness;
  useUp(harness, 600);
  t.same(await askMany(harness, 1), [429]);
  backend.setRateLimits({});
  backend.setAccountLimits({});
  const areAllServed = async () => (await askMany(harness, 5)).every((answer) => answer === "ok");
  const startedAtMs = performance.now();
  if (await areAllServed()) return;
  t.ok(performance.now() - startedAtMs >= readPatienceMs, "none is refused before the plan was asked");
  await pollUntil(areAllServed, nextReadMs);
});

t.test("the window opens again by itself", async (t) => {
  const harness = await startLimited(t, {});
  // Long enough for a busy machine to be refused before it opens.
  const resetsAt = useUp(harness, 8);
  t.match(await askOnce(harness), { code: "usage_limit_reached" });
  await pollUntil(() => Date.now() / 1_000 > resetsAt + 0.5);
  harness.backend.setRateLimits({});
  t.equal((await harness.client.responses.create({ input: "later" })).output_text, "ok");
});
