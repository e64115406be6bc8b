/** That what an organisation demands reaches an app-server that runs already, and is asked for no more than that takes. */
import t, { type Test } from "tap";
import { accountAddsToPrompts } from "../../src/main/codex/login/account-base.js";
import type { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { testCodexVersion } from "../support/codex-version.js";
import type { JsonObject, OfflineBackend } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const cutsOff = accountAddsToPrompts(testCodexVersion)
  ? {}
  : { skip: `Codex ${testCodexVersion} adds nothing, and keeps its base` };

function demand(text: string): JsonObject {
  const contents = `additional_developer_instructions = ${JSON.stringify(text)}\n`;
  return { requirements_toml: { enterprise_managed: [{ id: "requirements-1", name: "Limits", contents }] } };
}

interface Organisation {
  readonly runtime: CodexNativeRuntime;
  readonly backend: OfflineBackend;
  /** What the next one who asks is told. */
  readonly change: (text: string) => void;
  /** The whole prompt of a turn. */
  readonly ask: () => Promise<string>;
  readonly countReads: () => number;
}

async function startOrganisation(
  t: Test,
  options: { readonly everyMs?: number; readonly refusedBundles?: number } = {},
): Promise<Organisation> {
  const { everyMs: managedConfigurationEveryMs, refusedBundles } = options;
  const managedConfiguration = { ...demand("First rule.") };
  const { runtime, backend } = await createRuntimeHarness(t, {
    login: "chatgpt",
    backend: {
      account: "full",
      managedConfiguration,
      ...(refusedBundles !== undefined && { refusedBundles }),
    },
    runtime: { codex: managedConfigurationEveryMs === undefined ? {} : { managedConfigurationEveryMs } },
  });
  await runtime.open();
  await pollUntil(() => runtime.readiness.ready);
  return {
    runtime,
    backend,
    change: (text) => void Object.assign(managedConfiguration, demand(text)),
    ask: async () => {
      await runtime.runIsolatedTurn({ items: [userMessage("hello")] });
      return JSON.stringify(backend.requests.at(-1)?.fullInput);
    },
    countReads: () => backend.asked.filter(({ path }) => path.endsWith("/config/bundle")).length,
  };
}

const isNamed = ({ runtime }: Organisation): boolean =>
  runtime.health().degraded.includes("caller_only_prompt");

t.test("what changes reaches the turns of a service that runs, by another app-server", cutsOff, async (t) => {
  const organisation = await startOrganisation(t, { everyMs: 3_000 });
  const { change, ask, runtime } = organisation;
  t.match(await ask(), "First rule.");
  change("Second rule.");
  await pollUntil(() => (runtime.health().appServer?.generation ?? 0) > 1 && runtime.readiness.ready);
  await pollUntil(async () => (await ask()).includes("Second rule."));
  const prompt = await ask();
  t.notMatch(prompt, "First rule.");
  t.notMatch(prompt, "git_attribution");
  t.notOk(isNamed(organisation));
});

t.test("what does not change is read, and no other app-server comes of it", cutsOff, async (t) => {
  const organisation = await startOrganisation(t, { everyMs: 3_000 });
  const { countReads, runtime, backend } = organisation;
  const before = countReads();
  const usage = backend.counters.usageCalls;
  await pollUntil(() => countReads() >= before + 2);
  t.equal(runtime.health().appServer?.generation, 1);
  t.equal(backend.counters.usageCalls, usage, "the plan's windows are not asked for with it");
  t.match(await organisation.ask(), "First rule.");
});

t.test("it is read once at the start, and not again for turns", cutsOff, async (t) => {
  const { ask, countReads } = await startOrganisation(t);
  for (const _ of [1, 2, 3]) await ask();
  t.equal(countReads(), 1);
});

t.test("where it cannot be read the base is kept, until it can be", cutsOff, async (t) => {
  // Codex tries five times.
  const organisation = await startOrganisation(t, { everyMs: 3_000, refusedBundles: 5 });
  t.match(await organisation.ask(), "First rule.");
  await pollUntil(() => !isNamed(organisation) && organisation.runtime.readiness.ready);
  await pollUntil(async () => !(await organisation.ask()).includes("git_attribution"));
  t.match(await organisation.ask(), "First rule.");
});
