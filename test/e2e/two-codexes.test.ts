/** The user's own Codex and the service's app-server refresh one login at the same moment; each refresh token works once. */
import t, { type Test } from "tap";
import { LogLines } from "../support/log-lines.js";
import { codexBinary } from "../support/offline-backend/codex-driver.js";
import {
  cutConnection,
  functionCall,
  reasoning,
  reply,
  switchAccount,
} from "../support/offline-backend/index.js";
import { offlineEnvironment, type Run, runProgram } from "../support/run-program.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

t.setTimeout(240_000);

/** Threads that are started ahead of need ask the backend too: the service might be first. */
const withoutSpares = ["--spare-threads", "0"];

/** `codex exec` on the user's own login. */
function runCli({ backend, userHome }: ServiceHarness, words = "hello from the terminal"): Promise<Run> {
  const env = { ...offlineEnvironment(userHome), ...backend.environment(), CODEX_HOME: userHome };
  return runProgram([codexBinary(), "exec", "--skip-git-repo-check", words], { cwd: userHome, env });
}

const outcomeOf = async (turn: Promise<{ readonly status?: string | undefined }>) =>
  turn.then(
    ({ status }) => status,
    (error: unknown) => error,
  );

/**
 * Lets the user's Codex win: it has used the refresh token up, and gets the new tokens once the service was refused the old ones and waits
 * for others.
 */
async function loseRace(t: Test, harness: ServiceHarness, log: LogLines) {
  const { backend } = harness;
  const release = backend.holdTokenRefreshes();
  const { tokenRefreshes } = backend.counters;
  backend.tokens.revokeAccessTokens();
  const cli = runCli(harness);
  t.teardown(async () => {
    release();
    await cli;
  });
  await pollUntil(() => backend.counters.tokenRefreshes > tokenRefreshes);
  void log.logged("codex.login_awaited").then(release);
  return { cli };
}

const takeovers = ({ service }: ServiceHarness) => service.health()?.appServer?.loginTakeovers;

t.test(
  "the user's Codex is first: eight turns at once go on, on a new app-server, and none shows it",
  async (t) => {
    const log = new LogLines();
    const harness = await startServiceHarness(t, { logger: log.logger, argv: withoutSpares });
    const { backend, client, service, untilReady, url } = harness;
    await untilReady();
    const first = await client.responses.create({ input: "first" });
    backend.queueReply(functionCall({ name: "look", arguments: {}, callId: "call_1" }));
    const tools = [{ type: "function" as const, name: "look", parameters: {}, strict: false }];
    const calling = await client.responses.create({ input: "call", tools });
    const { cli } = await loseRace(t, harness, log);
    const turns = [
      ...Array.from({ length: 6 }, (_, index) => client.responses.create({ input: `turn ${index}` })),
      client.responses.create({ input: "go on", previous_response_id: first.id }),
      client.responses.create({
        input: [{ type: "function_call_output", call_id: "call_1", output: "seen" }],
        previous_response_id: calling.id,
        tools,
      }),
    ];
    t.same(
      await Promise.all(turns.map(outcomeOf)),
      turns.map(() => "completed"),
    );
    t.match(await cli, { code: 0 });
    t.equal(service.health()?.appServer?.generation, 2);
    t.equal(takeovers(harness), 1);
    t.equal(service.health()?.degraded.includes("login_refused"), false);
    const health = await (await fetch(`${url}/v1/health`)).json();
    t.match(health, { native_runtime: { app_server: { login_takeovers: 1 } } });
    t.match(await (await fetch(`${url}/metrics`)).text(), /^codex_native_api_login_takeovers_total 1$/m);
  },
);

t.test("the service's app-server is first: its turns go on, and so does the user's next run", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client, untilReady } = harness;
  await untilReady();
  const release = backend.holdTokenRefreshes();
  backend.tokens.revokeAccessTokens();
  const turns = Array.from({ length: 8 }, (_, index) => client.responses.create({ input: `turn ${index}` }));
  await pollUntil(() => backend.counters.tokenRefreshes > 0);
  const cli = runCli(harness);
  await pollUntil(() => backend.counters.reusedRefreshTokens > 0);
  release();
  t.same(
    await Promise.all(turns.map(outcomeOf)),
    turns.map(() => "completed"),
  );
  await cli;
  t.match(await runCli(harness), { code: 0 });
  t.equal((await client.responses.create({ input: "after" })).status, "completed");
  t.equal(takeovers(harness), 0);
});

t.test("a stream that had shown output ends typed and may be sent again", async (t) => {
  const log = new LogLines();
  const harness = await startServiceHarness(t, { logger: log.logger });
  const { backend, client, userHome, untilReady } = harness;
  await untilReady();
  backend.queueReply(() => {
    backend.tokens.revokeRefreshTokens();
    backend.tokens.revokeAccessTokens();
    return reply(reasoning({ summary: ["Hm."] }), cutConnection());
  });
  const written = log.logged("codex.login_awaited").then(() => switchAccount(userHome, { backend }));
  const stream = await client.responses.create({ input: "think", stream: true });
  const events: string[] = [];
  let end: unknown;
  for await (const event of stream) {
    events.push(event.type);
    if ("response" in event) end = event.response;
  }
  t.ok(events.includes("response.reasoning_summary_text.delta"));
  t.match(end, { status: "failed", error: { code: "native_runtime_unavailable" } });
  await written;
  t.equal((await client.responses.create({ input: "again" })).status, "completed");
  t.equal(takeovers(harness), 1);
});

t.test(
  "a login that was revoked is said to need a login, and the next one of that account is taken",
  async (t) => {
    const harness = await startServiceHarness(t);
    const { backend, client, service, userHome, untilReady } = harness;
    await untilReady();
    backend.tokens.revokeRefreshTokens();
    backend.tokens.revokeAccessTokens();
    const turns = Array.from({ length: 8 }, (_, index) =>
      client.responses.create({ input: `turn ${index}` }),
    );
    const refused = { status: 503, code: "native_login_required", message: /Run `codex login`/ };
    t.match(
      await Promise.all(turns.map(outcomeOf)),
      turns.map(() => refused),
    );
    t.equal(service.health()?.appServer?.generation, 1, "no app-server is started on a login that is bad");
    t.ok(service.health()?.degraded.includes("login_refused"));
    await switchAccount(userHome, { backend });
    t.equal((await client.responses.create({ input: "after" })).status, "completed");
    t.notOk(service.health()?.degraded.includes("login_refused"));
  },
);

t.test("a login of another account is followed: a turn that is bound to the first gets 409", async (t) => {
  const harness = await startServiceHarness(t);
  const { backend, client, service, userHome, untilReady } = harness;
  await untilReady();
  const first = await client.responses.create({ input: "first" });
  backend.tokens.revokeRefreshTokens();
  backend.tokens.revokeAccessTokens();
  await switchAccount(userHome, { backend, accountId: "acct-second", email: "second@example.com" });
  const bound = client.responses.create({ input: "go on", previous_response_id: first.id });
  const free = client.responses.create({ input: "new" });
  t.match(await outcomeOf(bound), { status: 409, code: "continuation_account_mismatch" });
  t.equal(await outcomeOf(free), "completed");
  t.equal(backend.requests.at(-1)?.accountId, "acct-second");
  await pollUntil(() => service.health()?.account?.email === "second@example.com");
  t.equal(takeovers(harness), 0, "a change of login is no takeover");
});
