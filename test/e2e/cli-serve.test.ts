import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { type LogLine, prepareCommand, runCommandProcess, ServeProcess } from "../support/cli-harness.js";
import { testCodexBin } from "../support/codex-version.js";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { createChatGptLogin, logout, reply, stall, text } from "../support/offline-backend/index.js";
import { findProcessesOf, isRunning } from "../support/processes.js";
import { pollUntil } from "../support/service-harness.js";

const urlOf = (line: LogLine) => String(line.url);

async function ask(url: string, body: object = { input: "hello" }): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

t.test("serve says what it found, answers, and SIGTERM leaves nothing behind", async (t) => {
  const { environment, stateDir } = await prepareCommand(t);
  // That variable is for hosts that embed the service: whoever says `serve` is served.
  const serve = new ServeProcess(t, { ...environment, CODEX_NATIVE_API_ENABLE: "0" });
  const url = urlOf(await serve.waitFor("service.listening"));
  t.match(await serve.waitFor("codex.ready"), {
    binary: /codex$/,
    found: testCodexBin === null ? "package" : "configured",
    codexVersion: /^\d+\.\d+\.\d+$/,
    account: /@/,
    plan: "pro",
    transport: "shared",
  });
  t.equal((await ask(url)).status, 200);
  const { pid } = await serve.waitFor("app_server.started");
  serve.child.kill("SIGTERM");
  t.same(await serve.exited, { code: 0, signal: null });
  t.notOk(await isRunning(Number(pid)));
  const leftovers = await readdir(stateDir, { recursive: true });
  t.same(
    leftovers.filter((name) => /\.sock|ledger.+/.test(name)),
    [],
    "no socket and no ledger entry is left",
  );
});

t.test("SIGTERM lets an answer under way end", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.setDefaultReply(text({ deltas: ["a", "b", "c", "d"], delayMs: 200 }));
  const serve = new ServeProcess(t, environment);
  const url = urlOf(await serve.waitFor("service.listening"));
  await serve.waitFor("codex.ready");
  const answer = ask(url);
  await backend.waitForRequest();
  serve.child.kill("SIGTERM");
  t.match(await (await answer).json(), { status: "completed" });
  t.same(await serve.exited, { code: 0, signal: null });
});

t.test("a second signal ends at once, and a stream still gets its terminal event", async (t) => {
  const { environment, backend } = await prepareCommand(t);
  backend.setDefaultReply(reply(text({ deltas: ["half", "half"] }), stall({ afterDeltas: 1 })));
  const serve = new ServeProcess(t, environment);
  const url = urlOf(await serve.waitFor("service.listening"));
  await serve.waitFor("codex.ready");
  const stream = await ask(url, { input: "hello", stream: true });
  const streamed = stream.text();
  const { pid } = await serve.waitFor("app_server.started");
  serve.child.kill("SIGTERM");
  await serve.waitFor("service.stopping");
  serve.child.kill("SIGTERM");
  t.match(await streamed, /event: response\.failed\n/);
  t.equal((await serve.exited).signal, null);
  t.notOk(await isRunning(Number(pid)));
});

t.test("SIGKILL of the service ends its app-server too, and the next start serves", async (t) => {
  const { root, environment } = await prepareCommand(t);
  const first = new ServeProcess(t, environment);
  await first.waitFor("codex.ready");
  first.child.kill("SIGKILL");
  await first.exited;
  await pollUntil(async () => (await findProcessesOf(root)).length === 0);
  const second = new ServeProcess(t, environment);
  const url = urlOf(await second.waitFor("service.listening"));
  await second.waitFor("codex.ready");
  t.equal((await ask(url)).status, 200);
  second.child.kill("SIGTERM");
  t.equal((await second.exited).code, 0);
});

t.test("without a binary the listener is up, says 503 and what to do", async (t) => {
  const { environment } = await prepareCommand(t);
  const serve = new ServeProcess(t, { ...environment, CODEX_NATIVE_API_CODEX_BIN: "/nowhere/codex" });
  const url = urlOf(await serve.waitFor("service.listening"));
  t.match(await serve.waitFor("app_server.start_failed"), { msg: /codex/i });
  const faults = serve.lines.filter(({ level }) => level === "error" || level === "fatal");
  t.equal(faults.length, 1, "one line");
  t.notOk("err" in (faults[0] ?? {}), "without a stack");
  const answer = await ask(url);
  t.equal(answer.status, 503);
  t.ok(Number(answer.headers.get("retry-after")) > 0);
  t.match(await answer.json(), { error: { code: "native_runtime_unavailable", message: /codex/i } });
  t.equal((await fetch(`${url}/readyz`)).status, 503);
  t.equal((await fetch(`${url}/livez`)).status, 200);
  t.match(await (await fetch(`${url}/v1/health`)).json(), { status: "unavailable" });
});

t.test("a second service on the same address says who holds it, in one line, and ends with 1", async (t) => {
  const { environment } = await prepareCommand(t);
  const first = new ServeProcess(t, environment);
  const { port } = new URL(urlOf(await first.waitFor("service.listening")));
  const second = new ServeProcess(t, { ...environment, CODEX_NATIVE_API_PORT: port });
  t.same(await second.exited, { code: 1, signal: null });
  t.match(second.lines, [
    { level: "fatal", event: "service.start_failed", msg: /the service runs at .* already; .*--port/ },
  ]);
  t.equal(second.lines.length, 1);
  t.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200, "the first one goes on");
});

t.test("a binary that is replaced under the service is told of in the log and by doctor", async (t) => {
  const { root, environment } = await prepareCommand(t);
  await mkdir(join(root, "bin"));
  const bin = await writeCodexWrapper(
    join(root, "bin"),
    'const child = spawn(real, args, { stdio: "inherit" });\nchild.on("exit", (code) => process.exit(code ?? 1));\nfor (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));',
  );
  const env = { ...environment, CODEX_NATIVE_API_CODEX_BIN: bin };
  const serve = new ServeProcess(t, env);
  const { port } = new URL(urlOf(await serve.waitFor("service.listening")));
  await serve.waitFor("codex.ready");
  await writeFile(bin, "#!/bin/sh\necho codex-cli 99.1.0\n");
  t.match(await serve.waitFor("codex.binary_replaced"), { found: "99.1.0", msg: /restart to use it/ });
  const doctor = await runCommandProcess(t, { ...env, CODEX_NATIVE_API_PORT: port }, ["doctor"]);
  t.match(doctor.stdout, /^warn {2}codex .*99\.1\.0, .*; the service still runs \d/m);
  t.match(doctor.stdout, /restart the service to use it/);
  t.equal((await ask(`http://127.0.0.1:${port}`)).status, 200, "what runs goes on");
});

t.test("without a login it says so, and a login is noticed without a restart", async (t) => {
  const { environment, userHome, backend } = await prepareCommand(t);
  await logout(userHome);
  const serve = new ServeProcess(t, environment);
  const url = urlOf(await serve.waitFor("service.listening"));
  t.match(await serve.waitFor("codex.login_required"), { msg: /codex login/ });
  const refused = await ask(url);
  t.equal(refused.status, 503);
  t.match(await refused.json(), { error: { code: "native_login_required", message: /codex login/ } });
  await createChatGptLogin({ home: userHome, backend });
  await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 200);
  t.equal((await ask(url)).status, 200);
});

t.test("serve answers, and stops in order, where nobody reads its log any more", async (t) => {
  const { environment } = await prepareCommand(t);
  const serve = new ServeProcess(t, environment);
  const url = urlOf(await serve.waitFor("service.listening"));
  await serve.waitFor("codex.ready");
  serve.child.stdout?.destroy();
  for (let lines = 0; lines < 3; lines += 1) t.equal((await ask(url)).status, 200);
  serve.child.kill("SIGTERM");
  t.strictSame(await serve.exited, { code: 0, signal: null });
});

t.test("serve runs on the environment of CodexBridge, and opens no listener to the network", async (t) => {
  const { environment, root, userHome } = await prepareCommand(t);
  await mkdir(join(root, "bin"));
  const bin = await writeCodexWrapper(
    join(root, "bin"),
    'const child = spawn(real, args, { stdio: "inherit" });\nchild.on("exit", (code) => process.exit(code ?? 1));\nfor (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));',
  );
  const serve = new ServeProcess(t, {
    ...environment,
    CODEX_HOME: "",
    CODEX_NATIVE_API_CODEX_BIN: "",
    CODEX_REAL_BIN: bin,
    CODEX_NATIVE_API_AUTH_PATH: join(userHome, "auth.json"),
    CODEX_NATIVE_API_PUBLIC: "1",
    CODEX_NATIVE_API_TITLE_PREFIX: "Bridge",
    CODEX_NATIVE_API_PROVIDER_PROFILE: "openai-default",
    CODEX_NATIVE_API_PROVIDER_PROFILE_ID: "openai-default",
    CODEX_NATIVE_API_DEFAULT_CWD: root,
    CODEX_NATIVE_API_RESTART_SEC: "2",
    CODEX_NATIVE_API_AUTH_TOKEN: "",
  });
  const url = urlOf(await serve.waitFor("service.listening"));
  t.match(url, /^http:\/\/127\.0\.0\.1:/);
  t.match(await serve.waitFor("codex.ready"), { binary: bin, found: "configured", account: /@/ });
  t.equal((await ask(url)).status, 200);
  const warnings = serve.lines.filter(({ event }) => event === "config.without_effect");
  t.equal(warnings.length, 1);
  for (const name of [
    "TITLE_PREFIX",
    "PROVIDER_PROFILE",
    "PROVIDER_PROFILE_ID",
    "DEFAULT_CWD",
    "PUBLIC",
    "RESTART_SEC",
  ])
    t.match(warnings[0]?.msg, `CODEX_NATIVE_API_${name}`);
});
