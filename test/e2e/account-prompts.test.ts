/** What an account brings into the prompt beside the caller's words: a full account against a bare one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { additionsOf, takeOutAdditions } from "../support/account-additions.js";
import type { RecordedModelRequest } from "../support/offline-backend/index.js";
import { chooseModels, listCells } from "../support/prompt-matrix.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { shownToModel } from "../support/shown-to-model.js";

const weather = {
  type: "function",
  name: "weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: {} },
  strict: false,
} as const;

/** Each form of turn, one after the other; the last goes on from the one before. */
async function ask(
  { backend, client }: ServiceHarness,
  model: string,
): Promise<readonly RecordedModelRequest[]> {
  const before = backend.requests.length;
  const settings = { model, instructions: "The caller's instructions.", tools: [weather] };
  await client.responses.create({ model, input: "A plain text." });
  const first = await client.responses.create({
    ...settings,
    input: [{ role: "user", content: "An item." }],
  });
  await client.responses.create({ ...settings, previous_response_id: first.id, input: "And then?" });
  return backend.requests.slice(before);
}

/** Where the service's app-server works is in Codex's texts and differs from one service to the next. */
function withoutPlace(prompt: unknown): unknown {
  return JSON.parse(JSON.stringify(prompt).replaceAll(/[^"<>]+\/instances\/[0-9a-f-]+/g, "<place>"));
}

interface Accounts {
  readonly bare: ServiceHarness;
  readonly full: ServiceHarness;
}

/** `expected`: the marks of what the account adds. */
async function compareAccounts(
  t: Test,
  { bare, full }: Accounts,
  expected: readonly string[],
): Promise<void> {
  const { data } = await full.client.models.list();
  const models = chooseModels(data.map(({ id }) => id));
  t.ok(models.length >= 3, models.join(", "));
  for (const model of models) {
    const [plain, rich] = [await ask(bare, model), await ask(full, model)];
    for (const [index, request] of rich.entries()) {
      const { rest, found } = takeOutAdditions(shownToModel(request));
      t.same(found, expected, `${model}, turn ${index}: what is added`);
      const wanted = withoutPlace(shownToModel(plain[index]));
      t.same(withoutPlace(rest), wanted, `${model}, turn ${index}: the rest`);
    }
  }
}

for (const cell of await listCells()) {
  const { codex, login, profile, hasAccount } = cell;
  t.test(
    `Codex ${codex.version}, ${cell.name}, ${profile}: a full account's prompt is a bare one's with the known additions`,
    codex.skip === undefined ? {} : { skip: codex.skip },
    async (t) => {
      const start = (account: "bare" | "full") =>
        startServiceHarness(t, {
          ...login,
          backend: { ...login.backend, account },
          argv: ["--turn-profile", profile],
          env: codex.environment,
        });
      const [bare, full] = await Promise.all([start("bare"), start("full")]);
      await Promise.all([bare.untilReady(), full.untilReady()]);
      await compareAccounts(t, { bare, full }, hasAccount ? additionsOf("full", codex.version) : []);
    },
  );
}

for (const profile of ["lean", "codex"] as const) {
  t.test(`in the user's own home too the ${profile} profile's prompt has none of its memories`, async (t) => {
    const argv = ["--codex-home-mode", "user", "--turn-profile", profile];
    const { backend, client, untilReady, userHome } = await startServiceHarness(t, {
      backend: { account: "full" },
      argv,
    });
    await mkdir(join(userHome, "memories"));
    await writeFile(join(userHome, "memories", "memory_summary.md"), "v1\nThe user likes mint tea.\n");
    await untilReady();
    await client.responses.create({ input: "hello" });
    t.notMatch(JSON.stringify(backend.requests.at(-1)?.fullInput), /mint tea/);
  });
}
