/** Networks and logins that fail the real app-server, and what a caller hears of it. */
import t from "tap";
import { httpError } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { ask, checkTold, withoutRetries } from "../support/upstream-told.js";

const networks: Readonly<Record<string, string>> = {
  "a port that nobody listens on": "http://127.0.0.1:9/v1",
  "a name that is none": "http://no-such-host.invalid/v1",
  "an address without TLS": "https://127.0.0.1:9/v1",
};

t.test(
  "a network that is not there is a failed connection after a moment, not a wait without an end",
  async (t) => {
    const told = Object.entries(networks).map(async ([what, baseUrl]) => {
      const harness = await startServiceHarness(t, {
        login: "provider",
        argv: ["--codex-config", `model_providers.offline.base_url="${baseUrl}"`],
      });
      await harness.untilReady();
      return [what, await ask(harness, "hello")] as const;
    });
    for (const [what, answer] of await Promise.all(told)) {
      checkTold(t, what, answer, { code: "upstream_connection_failed" });
    }
  },
);

t.test("a login that cannot be refreshed for want of a network may be tried again", async (t) => {
  const harness = await startServiceHarness(t, {
    provider: { ...withoutRetries, supportsWebSockets: false },
    env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: "http://127.0.0.1:9/oauth/token" },
  });
  await harness.untilReady();
  harness.backend.tokens.revokeAccessTokens();
  checkTold(t, "refresh", await ask(harness, "hello"), { code: "upstream_connection_failed" });
});

t.test(
  "a request that is refused for good is asked once or twice, and not until Codex gives up",
  async (t) => {
    const harness = await startServiceHarness(t);
    const { backend } = harness;
    await harness.untilReady();
    await harness.client.responses.create({ input: "hello" });
    const before = backend.requests.length;
    backend.setDefaultReply(httpError(403, { message: "It is so." }));
    checkTold(t, "403", await ask(harness, "hello"), { code: "upstream_forbidden" });
    const asked = backend.requests.length - before;
    t.ok(asked <= 2, `${asked} requests`);
  },
);

t.test("refused upgrades lead to plain requests, and to no error", async (t) => {
  for (const status of [403, 404, 503]) {
    const harness = await startServiceHarness(t, {
      provider: { ...withoutRetries, supportsWebSockets: true },
      backend: { webSocket: "refuse", webSocketRefusalStatus: status },
    });
    const answer = await harness.client.responses.create({ input: "hello" });
    t.equal(answer.status, "completed", `${status}`);
  }
});

t.test("a refused upgrade for a burst is one, and may be tried again", async (t) => {
  const harness = await startServiceHarness(t, {
    provider: { ...withoutRetries, supportsWebSockets: true },
    backend: { webSocket: "refuse", webSocketRefusalStatus: 429 },
  });
  await harness.untilReady();
  checkTold(t, "429", await ask(harness, "hello"), { code: "rate_limit_exceeded" });
});
