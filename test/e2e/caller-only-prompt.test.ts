/** That an account's own settings reach no prompt, and that turns lack nothing for it. */
import OpenAI from "openai";
import t, { type Test } from "tap";
import { accountAddsToPrompts } from "../../src/main/codex/login/account-base.js";
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import { additionsOf } from "../support/account-additions.js";
import { testCodexVersion } from "../support/codex-version.js";
import {
  managedInstructions,
  requiredInstructions,
  switchAccount,
} from "../support/offline-backend/index.js";
import {
  pollUntil,
  type ServiceHarness,
  type ServiceHarnessOptions,
  startServiceHarness,
} from "../support/service-harness.js";
import { shownToModel } from "../support/shown-to-model.js";

const addsToPrompts = accountAddsToPrompts(testCodexVersion)
  ? {}
  : { skip: `Codex ${testCodexVersion} adds nothing` };
const knowsRouting = isAtLeast(testCodexVersion, 0, 160)
  ? {}
  : { skip: `Codex ${testCodexVersion} does not ask where requests go` };

/** The ways to the model that use a ChatGPT login. */
const logins: Readonly<Record<string, ServiceHarnessOptions>> = {
  "the built-in provider over WebSocket": {},
  "the built-in provider over SSE": { backend: { webSocket: "refuse" } },
  "a custom provider over WebSocket": { provider: { supportsWebSockets: true } },
  "a custom provider over SSE": { provider: { supportsWebSockets: false } },
};

/** A person's account with everything on. */
function startFull(t: Test, options: ServiceHarnessOptions = {}): Promise<ServiceHarness> {
  return startServiceHarness(t, {
    planType: "pro",
    ...options,
    backend: { account: "full", ...options.backend },
  });
}

async function ask({ client, backend }: ServiceHarness, input = "hello"): Promise<unknown> {
  await client.responses.create({ input });
  return shownToModel(backend.requests.at(-1));
}

const countAsked = ({ backend }: ServiceHarness, end: string): number =>
  backend.asked.filter(({ path }) => path.endsWith(end)).length;

const isNamed = ({ service }: ServiceHarness): boolean =>
  service.health()?.degraded.includes("caller_only_prompt") === true;

for (const [name, options] of Object.entries(logins)) {
  t.test(`by ${name}, an account with everything on is sent what a bare one is`, addsToPrompts, async (t) => {
    const full = await startFull(t, options);
    const bare = await startServiceHarness(t, options);
    for (const input of ["first", "second"]) t.strictSame(await ask(full, input), await ask(bare, input));
    t.equal(countAsked(full, "/settings/user"), 0, "nobody asks for the settings");
    t.notOk(isNamed(full));
    t.match(full.service.health()?.account, {
      id: "acct-offline-1",
      email: "offline@example.test",
      plan: "pro",
      authMode: "chatgpt",
    });
    t.ok(full.service.health()?.rateLimits?.primary, "the plan's windows are known");
  });
}

for (const [name, workspaceRouting] of Object.entries({
  "another origin": { origin: "https://eu.example.test", override: "NO_CONSTRAINT" },
  "an override": { origin: "https://127.0.0.1", override: "us_cr" },
})) {
  t.test(
    `a workspace that routes its requests by ${name} keeps its backend, and health names it`,
    knowsRouting,
    async (t) => {
      const routed = await startFull(t, { backend: { workspaceRouting } });
      // Where the requests go then is not this machine's: only who is logged in is looked at.
      await pollUntil(() => routed.service.health()?.account != null);
      t.ok(isNamed(routed));
    },
  );
}

t.test(
  "where the account cannot be read at the start, no turn runs before it was",
  knowsRouting,
  async (t) => {
    const harness = await startFull(t, { backend: { refusedAccountChecks: 3 } });
    await harness.client.responses.create({ input: "hello" });
    t.notMatch(JSON.stringify(harness.backend.requests), "git_attribution");
    t.notOk(isNamed(harness));
    t.comment(`app-server ${harness.service.health()?.appServer?.generation}`);
  },
);

t.test("a start after an earlier one needs no answer about the account", addsToPrompts, async (t) => {
  const harness = await startFull(t);
  await harness.untilReady();
  const { service, backend } = harness;
  const asked = countAsked(harness, "/wham/accounts/check");
  const { url } = await service.restart();
  await pollUntil(() => service.health()?.readiness.ready === true);
  t.equal(service.health()?.appServer?.generation, 1, "the first app-server is cut off");
  t.notOk(isNamed(harness));
  const known = countAsked(harness, "/wham/accounts/check");
  t.equal(known, asked);
  await new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 0 }).responses.create({
    input: "hello",
  });
  t.notMatch(JSON.stringify(backend.requests), "git_attribution");
});

t.test(
  "an organisation's texts stay, and what is the account's own does not come with them",
  addsToPrompts,
  async (t) => {
    const organisation = await startFull(t, { planType: "enterprise" });
    const prompt = JSON.stringify(await ask(organisation));
    for (const text of [managedInstructions, requiredInstructions]) t.match(prompt, text);
    t.notMatch(prompt, "git_attribution");
    t.equal(countAsked(organisation, "/settings/user"), 0);
    t.equal(countAsked(organisation, "/config/bundle"), 1);
    t.notOk(isNamed(organisation));
  },
);

t.test(
  "an organisation's base is kept where its configuration cannot be read ahead, and health names what may come with it",
  addsToPrompts,
  async (t) => {
    for (const argv of [
      ["--app-server", "stdio"],
      ["--codex-home-mode", "user"],
    ]) {
      const organisation = await startFull(t, { planType: "enterprise", argv });
      t.match(JSON.stringify(await ask(organisation)), managedInstructions, argv.join(" "));
      t.ok(isNamed(organisation));
    }
  },
);

t.test(
  "the texts of an organisation are named in health and in each answer, and for others there are none",
  async (t) => {
    const named = async (harness: ServiceHarness): Promise<unknown> => {
      await harness.untilReady();
      const { url, client, service } = harness;
      const response = await client.responses.create({ input: "hello" });
      const completion = await client.chat.completions.create({
        model: response.model,
        messages: [{ role: "user", content: "hello" }],
      });
      const names = service.health()?.managedTexts;
      for (const answer of [response, completion]) t.match(answer, { native_api: { managed_texts: names } });
      const health: unknown = await (await fetch(`${url}/v1/health`)).json();
      t.match(health, { native_runtime: { managed_texts: names }, native_api: { managed_texts: names } });
      return names;
    };
    const all = ["developer_instructions", "additional_developer_instructions"];
    // 0.140 does not know the other.
    const known = all.slice(0, additionsOf("full").filter((mark) => !mark.startsWith("<git")).length);
    t.strictSame(await named(await startFull(t, { planType: "enterprise" })), known);
    t.strictSame(await named(await startFull(t)), [], "a person's account");
    t.strictSame(await named(await startServiceHarness(t, { login: "api-key" })), [], "an API key");
    const ownWords = ["--codex-config", 'developer_instructions="The user says hello."'];
    t.strictSame(await named(await startServiceHarness(t, { argv: ownWords })), [], "the user's own words");
  },
);

t.test("a base that is given to the service is used, and health names it", addsToPrompts, async (t) => {
  const given = await startFull(t, {
    argv: ["--codex-config", "chatgpt_base_url=http://127.0.0.1:1/backend-api"],
  });
  await pollUntil(() => isNamed(given));
  t.equal(countAsked(given, "/wham/accounts/check"), 0);
});

t.test("without a ChatGPT account there is nothing to name", async (t) => {
  for (const login of ["provider", "api-key"] as const) {
    const harness = await startServiceHarness(t, { login });
    await harness.untilReady();
    t.notOk(isNamed(harness), login);
  }
});

t.test("a process for each worker, and the user's own home, are cut off too", addsToPrompts, async (t) => {
  for (const argv of [
    ["--app-server", "stdio"],
    ["--codex-home-mode", "user"],
  ]) {
    const full = await startFull(t, { argv });
    t.notMatch(JSON.stringify(await ask(full)), "git_attribution", argv.join(" "));
    t.notOk(isNamed(full));
  }
});

t.test(
  "a switch between a person's account and an organisation's changes both ways",
  addsToPrompts,
  async (t) => {
    const harness = await startFull(t);
    const { backend, service, userHome } = harness;
    const switchTo = async (accountId: string, planType: string): Promise<string> => {
      await switchAccount(userHome, { backend, accountId, planType });
      await pollUntil(
        () => service.health()?.account?.id === accountId && service.health()?.readiness.ready === true,
      );
      return JSON.stringify(await ask(harness));
    };
    await harness.untilReady();
    const ofOrganisation = await switchTo("acct-organisation", "enterprise");
    t.match(ofOrganisation, managedInstructions);
    t.notMatch(ofOrganisation, "git_attribution");
    t.notMatch(await switchTo("acct-person", "plus"), /git_attribution|Organisation/);
    t.match(await switchTo("acct-another", "business"), managedInstructions);
    t.notOk(isNamed(harness));
  },
);

t.test("another plan of the same account counts as another login", addsToPrompts, async (t) => {
  const harness = await startFull(t);
  await harness.untilReady();
  await switchAccount(harness.userHome, { backend: harness.backend, planType: "business" });
  await pollUntil(
    () =>
      harness.service.health()?.account?.plan === "business" &&
      harness.service.health()?.readiness.ready === true,
  );
  t.match(JSON.stringify(await ask(harness)), managedInstructions);
});

t.test("a login that had expired at the start is refreshed once, and turns run", addsToPrompts, async (t) => {
  const harness = await startFull(t, { accessTokenExpiresInSeconds: -10 });
  t.match(await harness.client.responses.create({ input: "hello" }), { status: "completed" });
  t.equal(harness.backend.counters.tokenRefreshes, 1);
  t.equal(harness.backend.counters.reusedRefreshTokens, 0);
});

t.test("a login that is revoked in between is refreshed once, and turns run", addsToPrompts, async (t) => {
  const harness = await startFull(t);
  await harness.untilReady();
  const before = harness.backend.counters.tokenRefreshes;
  harness.backend.tokens.revokeAccessTokens();
  t.equal((await harness.client.responses.create({ input: "hello" })).status, "completed");
  t.equal(harness.backend.counters.tokenRefreshes, before + 1);
  t.equal(harness.backend.counters.reusedRefreshTokens, 0);
});
