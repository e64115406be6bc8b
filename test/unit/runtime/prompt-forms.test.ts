import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type FormsOfCodex, FormTrial, PromptForms } from "../../../src/main/runtime/prompt-forms.js";
import type { PromptForm } from "../../../src/main/runtime/types.js";
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

const leg = { started: null, usage: null, firstEventMs: null, durationMs: 1, handlerError: undefined };
const answered = { result: { ...leg, outcome: { status: "completed" } as const, emitted: true } };

function refused(error: Partial<TurnErrorData> = {}, emitted = false) {
  const told: TurnErrorData = {
    code: "upstream_bad_request",
    message: "no",
    upstreamStatus: 400,
    ...error,
  };
  return { result: { ...leg, outcome: { status: "failed", error: told } as const, emitted } };
}

/** Runs a turn on a backend that takes one form alone; the forms that it was asked in. */
function ask(forms: PromptForms, model: string, taken: PromptForm | null): readonly PromptForm[] {
  const trial = new FormTrial<typeof answered | ReturnType<typeof refused>>();
  const asked: PromptForm[] = [];
  for (;;) {
    const { form } = forms.choose(subject(model), trial.tried);
    asked.push(form);
    const ended = form === taken ? answered : refused();
    if (!forms.judge({ ...subject(model), form }, ended, trial)) return asked;
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
    t.strictSame(ask(forms, "marked", null), ["lean_lite", "lean", "codex"], "the third raises a doubt");
    t.strictSame(ask(forms, "marked", null), ["lean_lite"], "which is not raised again at once");
    pass(minuteMs);
    t.strictSame(
      ask(forms, "marked", "lean"),
      ["lean_lite", "lean"],
      "a backend that takes another form now",
    );
    t.strictSame(ask(forms, "marked", "lean"), ["lean"]);
    pass(hourMs);
    t.strictSame(ask(forms, "marked", "lean_lite"), ["lean", "lean_lite"], "an answer long ago is no proof");
    t.strictSame(forms.health(), [], "the model's own form is nothing to remember");
  },
);

t.test("what says by its code or status what it is about is no matter of the form", async (t) => {
  const { forms } = await setUp(t);
  const judge = (ended: ReturnType<typeof refused>) =>
    forms.judge({ ...subject("marked"), form: "lean_lite" }, ended, new FormTrial());
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
    const thread = { ...subject("marked"), form: "lean_lite" } as const;
    t.equal(fresh.forms.judge(thread, refused(error), new FormTrial()), true, JSON.stringify(error));
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
