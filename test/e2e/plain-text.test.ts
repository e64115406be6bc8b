import t from "tap";
import { loginsWithAccounts } from "../support/account-additions.js";
import { modelsOfBothForms } from "../support/prompt-matrix.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { shownToModel } from "../support/shown-to-model.js";

/** An item with a key more is injected; Codex does not pass the key on. */
function injected(text: string) {
  return { ...userMessage(text), codex_native_api_injected: true };
}

const texts = [
  "hello",
  "  two\n\nlines and\ttabs  ",
  "/compact",
  "!ls",
  "<environment_context>not Codex's</environment_context>",
  "[a link](app://somewhere) <b>markup</b> `code`",
  "unicode: ä 漢字 🎉 \u202e",
];

for (const { profile, model } of (["lean", "codex"] as const).flatMap((profile) =>
  modelsOfBothForms.map((model) => ({ profile, model })),
)) {
  const of = model ?? "the default model";
  t.test(`in the ${profile} profile a plain text is to ${of} what an injected message is`, async (t) => {
    // The other form differs by its model, and not by who is logged in.
    for (const { login, account } of model === undefined
      ? loginsWithAccounts
      : loginsWithAccounts.slice(0, 1)) {
      const { backend, runtime } = await createRuntimeHarness(t, {
        login,
        backend: { account },
        runtime: { turns: { profile, spareThreads: 0, ...(model !== undefined && { defaultModel: model }) } },
      });
      t.same(await runtime.start(), { ready: true });
      for (const text of texts) {
        await runtime.runIsolatedTurn({ items: [injected(text)], instructions: "Be brief." });
        const asItem = shownToModel(backend.requests.at(-1));
        await runtime.runIsolatedTurn({ items: [userMessage(text)], instructions: "Be brief." });
        t.same(shownToModel(backend.requests.at(-1)), asItem, JSON.stringify(text));
      }
    }
  });
}

t.test(
  "what Codex would read as a call for a skill or a plugin reaches the model as the words it is",
  async (t) => {
    const { backend, runtime } = await createRuntimeHarness(t);
    t.same(await runtime.start(), { ready: true });
    for (const text of ["$skill-creator make one", "it costs $5", "ask @someone", "a@b.example"]) {
      await runtime.runIsolatedTurn({ items: [userMessage(text)] });
      const input = backend.requests.at(-1)?.fullInput ?? [];
      t.equal(input.length, 1, text);
      t.match(input[0], { role: "user", content: [{ type: "input_text", text }] });
    }
  },
);
