/** `serve` with a real app-server, told by SIGHUP that its files have changed. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { cliPath, prepareLogin, ServeProcess } from "../support/cli-harness.js";
import { text } from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { makeTemporaryDirectory, refuseLeftovers } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const [oldToken, newToken, adasToken] = [
  "the-old-token-123",
  "the-new-token-123",
  "adas-token-123456",
] as const;

async function serveFiles(t: Test) {
  const { root, backend } = await prepareLogin(t);
  const write = (name: string, content: string) => writeFile(join(root, name), content, { mode: 0o600 });
  const configure = (config: object) => write("config.json", JSON.stringify(config));
  await write("token", oldToken);
  await configure({ listen: { port: 0 } });
  const serve = new ServeProcess(t, {
    ...backend.environment(),
    HOME: root,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: join(root, "codex"),
    CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
    CODEX_NATIVE_API_CONFIG: join(root, "config.json"),
    CODEX_NATIVE_API_AUTH_TOKEN_FILE: join(root, "token"),
  });
  const { url } = await serve.waitFor("service.listening");
  await serve.waitFor("codex.ready");
  const ask = (token: string, body: object = { input: "hello" }) =>
    fetch(`${String(url)}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const readHealth = async (token: string) =>
    (await fetch(`${String(url)}/v1/health`, { headers: { authorization: `Bearer ${token}` } })).json();
  return { serve, backend, write, configure, ask, readHealth };
}

t.test("SIGHUP applies what can be applied, names what needs a restart, and ends no turn", async (t) => {
  const { serve, backend, write, configure, ask, readHealth } = await serveFiles(t);
  backend.setDefaultReply(text({ deltas: ["a", "b", "c", "d"], delayMs: 100 }));
  const underWay = ask(oldToken);
  await backend.waitForRequest();
  await write("token", newToken);
  await configure({
    listen: { port: 1 },
    workers: 3,
    logLevel: "debug",
    admission: { maxQueue: 7 },
    turns: { profile: "codex" },
    auth: { tokens: [{ name: "ada", token: adasToken, models: ["no-such-model"], maxConcurrentTurns: 1 }] },
  });
  serve.child.kill("SIGHUP");
  const line = await serve.waitFor("service.reloaded");
  t.strictSame(line.applied, ["logLevel", "auth.token", "auth.tokens", "admission.maxQueue"]);
  t.strictSame(line.needRestart, ["listen.port", "turns.profile", "workers"]);
  t.match(await (await underWay).json(), { status: "completed" });
  t.equal((await ask(oldToken)).status, 401);
  t.equal((await ask(newToken)).status, 200);
  t.match(await (await ask(adasToken, { model: "gpt-5.5", input: "hi" })).json(), {
    error: { code: "model_not_allowed" },
  });
  t.match(
    await readHealth(newToken),
    { native_runtime: { profile: "lean" } },
    "what waits is not shown as if it held",
  );
  t.equal(serve.lines.filter(({ event }) => event === "app_server.started").length, 1);
  t.notMatch(JSON.stringify(serve.lines), /-token-123/, "no token is logged");
});

t.test("a configuration with faults changes nothing; mended, it is taken", async (t) => {
  const { serve, write, configure, ask } = await serveFiles(t);
  await write("token", "two words");
  await configure({ listen: { port: 0, prot: 1 }, logLevel: "loud" });
  serve.child.kill("SIGHUP");
  const refusal = await serve.waitFor("service.reload_refused");
  t.match(refusal.faults, [/listen\.prot in /, /logLevel in /, /AUTH_TOKEN_FILE: .* one token/]);
  t.equal((await ask(oldToken)).status, 200);
  await write("token", newToken);
  await configure({ listen: { port: 0 } });
  serve.child.kill("SIGHUP");
  t.match(await serve.waitFor("service.reloaded"), { applied: ["auth.token"], needRestart: [] });
  t.equal((await ask(newToken)).status, 200);
});

/** `script` of util-linux gives a program a terminal, and takes it away when it is killed. */
const hasScript = spawnSync("script", ["--version"]).stdout?.toString().includes("util-linux") === true;

t.test("where its terminal is closed, serve stops in order", { skip: !hasScript }, async (t) => {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const command = `exec ${process.execPath} ${cliPath} serve --port 0`;
  const terminal = spawn("script", ["--quiet", "--command", command, "/dev/null"], {
    env: {
      HOME: root,
      PATH: "/usr/bin:/bin",
      SHELL: "/bin/sh",
      CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(terminal, "exit");
  t.teardown(async () => {
    terminal.kill("SIGKILL");
    await closed;
  });
  let shown = "";
  for await (const chunk of terminal.stdout) {
    shown += String(chunk);
    if (shown.includes("service.listening")) break;
  }
  t.match(await findProcessesOf(root), [Number], "it runs");
  terminal.kill("SIGKILL");
  await pollUntil(async () => (await findProcessesOf(root)).length === 0);
  t.match(await readdir(join(root, "state", "instances")), [/^free-/], "and has given its directory up");
});
