import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { PromptForm } from "../../../src/main/runtime/types.js";
import { type FormsOfCodex, PromptForms } from "../../../src/main/turns/prompt-forms.js";
import type { TurnErrorData } from "../../../src/workers/contract/errors.js";
import { makeTemporaryDirectory, testLogger } from "../../support/runtime-harness.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const paths = { lean: "/lean.json", lean_lite: "/lite.json", codex: "/codex.json" };
const marked = { id: "marked", defaultReasoningEffort: null, usesResponsesLite: true };
const plain = { id: "plain", defaultReasoningEffort: null, usesResponsesLite: false };

async function setUp(
  t: Test,
  codex: Partial<FormsOfCodex> = {},
  { profile = "lean" as "lean" | "codex", file = "" } = {},
) {
  const clock = { nowMs: 0, wallMs: Date.parse("2026-11-29") };
  const running = {
    version: "0.171.0" as string | null,
    accountId: "one" as string | null,
    catalog: [marked, plain] as FormsOfCodex["catalog"],
    catalogPaths: paths as FormsOfCodex["catalogPaths"],
    ...codex,
  };
  const path = file || join(await makeTemporaryDirectory(t), "prompt-forms.json");
  const forms = new PromptForms({
    profile,
    file: path,
    codex: () => running,
    now: () => clock.nowMs,
    wallClock: () => clock.wallMs,
    logger: testLogger,
  });
  await forms.load();
  const pass = (ms: number) => {
    clock.nowMs += ms;
    clock.wallMs += ms;
  };
  return { forms, running, file: path, pass };
}

function subject(model: string, hasWebSearch = false) {
  return {
    model,
    webSearch: hasWebSearch ? { contextSize: null, allowedDomains: null, location: null } : null,
  };
}

const segment = { started: null, usage: null, firstEventMs: null, durationMs: 1, handlerError: undefined };
const answered = { ...segment, outcome: { status: "completed" } as const, emitted: true };

function refused(error: Partial<TurnErrorData> = {}, emitted = false) {
  const told: TurnErrorData = {
    code: "upstream_bad_request",
    message: "no",
    upstreamStatus: 400,
    ...error,
  };
  return { ...segment, outcome: { status: "failed", error: told } as const, emitted };
}

function newTrial(caller = "one") {
  return { caller, tried: new Set<PromptForm>(), doubt: null };
}

/** Runs a turn on a backend that takes one form alone; the forms that it was asked in. */
function ask(
  forms: PromptForms,
  model: string,
  taken: PromptForm | null,
  caller = "one",
): readonly PromptForm[] {
  const trial = newTrial(caller);
  const asked: PromptForm[] = [];
  for (;;) {
    const { form } = forms.choose(subject(model), trial.tried);
    asked.push(form);
    const result = form === taken ? answered : refused();
    if (!forms.judge({ ...subject(model), form, accountId: "one" }, result, trial)) return asked;
  }
}

t.test("each model begins in the form that its catalog entry is marked for", async (t) => {
  const { forms } = await setUp(t);
  t.strictSame(forms.choose(subject("marked")), { form: "lean_lite", isLite: true, modelCatalog: null });
  t.strictSame(forms.choose(subject("plain")), { form: "lean", isLite: false, modelCatalog: null });
  t.strictSame(forms.choose(subject("unlisted")), { form: "lean", isLite: false, modelCatalog: null });
});

t.test("web search, which Responses Lite has not, comes in the older form", async (t) => {
  const { forms } = await setUp(t);
  const lean = { form: "lean", isLite: false };
  t.strictSame(forms.choose(subject("marked", true)), { ...lean, modelCatalog: "/lean.json" });
  t.strictSame(forms.choose(subject("plain", true)), { ...lean, modelCatalog: null });
});

t.test("a refused form gives way to the next, with its catalog, and each is tried once", async (t) => {
  const { forms } = await setUp(t);
  t.strictSame(ask(forms, "marked", null), ["lean_lite", "lean", "codex"]);
  t.strictSame(ask(forms, "plain", null), ["lean", "lean_lite", "codex"]);
  const tried = new Set<PromptForm>(["lean_lite"]);
  t.strictSame(forms.choose(subject("marked"), tried), {
    form: "lean",
    isLite: false,
    modelCatalog: "/lean.json",
  });
  tried.add("lean");
  t.strictSame(forms.choose(subject("marked"), tried), {
    form: "codex",
    isLite: true,
    modelCatalog: "/codex.json",
  });
});

t.test("only what answers is remembered, for a day, by account, version and model", async (t) => {
  const { forms, running, pass } = await setUp(t);
  ask(forms, "marked", null);
  t.equal(forms.choose(subject("marked")).form, "lean_lite", "a request that nobody takes switches nothing");
  t.strictSame(forms.health(), []);
  t.strictSame(ask(forms, "marked", "codex"), ["lean_lite", "lean", "codex"]);
  t.strictSame(ask(forms, "marked", "codex"), ["codex"]);
  t.match(forms.health(), [{ model: "marked", webSearch: false, form: "codex" }]);
  t.equal(forms.changes, 1);
  t.equal(forms.choose(subject("marked", true)).form, "lean", "not for prompts with web search");
  t.equal(forms.choose(subject("plain")).form, "lean", "nor for another model");
  running.accountId = "two";
  t.equal(forms.choose(subject("marked")).form, "lean_lite", "nor for another account");
  t.strictSame(forms.health(), []);
  running.accountId = "one";
  running.version = "0.172.0";
  t.equal(forms.choose(subject("marked")).form, "lean_lite", "nor for another version");
  running.version = "0.171.0";
  pass(23 * hourMs);
  t.equal(forms.choose(subject("marked")).form, "codex");
  pass(2 * hourMs);
  t.equal(forms.choose(subject("marked")).form, "lean_lite", "after a day the model's own is tried again");
  t.strictSame(forms.health(), []);
});

t.test("what was learned outlives the process, without the account's id", async (t) => {
  const first = await setUp(t);
  ask(first.forms, "marked", "lean");
  await first.forms.close();
  const second = await setUp(t, {}, { file: first.file });
  t.strictSame(ask(second.forms, "marked", "lean"), ["lean"]);
  t.notMatch(await readFile(first.file, "utf8"), /one/);
  t.equal(second.forms.changes, 0);
});

t.test(
  "a form that answered lately is not doubted for two refusals, and not without end for many",
  async (t) => {
    const { forms, pass } = await setUp(t);
    ask(forms, "marked", "lean_lite");
    t.strictSame(ask(forms, "marked", null), ["lean_lite"], "the first refusal is the request's fault");
    t.strictSame(ask(forms, "marked", null), ["lean_lite"], "and so may the second be");
    const all = ["lean_lite", "lean", "codex"];
    for (const word of ["third", "fourth", "fifth"])
      t.strictSame(ask(forms, "marked", null), all, `the ${word} raises a doubt`);
    t.strictSame(ask(forms, "marked", null), ["lean_lite"], "then its caller is known for bad requests");
    t.strictSame(ask(forms, "marked", null, "two"), all, "and another is not");
    pass(5_000);
    t.strictSame(ask(forms, "marked", null), all, "now and then");
    t.strictSame(ask(forms, "marked", "lean"), ["lean_lite"]);
    t.strictSame(ask(forms, "marked", "lean", "two"), ["lean_lite", "lean"], "another form is taken now");
    t.strictSame(ask(forms, "marked", "lean"), ["lean"]);
    pass(hourMs);
    t.strictSame(ask(forms, "marked", "lean_lite"), ["lean", "lean_lite"], "an answer long ago is no proof");
    t.strictSame(forms.health(), [], "the model's own form is nothing to remember");
  },
);

t.test(
  "an answer that comes late in a former form changes nothing, nor does one of another account",
  async (t) => {
    const { forms } = await setUp(t);
    ask(forms, "marked", "codex");
    const late = { ...subject("marked"), form: "lean_lite", accountId: "one" } as const;
    t.equal(forms.judge(late, answered, newTrial()), false);
    t.equal(forms.choose(subject("marked")).form, "codex");
    t.equal(forms.changes, 1);
    t.equal(forms.judge({ ...late, accountId: "two" }, refused(), newTrial()), false);
  },
);

t.test("doubts that are open at once have a bound, and one that was given up counts no longer", async (t) => {
  const { forms, pass } = await setUp(t);
  const ran = { ...subject("marked"), form: "lean_lite", accountId: "one" } as const;
  const trials = Array.from({ length: 9 }, () => newTrial());
  const begun = trials.map((trial) => forms.judge(ran, refused(), trial));
  t.strictSame(begun, [...Array(8).fill(true), false]);
  pass(minuteMs);
  t.equal(forms.judge(ran, refused(), newTrial()), true);
});

t.test("what says by its code or status what it is about is no matter of the form", async (t) => {
  const { forms } = await setUp(t);
  const judge = (ended: ReturnType<typeof refused>) =>
    forms.judge({ ...subject("marked"), form: "lean_lite", accountId: "one" }, ended, newTrial());
  for (const error of [
    { code: "content_policy_violation" },
    { code: "context_length_exceeded" },
    { code: "usage_limit_reached", upstreamStatus: 403 },
    { code: "rate_limit_exceeded", upstreamStatus: 429 },
    { code: "upstream_connection_failed", upstreamStatus: 502 },
    { upstreamStatus: 413 },
    { upstreamStatus: 422 },
  ] as const) {
    t.equal(judge(refused(error)), false, JSON.stringify(error));
  }
  t.equal(judge(refused({}, true)), false, "after output nothing is run again");
  const doubtful = [
    { code: "model_not_found", upstreamStatus: 404 },
    { code: "upstream_forbidden", upstreamStatus: 403 },
  ] as const;
  for (const error of doubtful) {
    const fresh = await setUp(t);
    const ran = { ...subject("marked"), form: "lean_lite", accountId: "one" } as const;
    t.equal(fresh.forms.judge(ran, refused(error), newTrial()), true, JSON.stringify(error));
  }
});

t.test("where a thread cannot have a catalog of its own there is the older form, and Codex's", async (t) => {
  const { forms } = await setUp(t, { version: "0.160.0" });
  t.strictSame(forms.choose(subject("marked")), { form: "lean", isLite: false, modelCatalog: null });
  t.strictSame(ask(forms, "marked", "codex"), ["lean", "codex"]);
  t.strictSame(forms.choose(subject("marked")), { form: "codex", isLite: false, modelCatalog: null });
});

t.test("without a catalog, and in the codex profile, there is one form", async (t) => {
  const { forms } = await setUp(t, { catalog: null, catalogPaths: null });
  t.strictSame(ask(forms, "marked", null), ["lean"]);
  const codex = await setUp(t, {}, { profile: "codex" });
  t.strictSame(ask(codex.forms, "marked", null), ["codex"]);
  t.strictSame(codex.forms.choose(subject("marked")), { form: "codex", isLite: true, modelCatalog: null });
});

t.test("names without end do not fill the memory", async (t) => {
  const { forms } = await setUp(t);
  for (let index = 0; index < 1_000; index += 1) ask(forms, `model-${index}`, "codex");
  t.ok(forms.health().length <= 256);
  t.equal(forms.choose(subject("model-999")).form, "codex");
});
