import t from "tap";
import { CodexFacts } from "../../../src/main/runtime/codex-facts.js";
import { WorkerSlot } from "../../../src/main/runtime/pool/worker-slot.js";
import type { RateLimits } from "../../../src/main/runtime/types.js";
import type { AnswerTo, CatalogModel, NativeQuery } from "../../../src/workers/contract/native-queries.js";
import { fakeModels } from "../../support/fake-runtime.js";
import { quietSlotCallbacks } from "../../support/quiet-slot-callbacks.js";
import { testLogger } from "../../support/runtime-harness.js";

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

t.test("a used-up window says how long it is until it opens", async (t) => {
  t.equal(factsWith(usedUp).windowOpensInMs(nowMs), 2 * hourMs);
  t.equal(factsWith({ ...usedUp, usedPercent: 99 }).windowOpensInMs(nowMs), null);
  t.equal(factsWith({ ...usedUp, resetsAt: null }).windowOpensInMs(nowMs), null);
});

t.test(
  "a clock that is wrong by days makes the wait no shorter than a second and no longer than the window",
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

/** A worker whose Codex has these models. */
class ScriptedSlot extends WorkerSlot {
  models: readonly CatalogModel[] = [];

  override async query<Query extends NativeQuery>({ query }: Query): Promise<AnswerTo<Query>> {
    const answers = { account: { account }, models: { models: this.models }, managed_texts: { names: [] } };
    return { query, ...answers[query as keyof typeof answers] } as AnswerTo<Query>;
  }
}

t.test("what the derived catalog keeps from Codex is told as Codex's own catalog has it", async (t) => {
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
  const slot = new ScriptedSlot({ place: 1, generation: 1, threadId: 1 }, quietSlotCallbacks, () => 0);
  slot.models = models;
  t.teardown(() => slot.close(0));
  const efforts = () => facts.models?.map(({ defaultReasoningEffort }) => defaultReasoningEffort);
  await facts.readEssentials(slot, { authFile: null, catalog, accountBase: null });
  t.strictSame(efforts(), ["low", null, "none"]);
  await facts.readEssentials(slot, { authFile: null, catalog: null, accountBase: null });
  t.strictSame(efforts(), ["none", "none", "none"], "without a derived catalog Codex says all itself");
});

t.test("what Codex tells of the windows by itself leaves standing what it leaves out", async (t) => {
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
  t.equal(facts.rateLimits?.reached, null, "and not when there is room again");
});
