import t from "tap";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import {
  chooseModel,
  defaultModelOf,
  judgeAliases,
  type NamingFacts,
  resolveModelName,
} from "../../../src/main/runtime/model-names.js";
import type { NativeModel } from "../../../src/main/runtime/types.js";
import { fakeModels } from "../../support/fake-runtime.js";

const [base] = fakeModels;
const catalog: readonly NativeModel[] = ["gpt-5.5", "gpt-5.4-mini", "gpt-5.3-high"].flatMap((id) =>
  base === undefined ? [] : [{ ...base, id, isDefault: id === "gpt-5.5" }],
);

const facts: NamingFacts = { aliases: {}, defaultName: null, catalog, isOpen: false };
const aliases = {
  fast: { model: "gpt-5.4-mini", effort: "low", tier: "priority" },
  "gpt-4o": { model: "gpt-5.5" },
  "gpt-5.4-mini": { model: "gpt-5.5", effort: "low" },
  gone: { model: "gpt-4" },
};
const aliased = { ...facts, aliases };

function resolve(name: string, given: NamingFacts = facts): readonly unknown[] | null {
  const named = resolveModelName(name, given);
  return named && [named.model, named.effort, named.serviceTier, named.alias];
}

function refusal(name: string, given: NamingFacts = facts): string {
  try {
    resolveModelName(name, given);
  } catch (error) {
    if (error instanceof CodexNativeApiError && error.code === "model_not_found") return error.message;
    throw error;
  }
  return "none";
}

t.test("a name is an id, or one with a provider before it or an effort behind it", async (t) => {
  const found = {
    "gpt-5.5": ["gpt-5.5", null],
    "openai/gpt-5.5": ["gpt-5.5", null],
    "codex/gpt-5.5": ["gpt-5.5", null],
    "openai-codex/gpt-5.5": ["gpt-5.5", null],
    "chatgpt/gpt-5.5": ["gpt-5.5", null],
    "gpt-5.5(high)": ["gpt-5.5", "high"],
    "gpt-5.5 (High)": ["gpt-5.5", "high"],
    "gpt-5.5-high": ["gpt-5.5", "high"],
    "openai/gpt-5.4-mini-low": ["gpt-5.4-mini", "low"],
    "openai/gpt-5.4-mini(low)": ["gpt-5.4-mini", "low"],
    // A model of that name.
    "gpt-5.3-high": ["gpt-5.3-high", null],
    "gpt-5.3-high(low)": ["gpt-5.3-high", "low"],
    "gpt-5.3-high-low": ["gpt-5.3-high", "low"],
  };
  for (const [name, [model, effort]] of Object.entries(found)) {
    t.strictSame(resolve(name), [model, effort, null, null], name);
  }
});

t.test(
  "another provider's prefix, an effort that the model does not take, and other spellings are no names",
  async (t) => {
    const names = [
      "azure/gpt-5.5",
      "openai/openai/gpt-5.5",
      "openai:gpt-5.5",
      "gpt-5.5-turbo",
      "gpt-5.5-",
      "(high)",
      "",
      "-high",
      "openai/",
    ];
    for (const name of names) t.match(refusal(name), /is not in Codex's catalog/, name);
    t.equal(
      refusal("gpt-5.5(xhigh)"),
      "'gpt-5.5(xhigh)' asks 'gpt-5.5' for an effort that it does not take. It takes: low, medium, high.",
    );
    t.match(refusal("gpt-5.5-xhigh"), /not in Codex's catalog. Did you mean 'gpt-5.5'/);
  },
);

t.test("an unknown name is answered with the nearest ones", async (t) => {
  t.equal(
    refusal("gpt-5.6"),
    "The model 'gpt-5.6' is not in Codex's catalog. Did you mean 'gpt-5.5'? GET /v1/models lists what is.",
  );
  t.match(refusal("openai/gpt-54-mini"), /Did you mean 'gpt-5.4-mini'/);
  t.match(refusal("fats", aliased), /Did you mean 'fast'/);
  t.equal(
    refusal("claude-opus"),
    "The model 'claude-opus' is not in Codex's catalog. GET /v1/models lists what is.",
  );
  t.ok(refusal(`${"x".repeat(1_000_000)}(high)`).length < 200);
});

t.test(
  "an alias stands for model, effort and tier, goes before a model, and is never followed twice",
  async (t) => {
    t.strictSame(resolve("fast", aliased), ["gpt-5.4-mini", "low", "priority", "fast"]);
    t.strictSame(resolve("fast(high)", aliased), ["gpt-5.4-mini", "high", "priority", "fast"]);
    t.strictSame(resolve("fast-high", aliased), ["gpt-5.4-mini", "high", "priority", "fast"]);
    t.strictSame(resolve("openai/gpt-4o", aliased), ["gpt-5.5", null, null, "gpt-4o"]);
    t.strictSame(resolve("gpt-5.4-mini", aliased), ["gpt-5.5", "low", null, "gpt-5.4-mini"]);
    t.equal(refusal("gone", aliased), "'gone' is an alias of 'gpt-4', which is not in Codex's catalog.");
    t.match(refusal("toString", aliased), /not in Codex's catalog/);
    t.match(refusal("__proto__(high)", aliased), /not in Codex's catalog/);
  },
);

t.test("aliases without a model, or with an effort that it does not take, are found", async (t) => {
  const judged = judgeAliases({
    ...aliased,
    aliases: { ...aliases, loud: { model: "gpt-5.5", effort: "xhigh" } },
  });
  t.strictSame(
    judged.filter(({ problem }) => problem !== null).map(({ name, problem }) => [name, problem]),
    [
      ["gone", "Codex's catalog has no model 'gpt-4'."],
      ["loud", "'gpt-5.5' takes no effort 'xhigh'."],
    ],
  );
});

t.test("before the catalog is known, only what cannot be a form is told", async (t) => {
  const early = { ...aliased, catalog: null };
  t.strictSame(resolve("gpt-5.5", early), ["gpt-5.5", null, null, null]);
  t.strictSame(resolve("fast", early), ["gpt-5.4-mini", "low", "priority", "fast"]);
  for (const name of ["gpt-5.5(high)", "openai/gpt-5.5", "gpt-5.5-high"])
    t.equal(resolve(name, early), null, name);
});

t.test(
  "names of a provider of the user's own are passed on, but for aliases and efforts in parentheses",
  async (t) => {
    const open = { ...aliased, isOpen: true };
    t.strictSame(resolve("openai/o3-mini-high", open), ["openai/o3-mini-high", null, null, null]);
    t.strictSame(resolve("qwen3:8b(high)", open), ["qwen3:8b", "high", null, null]);
    t.strictSame(resolve("model (v2)", open), ["model (v2)", null, null, null]);
    t.strictSame(resolve("gone", open), ["gpt-4", null, null, "gone"]);
    t.equal(chooseModel("qwen3:8b", open), "qwen3:8b");
    t.ok(judgeAliases(open).every(({ problem }) => problem === null));
  },
);

t.test("the configured default may be any name", async (t) => {
  t.equal(defaultModelOf(facts), "gpt-5.5");
  t.equal(defaultModelOf({ ...aliased, defaultName: "fast" }), "gpt-5.4-mini");
  t.equal(chooseModel(undefined, { ...facts, defaultName: "openai/gpt-5.5(low)" }), "gpt-5.5");
  t.equal(defaultModelOf({ ...facts, defaultName: "gpt-4" }), "gpt-4");
  t.throws(() => chooseModel(undefined, { ...facts, defaultName: "gpt-4" }), { code: "model_not_found" });
  t.throws(() => chooseModel(undefined, { ...facts, catalog: null }), { code: "native_runtime_unavailable" });
  t.throws(() => chooseModel("openai/gpt-5.5", facts), { code: "model_not_found" });
});

t.test("a name that is far too long is compared with none, whatever it is made of", async (t) => {
  t.notMatch(refusal(`gpt-5.5${"-".repeat(300)}`), /Did you mean/);
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`name-${at}`, { model: "gpt-5.5" }]),
  );
  // Each comparison with it costs as much as reading it, and there were a thousand.
  t.match(refusal("a-".repeat(200_000), { ...facts, aliases: many }), /^The model 'a-a-/);
});
