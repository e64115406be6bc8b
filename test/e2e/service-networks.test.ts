/** Proxies and certificates of a service that runs as a process of its own: by its environment, and as its installed unit starts it. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { runInProcess } from "../support/cli-context.js";
import { cliPath, prepareCommand, runCommandProcess, ServeProcess } from "../support/cli-harness.js";
import { testCodexBin } from "../support/codex-version.js";
import { writeCompanyAuthority } from "../support/company-certificates.js";
import { type CompanyProxy, startCompanyProxy } from "../support/company-proxy.js";
import { fakeMachine } from "../support/fake-machine.js";
import { readLaunchdPlist, readSystemdUnit } from "../support/unit-reader.js";

const user = "ada";
/** With everything that a unit must escape. */
const password = `50%&"\\$x'-of-ada`;
/** Codex reaches the backend under a name that only the proxy knows. */
const base = ["--codex-config", 'openai_base_url="https://backend.invalid/v1"'];

/** A login, a proxy that asks for a password, and the variables that name it. */
async function setUp(t: Test) {
  const prepared = await prepareCommand(t);
  const proxy = await startCompanyProxy(t, prepared.backend.origin);
  proxy.setMood({ kind: "ask_password", user, password });
  const login = `${user}:${encodeURIComponent(password)}`;
  const network = {
    HTTPS_PROXY: proxy.url.replace("://", `://${login}@`),
    no_proxy: "127.0.0.1,localhost",
    SSL_CERT_FILE: await writeCompanyAuthority(t),
  };
  return { ...prepared, proxy, network };
}

/** A turn goes through the proxy, by WebSocket, and nothing of the log holds the password. */
async function checkTurn(t: Test, serve: ServeProcess, proxy: CompanyProxy): Promise<void> {
  const { url } = await serve.waitFor("service.listening");
  await serve.waitFor("codex.ready");
  const answer = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello" }),
  });
  t.match(await answer.json(), { status: "completed" });
  t.same(new Set(proxy.asked), new Set(["backend.invalid:443"]));
  t.ok(proxy.requests.includes("GET /v1/responses"), proxy.requests.join(", "));
  t.ok(proxy.bytes.up > 500, `${proxy.bytes.up} bytes`);
  t.notMatch(JSON.stringify(serve.lines), /-of-ada/);
  serve.child.kill("SIGTERM");
  t.same(await serve.exited, { code: 0, signal: null });
}

t.test("serve hands the variables of its environment to Codex", async (t) => {
  const { environment, network, proxy } = await setUp(t);
  await checkTurn(t, new ServeProcess(t, { ...environment, ...network }, base), proxy);
});

t.test("serve behind a proxy that refuses the password says so, in the answer and in its log", async (t) => {
  const { environment, network, proxy } = await setUp(t);
  proxy.setMood({ kind: "ask_password", user, password: "another" });
  const provider =
    'model_providers.company={name="company",base_url="https://backend.invalid/v1",request_max_retries=0,stream_max_retries=0}';
  const argv = ["--codex-config", 'model_provider="company"', "--codex-config", provider];
  const serve = new ServeProcess(t, { ...environment, ...network }, argv);
  const { url } = await serve.waitFor("service.listening");
  await serve.waitFor("codex.ready");
  const answer = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello" }),
  });
  t.match(await answer.json(), {
    error: { code: "network_misconfigured", message: /HTTPS_PROXY names refuses the user and password/ },
  });
  t.match(await serve.waitFor("network.fault"), { level: "warn", variable: "HTTPS_PROXY", proxy: /\*\*\*@/ });
  t.notMatch(JSON.stringify(serve.lines), /-of-ada/);
});

t.test(
  "the unit for systemd starts a service whose Codex goes through the proxy of the installing shell",
  async (t) => {
    if (process.platform !== "linux") return t.comment("it is for Linux");
    const { root, environment, backend, network, proxy } = await setUp(t);
    const bin = join(root, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "systemctl"), '#!/bin/sh\necho "$@" >> "$HOME/ran"\n', { mode: 0o755 });
    const installed = await runCommandProcess(
      t,
      { ...environment, ...network, PATH: `${bin}:/usr/bin:/bin` },
      ["service", "install", ...base],
    );
    t.equal(installed.code, 0, installed.stderr);
    t.match(await readFile(join(root, "ran"), "utf8"), /--user restart codex-native-api\.service/);
    t.notMatch(installed.stdout + installed.stderr, /-of-ada/);
    const configDir = join(root, ".config");
    const path = join(configDir, "systemd/user/codex-native-api.service");
    t.equal((await stat(path)).mode & 0o777, 0o600);
    // What the tests' backend needs beside: settings of the user's.
    const file = join(configDir, "codex-native-api/env");
    await mkdir(dirname(file), { recursive: true });
    const settings = Object.entries(backend.environment()).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(file, `# offline\n${settings.join("")}`);
    const unit = await readSystemdUnit(await readFile(path, "utf8"), configDir);
    t.match(unit.environment, network);
    // systemd sets HOME for every service of a user's, and starts it there.
    const serve = new ServeProcess(t, { HOME: root, ...unit.environment }, [], {
      command: unit.command,
      cwd: root,
    });
    await checkTurn(t, serve, proxy);
  },
);

t.test("the plist for launchd starts a service whose Codex goes through the proxy too", async (t) => {
  const { root, environment, backend, network, proxy } = await setUp(t);
  const env = {
    ...environment,
    ...network,
    ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
  };
  const installed = await runInProcess(["service", "install", ...base], {
    env,
    machine: fakeMachine({}, { homeDir: root, platform: "darwin" }),
    self: { nodePath: process.execPath, cliPath, userId: 501 },
    runProgram: async () => ({ outcome: "exited", code: 0 }),
  });
  t.equal(installed.code, 0, installed.stderr);
  t.notMatch(installed.stdout + installed.stderr, /-of-ada/);
  const path = join(root, "Library/LaunchAgents/codex-native-api.plist");
  t.equal((await stat(path)).mode & 0o777, 0o600);
  const unit = readLaunchdPlist(await readFile(path, "utf8"));
  t.same(unit.environment, { PATH: "/usr/bin:/bin", ...network });
  // launchd sets HOME for every agent; the rest is for the tests' backend.
  const given = { HOME: root, ...backend.environment(), ...unit.environment };
  await checkTurn(t, new ServeProcess(t, given, [], { command: unit.command, cwd: root }), proxy);
});
