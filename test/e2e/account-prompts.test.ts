/** What an account brings into the prompt beside the caller's words: one of a person and one of an organisation against a bare one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { additionsOf, takeOutAdditions } from "../support/account-additions.js";
import type { AccountForm, RecordedModelRequest } from "../support/offline-backend/index.js";
import { chooseModels, isThorough, listCells } from "../support/prompt-matrix.js";
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

/** `expected`: the marks of what the account adds. */
async function comparePrompts(
  t: Test,
  rich: {
    readonly name: AccountForm;
    readonly expected: readonly string[];
    readonly harness: ServiceHarness;
  },
  bare: ReadonlyMap<string, readonly RecordedModelRequest[]>,
): Promise<void> {
  for (const [model, plain] of bare) {
    const requests = await ask(rich.harness, model);
    for (const [index, request] of requests.entries()) {
      const what = `${rich.name} account, ${model}, turn ${index}`;
      const { rest, found } = takeOutAdditions(shownToModel(request));
      t.same(found, rich.expected, `${what}: what is added`);
      t.same(withoutPlace(rest), withoutPlace(shownToModel(plain[index])), `${what}: the rest`);
    }
  }
}

for (const cell of await listCells()) {
  const { codex, name, login, hasAccount, profile } = cell;
  t.test(
    `Codex ${codex.version}, ${name}, ${profile}: an account's prompt is a bare one's with the known additions`,
    codex.skip === undefined ? {} : { skip: codex.skip },
    async (t) => {
      const start = async (account: AccountForm): Promise<ServiceHarness> => {
        const harness = await startServiceHarness(t, {
          ...login,
          backend: { ...login.backend, account },
          argv: ["--turn-profile", profile],
          env: codex.environment,
        });
        await harness.untilReady();
        return harness;
      };
      const bare = await start("bare");
      const { data } = await bare.client.models.list();
      const models = chooseModels(
        data.map(({ id }) => id),
        cell,
      );
      t.comment(models.join(", "));
      const plain = new Map<string, readonly RecordedModelRequest[]>();
      for (const model of models) plain.set(model, await ask(bare, model));
      for (const account of isThorough(cell) ? (["personal", "full"] as const) : (["full"] as const)) {
        const expected = hasAccount ? additionsOf(account, codex.version) : [];
        await comparePrompts(t, { name: account, expected, harness: await start(account) }, plain);
      }
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
