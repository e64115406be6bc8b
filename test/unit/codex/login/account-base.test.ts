import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { AccountBase, type PreparedAppServer } from "../../../../src/main/codex/login/account-base.js";
import { KeptRoutings } from "../../../../src/main/codex/login/kept-routings.js";
import type { AccountOutcome } from "../../../../src/workers/contract/account-messages.js";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import type { WorkspaceRouting } from "../../../../src/workers/contract/native-queries.js";
import { createDeferred } from "../../../../src/workers/contract/wait.js";
import { signNothing } from "../../../support/offline-backend/unsigned-jwt.js";
import { makeTemporaryDirectory, testLogger } from "../../../support/runtime-harness.js";

const spawn = { command: "codex", args: ["app-server"], cwd: "/", env: {}, stopStepMs: 1 };
const unrouted: WorkspaceRouting = { origin: "https://chatgpt.com", override: "NO_CONSTRAINT" };
const windows = {
  primary: { usedPercent: 12, windowMinutes: 300, resetsAt: null },
  secondary: null,
  plan: "pro",
  reached: null,
};
const failed: AccountOutcome = { status: "failed", message: "no network" };

function answered(routing: WorkspaceRouting | null): AccountOutcome {
  const account = { authMode: "chatgpt", email: null, plan: "pro", accountId: null, loginRequired: true };
  return { status: "answered", account: { ...account, routing }, rateLimits: windows };
}

interface Login {
  readonly plan?: string;
  readonly expiresInMs?: number;
  readonly apiKey?: string;
  /** The organisation's configuration. Default: it cannot be read. */
  readonly demands?: string;
  /** Directory with the files of an earlier process. */
  readonly directory?: string;
  /** Moves the wall clock forward. */
  readonly laterMs?: number;
}

/** Writes a login file and makes an `AccountBase` that gets these answers in order, and the last one repeatedly. */
async function prepareBase(t: Test, outcomes: readonly AccountOutcome[], login: Login = {}) {
  const { plan = "pro", expiresInMs = 3_600_000, apiKey = null, laterMs = 0, demands } = login;
  const directory = login.directory ?? (await makeTemporaryDirectory(t));
  const [authFile, routingsFile] = [join(directory, "auth.json"), join(directory, "routings.json")];
  const exp = Math.floor((Date.now() + expiresInMs) / 1000);
  const claims = {
    email: "a@example.test",
    exp,
    "https://api.openai.com/auth": { chatgpt_plan_type: plan },
  };
  const token = signNothing(claims);
  const tokens = { id_token: token, access_token: token, account_id: "acct-1" };
  const auth = { OPENAI_API_KEY: apiKey, tokens: apiKey === null ? tokens : null };
  await writeFile(authFile, JSON.stringify(auth));
  let asked = 0;
  const base = new AccountBase({
    clientVersion: "0",
    ask: async ({ wants }) => {
      if (wants === "managed_configuration") {
        if (demands === undefined) return failed;
        const expires_at = new Date(Date.now() + 3_600_000).toISOString();
        const copy = { signed_payload: { expires_at, bundle: { demands } } };
        await writeFile(join(directory, "cloud-config-bundle-cache.json"), JSON.stringify(copy));
        return { status: "configured" };
      }
      return outcomes[Math.min(asked++, outcomes.length - 1)] ?? failed;
    },
    signal: new AbortController().signal,
    routings: new KeptRoutings(routingsFile, testLogger),
    wallClock: () => Date.now() + laterMs,
    logger: testLogger,
  });
  const app: PreparedAppServer = {
    login: "digest",
    authFile,
    home: directory,
    codexVersion: newestTestedCodex,
    baseUrl: null,
    isBaseGiven: false,
    spawn,
  };
  return { base, app, asked: () => asked, directory, routingsFile };
}

t.test("a personal account is cut off, and the login file says whose it is", async (t) => {
  const { base, app } = await prepareBase(t, [answered(unrouted)]);
  t.same((await base.prepare(app)).args, ["app-server", "-c", 'chatgpt_base_url="none:"']);
  t.match(base.login, { accountId: "acct-1", email: "a@example.test", plan: "pro" });
  t.same(base.takeRateLimits(), windows, "the windows came with the answer");
  t.equal(base.takeRateLimits(), null);
});

const kept: Readonly<
  Record<string, { login?: Login; app?: Partial<PreparedAppServer>; routing?: WorkspaceRouting }>
> = {
  "an organisation's plan": { login: { plan: "enterprise" } },
  "an unknown plan": { login: { plan: "galaxy" } },
  "another origin": { routing: { ...unrouted, origin: "https://eu.chatgpt.com" } },
  "an override": { routing: { ...unrouted, override: "us_cr" } },
  "a base in the service's settings": { app: { isBaseGiven: true } },
  "a Codex newer than the tested ones": { app: { codexVersion: "9.0.0" } },
  "a Codex that adds nothing to prompts": { app: { codexVersion: "0.140.0" } },
};
const codexVersionOf = (app?: Partial<PreparedAppServer>) => app?.codexVersion ?? newestTestedCodex;

for (const [name, { login, app: other, routing }] of Object.entries(kept)) {
  t.test(`the account's base is kept for ${name}`, async (t) => {
    const { base, app } = await prepareBase(t, [answered(routing ?? unrouted)], login);
    t.equal(await base.prepare({ ...app, ...other }), spawn);
    t.equal(base.login, null);
    const names = codexVersionOf(other) === "0.140.0" ? [] : ["caller_only_prompt"];
    t.same(base.findDegraded("chatgpt", codexVersionOf(other)), names);
  });
}

t.test("without a ChatGPT login in the file no prompt feature is missing", async (t) => {
  const { base, app, asked } = await prepareBase(t, [answered(unrouted)], { apiKey: "sk-1" });
  for (const other of [{}, { login: null }, { authFile: null }]) {
    t.equal(await base.prepare({ ...app, ...other }), spawn);
    t.same(base.findDegraded("apiKey", newestTestedCodex), []);
  }
  t.equal(asked(), 0);
});

t.test(
  "an organisation is cut off if its configuration was read in advance, and only in the service's own home",
  async (t) => {
    const login = { plan: "enterprise", demands: "first" };
    const { base, app } = await prepareBase(t, [answered(unrouted)], login);
    t.not(await base.prepare(app), spawn);
    t.match(base.login, { plan: "enterprise" });
    t.ok((base.renewalInMs ?? 0) > 0);
    t.notOk(await base.renewConfiguration(), "nothing has changed");
    t.equal(await base.prepare({ ...app, home: null }), spawn);
    t.equal(base.renewalInMs, null);
  },
);

t.test("an organisation that routes its requests elsewhere keeps its base", async (t) => {
  const login = { plan: "enterprise", demands: "first" };
  const { base, app } = await prepareBase(t, [answered({ ...unrouted, override: "us_cr" })], login);
  t.equal(await base.prepare(app), spawn);
  t.same(base.findDegraded("chatgpt", newestTestedCodex), ["caller_only_prompt"]);
});

t.test(
  "in the last minutes of a login no other process reads the organisation's configuration",
  async (t) => {
    const login = { plan: "enterprise", demands: "first", expiresInMs: 60_000 };
    const { base, app } = await prepareBase(t, [answered(unrouted)], login);
    t.not(await base.prepare(app), spawn, "at the start there is no other");
    await rm(join(app.home ?? "", "cloud-config-bundle-cache.json"));
    t.equal(await base.prepare(app), spawn);
    t.notOk(await base.renewConfiguration());
  },
);

t.test("the host of a configured base is the usual place for requests", async (t) => {
  const { base, app } = await prepareBase(t, [answered({ ...unrouted, origin: "https://gate.example" })]);
  await base.prepare({ ...app, baseUrl: "http://gate.example:8080/backend-api" });
  t.ok(base.login);
});

/** Replaces the app-server, and counts the attempts. */
function replacement(replaceOnce: () => Promise<void>) {
  let begun = 0;
  const { promise: kept, resolve: onKept } = createDeferred<void>();
  const replace = () => {
    begun += 1;
    return replaceOnce();
  };
  return { actions: { replace, onKept }, kept, begun: () => begun };
}

t.test("if the routing was unknown, the app-server's report of it causes one replacement", async (t) => {
  const { base, app, asked } = await prepareBase(t, [failed]);
  const { actions, begun } = replacement(async () => {});
  t.equal(await base.prepare(app), spawn);
  t.notOk(base.isBeingReplaced);
  for (const _ of [1, 2]) base.noteRouting(unrouted, actions);
  t.ok(base.isBeingReplaced);
  t.equal(begun(), 1);
  await base.prepare(app);
  t.ok(base.login, "the next one is cut off");
  t.equal(asked(), 1, "from the app-server's report");
  base.noteRouting(null, actions);
  t.equal(begun(), 1, "a Codex that is cut off reports no routing");
});

t.test("a workspace that turns out to route elsewhere keeps its base", async (t) => {
  const { base, app } = await prepareBase(t, [failed]);
  const { actions, begun } = replacement(async () => {});
  await base.prepare(app);
  base.noteRouting({ ...unrouted, override: "us_cr" }, actions);
  t.equal(begun(), 0);
  t.same(base.findDegraded("chatgpt", newestTestedCodex), ["caller_only_prompt"]);
});

t.test("an app-server that cannot be replaced keeps running, and the degradation is named", async (t) => {
  const { base, app } = await prepareBase(t, [failed]);
  const { actions, kept } = replacement(() => Promise.reject(new Error("no")));
  await base.prepare(app);
  base.noteRouting(unrouted, actions);
  await kept;
  t.notOk(base.isBeingReplaced);
  t.same(base.findDegraded("chatgpt", newestTestedCodex), ["caller_only_prompt"]);
});

t.test("the routing is asked once per login", async (t) => {
  const { base, app, asked } = await prepareBase(t, [answered(unrouted)]);
  for (const _ of [1, 2]) await base.prepare(app);
  t.equal(asked(), 1);
  await base.prepare({ ...app, login: "another" });
  t.equal(asked(), 2);
});

t.test("an earlier process's answer is valid for a day, for its login", async (t) => {
  const { base, app, directory, routingsFile } = await prepareBase(t, [answered(unrouted)]);
  await base.prepare(app);
  if (process.platform !== "win32") t.equal((await stat(routingsFile)).mode & 0o777, 0o600);
  const dayMs = 24 * 60 * 60_000;
  const startAgain = (laterMs: number) => prepareBase(t, [failed], { directory, laterMs });
  const soon = await startAgain(dayMs - 60_000);
  await soon.base.prepare(app);
  t.ok(soon.base.login, "cut off without asking");
  t.equal(soon.asked(), 0);
  t.equal(await soon.base.prepare({ ...app, login: "another" }), spawn, "another login is asked about");
  for (const laterMs of [dayMs, -60_000]) {
    const late = await startAgain(laterMs);
    t.equal(await late.base.prepare(app), spawn, "too old, or the clock was set back");
    t.equal(late.asked(), 1);
  }
});

t.test("the app-server's report of the routing is kept too, and a damaged file is ignored", async (t) => {
  const { base, app, directory, routingsFile } = await prepareBase(t, [failed]);
  await base.prepare(app);
  const { actions } = replacement(async () => {});
  base.noteRouting({ ...unrouted, override: "us_cr" }, actions);
  const keptFor = async () =>
    (await new KeptRoutings(routingsFile, testLogger).find("digest"))?.routing?.override;
  while ((await keptFor()) === undefined) await delay(5);
  const again = await prepareBase(t, [answered(unrouted)], { directory });
  t.equal(await again.base.prepare(app), spawn, "routed elsewhere");
  t.equal(again.asked(), 0);
  await writeFile(routingsFile, "{");
  const damaged = await prepareBase(t, [answered(unrouted)], { directory });
  await damaged.base.prepare(app);
  t.ok(damaged.base.login);
  t.equal(damaged.asked(), 1);
});

t.test("windows are not read while the app-server may refresh its login", async (t) => {
  const early = await prepareBase(t, [answered(unrouted)]);
  await early.base.prepare(early.app);
  t.same(await early.base.readRateLimits(1_000), windows);
  const late = await prepareBase(t, [answered(unrouted)], { expiresInMs: 60_000 });
  await late.base.prepare(late.app);
  t.equal(await late.base.readRateLimits(1_000), null);
  t.equal(late.asked(), 1);
});
