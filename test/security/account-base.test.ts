/** That the login of an account whose base is cut off is sent to nobody but the model's provider, with a proxy between. */
import t, { type Test } from "tap";
import { accountAddsToPrompts } from "../../src/main/codex/login/account-base.js";
import { testCodexVersion } from "../support/codex-version.js";
import { LogLines } from "../support/log-lines.js";
import { type ProxiedText, type RecordingProxy, startRecordingProxy } from "../support/recording-proxy.js";
import {
  type ServiceHarness,
  type ServiceHarnessOptions,
  startServiceHarness,
} from "../support/service-harness.js";

const cutsOff = accountAddsToPrompts(testCodexVersion)
  ? {}
  : { skip: `Codex ${testCodexVersion} adds nothing, and keeps its base` };

interface ProxiedService extends ServiceHarness {
  readonly proxy: RecordingProxy;
  readonly log: LogLines;
  /** What the proxy had seen when the app-server that runs turns was about to start. */
  readonly seenBefore: () => number;
}

async function startBehindProxy(t: Test, options: ServiceHarnessOptions): Promise<ProxiedService> {
  const proxy = await startRecordingProxy(t);
  const log = new LogLines();
  let before = 0;
  const marked = log.logged("account_base.cut_off").then(() => {
    before = proxy.seen.length;
  });
  const harness = await startServiceHarness(t, {
    ...options,
    backend: { ...options.backend, account: "full" },
    env: proxy.environment,
    logger: log.logger,
  });
  await harness.untilReady();
  if (options.argv === undefined) await marked;
  return { ...harness, proxy, log, seenBefore: () => before };
}

/** Turns, a token that is refused and refreshed, and a look at health. */
async function use({ backend, client, url }: ServiceHarness): Promise<void> {
  const first = await client.responses.create({ input: "one", instructions: "Be brief." });
  await client.responses.create({ input: "two", previous_response_id: first.id });
  backend.tokens.revokeAccessTokens();
  await client.responses.create({ input: "three" });
  await client.models.list();
  await (await fetch(`${url}/v1/health`)).text();
}

/** What went to the account's base, as this backend has it. */
const ofTheBase = (seen: readonly ProxiedText[]) => seen.filter(({ text }) => text.includes("/backend-api"));
const withLogin = (seen: readonly ProxiedText[]) =>
  seen.filter(({ text }) => /authorization: bearer/i.test(text));

for (const { planType, webSocket } of [
  { planType: "pro", webSocket: "accept" },
  { planType: "pro", webSocket: "refuse" },
  { planType: "enterprise", webSocket: "accept" },
] as const) {
  t.test(
    `a base that is cut off is asked nothing through a proxy, and gets no login (${planType}, WebSocket: ${webSocket})`,
    cutsOff,
    async (t) => {
      const harness = await startBehindProxy(t, { planType, backend: { webSocket } });
      const before = harness.proxy.seen.slice(0, harness.seenBefore());
      t.ok(withLogin(ofTheBase(before)).length > 0, "the short process that asks with the base is seen");
      await use(harness);
      const seen = harness.proxy.seen.slice(before.length);
      t.ok(withLogin(seen).length > 0, "the model's requests are seen");
      t.same(ofTheBase(seen), []);
      const elsewhere = withLogin(seen).filter(({ text }) => !/^\w+ \S*\/v1\//m.test(text));
      t.same(elsewhere, [], "no login is sent to anything but the model's provider");
      t.equal(harness.service.health()?.degraded.includes("caller_only_prompt"), false);
    },
  );
}

t.test(
  "a base that is kept is asked through the proxy, which is why this test would see it",
  cutsOff,
  async (t) => {
    const argv = ["--codex-home-mode", "user"];
    const harness = await startBehindProxy(t, { planType: "enterprise", argv });
    await use(harness);
    t.ok(withLogin(ofTheBase(harness.proxy.seen)).length > 0);
  },
);
