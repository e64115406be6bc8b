import t from "tap";
import {
  hasFeature,
  missingFeatures,
  newestTestedCodex,
} from "../../../../src/workers/contract/codex-capabilities.js";

t.test("each version goes without what it lacks, by name", async (t) => {
  t.same(missingFeatures("0.140.0"), [
    "usage_of_parked_turns",
    "model_item_ids",
    "tool_free_turns",
    "cache_write_usage",
    "custom_tool_grammars",
    "upstream_interrupt",
    "cut_short_answers",
    "citations",
    "thread_unload",
    "prompt_forms",
  ]);
  t.same(missingFeatures("0.150.0"), [
    "upstream_interrupt",
    "cut_short_answers",
    "citations",
    "thread_unload",
    "prompt_forms",
  ]);
  t.same(missingFeatures("0.160.1"), ["cut_short_answers", "citations", "thread_unload", "prompt_forms"]);
  for (const version of ["0.169.0", newestTestedCodex]) t.same(missingFeatures(version), []);
});

t.test("a version that cannot be read, or is newer than all, counts as a new one", async (t) => {
  for (const version of [null, "nightly", "0.200.0", "1.2.3"]) t.same(missingFeatures(version), []);
  t.equal(hasFeature("0.169.0-alpha.3", "thread_unload"), true);
});
