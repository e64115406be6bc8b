/** Models that are silent for long, on the real Codex. Minutes are seconds here: what bounds them is set so. */
import t, { type Test } from "tap";
import { reply, silent, text } from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarnessOptions, startServiceHarness } from "../support/service-harness.js";

const answer = (silenceMs: number) => silent(silenceMs, reply(text("42")));

async function start(t: Test, options: ServiceHarnessOptions) {
  const harness = await startServiceHarness(t, options);
  await harness.untilReady();
  return harness;
}

async function ask({ client }: Awaited<ReturnType<typeof start>>, model?: string, effort?: "high" | "low") {
  return client.responses
    .create({
      input: "think",
      ...(model !== undefined && { model }),
      ...(effort !== undefined && { reasoning: { effort } }),
    })
    .then(
      (response) => response.output_text,
      (error: { readonly code: string }) => error.code,
    );
}

t.test("a silent model is waited for up to the limit, of its effort or model if that has one", async (t) => {
  const harness = await start(t, {
    login: "provider",
    env: {
      CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: "1500",
      CODEX_NATIVE_API_TURN_IDLE_TIMEOUTS_MS: "high=60000,offline-deep=60000",
    },
  });
  harness.backend.setDefaultReply(answer(3_000));
  t.equal(await ask(harness), "turn_stalled");
  t.equal(await ask(harness, undefined, "low"), "turn_stalled");
  t.equal(await ask(harness, undefined, "high"), "42");
  t.equal(await ask(harness, "offline-deep"), "42");
  t.equal(await ask(harness, "offline-deep", "low"), "42", "a model's own limit goes before an effort's");
});

const builtIn = { CODEX_NATIVE_API_PATIENT_PROVIDER: "0" };

for (const [what, options, isAskedAnew] of [
  ["a provider of one's own", { login: "provider", provider: { streamMaxRetries: 5 } }, true],
  ["the built-in provider", { login: "chatgpt", env: builtIn }, false],
  ["its patient copy", { login: "chatgpt" }, true],
  [
    "a provider that the user gave a limit",
    { login: "provider", provider: { streamMaxRetries: 5, streamIdleTimeoutMs: 60_000 } },
    false,
  ],
] as const) {
  t.test(`Codex gives a dead stream up before the turn's limit: ${isAskedAnew} with ${what}`, async (t) => {
    const limit = { CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: "6000" };
    const harness = await start(t, {
      ...options,
      env: { ...limit, ...("env" in options ? options.env : {}) },
    });
    harness.backend.queueReply(answer(600_000));
    harness.backend.setDefaultReply(text("42"));
    t.equal(await ask(harness), isAskedAnew ? "42" : "turn_stalled");
    t.equal(harness.backend.requests.filter(({ isWarmup }) => !isWarmup).length, isAskedAnew ? 2 : 1);
  });
}

/** What changes from request to request. */
const volatile =
  /^(?:authorization|create_time|previous_response_id|sec-websocket-key|host)$|_ms$|-ms$|metadata/;

function stable(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+/g, "…");
  if (Array.isArray(value)) return value.map(stable);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !volatile.test(key));
  return Object.fromEntries(entries.map(([key, inner]) => [key, stable(inner)]));
}

t.test(
  "the patient copy sends what the built-in provider sends, and has the same account and models",
  async (t) => {
    const seen = [];
    for (const env of [builtIn, {}]) {
      const harness = await start(t, { env });
      harness.backend.setDefaultReply(text("42"));
      await pollUntil(() => harness.service.health()?.rateLimits !== null);
      t.equal(await ask(harness), "42");
      const { data: models } = await harness.client.models.list();
      const requests = harness.backend.requests.map(({ transport, headers, bodyText }) =>
        stable({ transport, headers, body: JSON.parse(bodyText) }),
      );
      seen.push({ requests, models, account: harness.service.health()?.account });
    }
    const [usual, copy] = seen;
    t.strictSame(copy, usual);
  },
);

t.test("the patient copy works in the user's own home", async (t) => {
  const harness = await start(t, { env: { CODEX_NATIVE_API_CODEX_HOME_MODE: "user" } });
  harness.backend.setDefaultReply(text("42"));
  t.equal(await ask(harness), "42");
});
