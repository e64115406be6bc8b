/** Takeovers of a login that another Codex has refreshed, where the new app-server fails too: they are bounded. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { LogLines } from "../support/log-lines.js";
import { codexBinary } from "../support/offline-backend/codex-driver.js";
import { httpError, switchAccount, text, textInDeltas } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

t.setTimeout(240_000);

const codeOf = (turn: Promise<unknown>) =>
  turn.then(
    () => null,
    (error: unknown) => Object(error).code,
  );

t.test(
  "a backend that refuses every token that its issuer has just issued costs three app-servers",
  async (t) => {
    const { backend, client, service, userHome, untilReady } = await startServiceHarness(t);
    await untilReady();
    backend.setDefaultReply(httpError(401, { code: "token_expired" }));
    for (let turn = 0; turn < 6; turn += 1) {
      t.equal(await codeOf(client.responses.create({ input: `turn ${turn}` })), "native_login_required");
      await switchAccount(userHome, { backend });
    }
    t.equal(service.health()?.appServer?.loginTakeovers, 3);
    t.equal(service.health()?.appServer?.generation, 4);
    t.ok(service.health()?.degraded.includes("login_refused"));
    backend.setDefaultReply(text("fine"));
    t.equal((await client.responses.create({ input: "after" })).output_text, "fine");
    t.notOk(service.health()?.degraded.includes("login_refused"));
  },
);

/** Least time between two starts for the sake of one login; see `LoginTakeover`. */
const pauseMs = 5_000;

t.test("turns end typed and retryable while no app-server can be started with the newer login", async (t) => {
  const folder = await makeTemporaryDirectory(t);
  const binary = join(folder, "codex");
  const write = async (script: string) => {
    await writeFile(binary, `#!/bin/sh\n${script}\n`);
    await chmod(binary, 0o755);
  };
  await write(`exec ${codexBinary()} "$@"`);
  const log = new LogLines();
  const { backend, client, service, userHome, untilReady } = await startServiceHarness(t, {
    logger: log.logger,
    env: { CODEX_NATIVE_API_CODEX_BIN: binary, PATH: process.env.PATH ?? "" },
  });
  await untilReady();
  backend.setDefaultReply(httpError(401, { code: "token_expired" }));
  await switchAccount(userHome, { backend });
  await write(`case "$*" in *app-server*) exit 1;; esac; exec ${codexBinary()} "$@"`);
  const beganMs = performance.now();
  const codes = await Promise.all(
    Array.from({ length: 8 }, (_, turn) => codeOf(client.responses.create({ input: `turn ${turn}` }))),
  );
  t.same(
    codes,
    Array.from({ length: 8 }, () => "native_runtime_unavailable"),
  );
  const failures = log.lines.filter(({ event }) => event === "codex.login_takeover_failed");
  // One, and on a slow machine one more for each pause that has passed.
  const mostStarts = 1 + Math.floor((performance.now() - beganMs) / pauseMs);
  t.ok(failures.length >= 1 && failures.length <= mostStarts, "a failed start is not repeated at once");
  t.equal(service.health()?.readiness.ready, true, "the old app-server stays in use");
  await write(`exec ${codexBinary()} "$@"`);
  backend.setDefaultReply(text("fine"));
  t.equal((await client.responses.create({ input: "after" })).output_text, "fine");
});

t.test("a turn on the old app-server that needs no login goes on while another takes over", async (t) => {
  const { backend, client, service, userHome, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.queueReply(textInDeltas("a long answer", 20, 100));
  const inFlight = client.responses.create({ input: "slow" });
  await backend.waitForRequest((request) => JSON.stringify(request.fullInput).includes("slow"));
  backend.tokens.revokeRefreshTokens();
  backend.tokens.revokeAccessTokens();
  const refused = client.responses.create({ input: "refused" });
  await switchAccount(userHome, { backend });
  t.equal((await refused).status, "completed");
  t.equal((await inFlight).output_text, "a long answer");
  t.equal(service.health()?.readiness.ready, true);
});

t.test("a caller's deadline ends the wait for another Codex's tokens", async (t) => {
  const { backend, client, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.tokens.revokeRefreshTokens();
  backend.tokens.revokeAccessTokens();
  const headers = { "x-request-timeout-ms": "3000" };
  t.equal(await codeOf(client.responses.create({ input: "hello" }, { headers })), "turn_timeout");
});
