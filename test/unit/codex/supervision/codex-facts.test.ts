import t from "tap";
import { CodexFacts } from "../../../../src/main/codex/supervision/codex-facts.js";
import { WorkerSlot } from "../../../../src/main/codex/workers/worker-slot.js";
import type { RateLimits } from "../../../../src/main/runtime/types.js";
import type { AnswerTo, CatalogModel, NativeQuery } from "../../../../src/workers/contract/native-queries.js";
import { fakeModels } from "../../../support/fake-runtime.js";
import { quietSlotCallbacks } from "../../../support/quiet-slot-callbacks.js";
import { testLogger } from "../../../support/runtime-harness.js";

const [model] = fakeModels;
if (model === undefined) throw new Error("there is no model");
const nowMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

function factsWith(primary: RateLimits["primary"]): CodexFacts {
  const facts = new CodexFacts(testLogger);
  facts.noteRateLimits({ primary, secondary: null, plan: "plus", reached: null });
  return facts;
}

const usedUp = { usedPercent: 100, windowMinutes: 300, resetsAt: (nowMs + 2 * hourMs) / 1000 };

t.test("the wait is the time until the used-up window opens", async (t) => {
  t.equal(factsWith(usedUp).windowOpensInMs(nowMs), 2 * hourMs);
  t.equal(factsWith({ ...usedUp, usedPercent: 99 }).windowOpensInMs(nowMs), null);
  t.equal(factsWith({ ...usedUp, resetsAt: null }).windowOpensInMs(nowMs), null);
});

t.test(
  "with a clock that is wrong by days, the wait is at least a second and at most the window",
  async (t) => {
    const facts = factsWith(usedUp);
    t.equal(facts.windowOpensInMs(nowMs + 72 * hourMs), 1000, "set forward");
    t.equal(facts.windowOpensInMs(nowMs - 72 * hourMs), 5 * hourMs, "set back");
    const unknownLength = factsWith({ ...usedUp, windowMinutes: null });
    t.equal(unknownLength.windowOpensInMs(0), 31 * 24 * hourMs);
  },
);

const account = {
  authMode: null,
  email: null,
  plan: null,
  accountId: null,
  loginRequired: false,
  routing: null,
};

/** A worker whose Codex lists these models. */
class ScriptedSlot extends WorkerSlot {
  models: readonly CatalogModel[] = [];

  override async query<Query extends NativeQuery>({ query }: Query): Promise<AnswerTo<Query>> {
    const answers = { account: { account }, models: { models: this.models }, managed_texts: { names: [] } };
    return { query, ...answers[query as keyof typeof answers] } as AnswerTo<Query>;
  }
}

t.test("values that the derived catalog overwrites come from Codex's own catalog", async (t) => {
  const facts = new CodexFacts(testLogger);
  const models = ["low", "none-of-its-own", "unlisted"].map((id) => ({
    ...model,
    id,
    defaultReasoningEffort: "none",
  }));
  const catalog = [
    { id: "low", defaultReasoningEffort: "low", usesResponsesLite: true },
    { id: "none-of-its-own", defaultReasoningEffort: null, usesResponsesLite: false },
  ];
  const accountBase = { login: null, readRateLimits: async () => null };
  const slot = new ScriptedSlot({ place: 1, generation: 1, threadId: 1 }, quietSlotCallbacks, () => 0);
  slot.models = models;
  t.teardown(() => slot.close(0));
  const efforts = () => facts.models?.map(({ defaultReasoningEffort }) => defaultReasoningEffort);
  await facts.readEssentials(slot, { home: null, catalog, accountBase });
  t.strictSame(efforts(), ["low", null, "none"]);
  await facts.readEssentials(slot, { home: null, catalog: null, accountBase });
  t.strictSame(efforts(), ["none", "none", "none"], "without a derived catalog, Codex's values are used");
});

t.test("values that a notification about the windows leaves out are unchanged", async (t) => {
  const facts = factsWith(usedUp);
  const secondary = { usedPercent: 30, windowMinutes: 10_080, resetsAt: usedUp.resetsAt };
  facts.noteRateLimits({ primary: null, secondary, plan: null, reached: null });
  t.same(facts.rateLimits, { primary: usedUp, secondary, plan: "plus", reached: null });
  facts.noteRateLimits({ primary: null, secondary: null, plan: null, reached: "rate_limit_reached" });
  facts.noteRateLimits({ primary: usedUp, secondary: null, plan: null, reached: null });
  t.equal(facts.rateLimits?.reached, "rate_limit_reached", "while a window is used up");
  facts.noteRateLimits({
    primary: { ...usedUp, usedPercent: 1 },
    secondary: null,
    plan: null,
    reached: null,
  });
  t.equal(facts.rateLimits?.reached, null, "no longer when there is room again");
});
