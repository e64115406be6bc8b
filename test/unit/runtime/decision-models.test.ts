import t from "tap";
import { resolveDecisionModel } from "../../../src/main/runtime/decision-models.js";
import type { NamingFacts } from "../../../src/main/runtime/model-names.js";
import type { NativeModel } from "../../../src/main/runtime/types.js";
import { fakeModels } from "../../support/fake-runtime.js";

const [base] = fakeModels;
const models = (...ids: readonly string[]): readonly NativeModel[] =>
  base === undefined ? [] : ids.map((id, index) => ({ ...base, id, isDefault: index === 0 }));
const facts = (...ids: readonly string[]): NamingFacts => ({
  aliases: {},
  defaultName: null,
  catalog: models(...ids),
  isOpen: false,
});
const settings = { model: null, effort: "low" };

function resolve(
  given: NamingFacts,
  name = "gpt-6-luna",
  configured: { model: string | null; effort: string } = settings,
) {
  const named = resolveDecisionModel(name, given, configured);
  return named && [named.model, named.effort, named.alias];
}

t.test("gpt-6-luna is itself where the catalog has it", async (t) => {
  t.strictSame(resolve(facts("gpt-6-sol", "gpt-6-luna")), ["gpt-6-luna", "low", null]);
  t.strictSame(
    resolve(facts("gpt-6-sol", "gpt-6-luna"), "gpt-6-luna", { model: "gpt-6-sol", effort: "low" }),
    ["gpt-6-luna", "low", null],
  );
});

t.test(
  "elsewhere it stands for the configured model, else for the fastest, else for the default",
  async (t) => {
    const old = facts("gpt-5.5", "gpt-5.4-mini", "gpt-5.6-luna");
    t.strictSame(resolve(old), ["gpt-5.4-mini", "low", "gpt-6-luna"]);
    t.strictSame(resolve(old, "openai/gpt-6-luna"), ["gpt-5.4-mini", "low", "gpt-6-luna"]);
    t.strictSame(resolve(old, "gpt-6-luna(high)"), ["gpt-5.4-mini", "high", "gpt-6-luna"]);
    t.strictSame(resolve(old, "gpt-6-luna", { model: "gpt-5.5-medium", effort: "low" }), [
      "gpt-5.5",
      "medium",
      "gpt-6-luna",
    ]);
    t.strictSame(resolve(facts("gpt-5.5", "gpt-5.4")), ["gpt-5.5", "low", "gpt-6-luna"]);
    t.throws(() => resolve(old, "gpt-6-luna", { model: "gpt-0", effort: "low" }), {
      code: "model_not_found",
    });
  },
);

t.test("other names pass as everywhere, with the effort of decisions where they say none", async (t) => {
  const old = facts("gpt-5.5", "gpt-5.4-mini");
  t.strictSame(resolve(old, "gpt-5.5"), ["gpt-5.5", "low", null]);
  t.strictSame(resolve(old, "gpt-5.5-high"), ["gpt-5.5", "high", null]);
  t.strictSame(
    resolve(old, "gpt-5.5", { model: null, effort: "ultra" }),
    ["gpt-5.5", null, null],
    "it takes no such effort",
  );
  t.throws(() => resolve(old, "gpt-6-sol"), { code: "model_not_found" });
});

t.test("an alias of the user's goes first, with its own effort", async (t) => {
  const aliases = { "gpt-6-luna": { model: "gpt-5.5" }, quick: { model: "gpt-5.4-mini", effort: "medium" } };
  const aliased = { ...facts("gpt-5.5", "gpt-5.4-mini", "gpt-6-luna"), aliases };
  t.strictSame(resolve(aliased), ["gpt-5.5", null, "gpt-6-luna"]);
  t.strictSame(resolve(aliased, "quick"), ["gpt-5.4-mini", "medium", "quick"]);
});

t.test(
  "without a catalog it waits, or asks a provider of the user's own by the names that there are",
  async (t) => {
    t.equal(resolve({ ...facts(), catalog: null }), null);
    const open = { ...facts(), catalog: null, isOpen: true };
    t.strictSame(resolve(open), ["gpt-6-luna", null, null]);
    t.strictSame(resolve({ ...open, defaultName: "qwen" }), ["qwen", null, "gpt-6-luna"]);
    t.strictSame(resolve(open, "gpt-6-luna", { model: "llama", effort: "low" }), [
      "llama",
      null,
      "gpt-6-luna",
    ]);
  },
);
