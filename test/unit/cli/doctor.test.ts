import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import t from "tap";
import { checkBinary, checkPort, judgeVersion } from "../../../src/main/cli/doctor/check-places.js";
import { checkStateDirectory } from "../../../src/main/cli/doctor/check-state-directory.js";
import type { CodexFacts } from "../../../src/main/cli/doctor/codex-facts.js";
import { judgeCodex } from "../../../src/main/cli/doctor/codex-facts.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { runInProcess } from "../../support/cli-context.js";
import { startCompanyProxy } from "../../support/company-proxy.js";
import { fakeMachine } from "../../support/fake-machine.js";
import { FakePrivateRuntime } from "../../support/fake-private-runtime.js";
import { failure } from "../../support/fake-runtime.js";
import { serveFake } from "../../support/http-fixture.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";

const wellFacts: CodexFacts = {
  toldBy: "codex",
  codexVersion: "0.169.0",
  reason: null,
  account: { email: "ada@example.test", plan: "plus", authMode: "chatgpt" },
  windows: [],
  degraded: [],
  aliasFaults: [],
  isCatalogChecked: true,
};

function judged(facts: Partial<CodexFacts>) {
  return judgeCodex({ ...wellFacts, ...facts }, 0).map(({ check, status, found }) => [check, status, found]);
}

t.test("a version outside the tested ones is a warning", async (t) => {
  const status = (version: string) => judgeVersion(version, version).status;
  t.equal(status("0.169.3"), "ok");
  t.equal(status("0.155.0"), "ok");
  t.match(judgeVersion("0.130.0", ""), { status: "warn", advice: /older than 0\.140\.0/ });
  t.match(judgeVersion("0.172.0", ""), { status: "warn", advice: /newer than 0\.171\.0/ });
  t.match(judgeVersion("nightly", ""), { status: "warn", advice: /not one of the tested versions/ });
});

t.test("a plan is ok, almost used up, or used up", async (t) => {
  const window = (usedPercent: number) => ({ usedPercent, windowMinutes: 10_080, resetsAt: 90_000 });
  t.strictSame(judged({ windows: [window(12.4), window(90), window(100)] }), [
    ["handshake", "ok", "the app-server of Codex 0.169.0 answered"],
    ["login", "ok", "logged in as ada@example.test, plan plus"],
    ["plan", "ok", "7 d window: 12 % used, resets in 1 d 1 h"],
    ["plan", "warn", "7 d window: 90 % used, resets in 1 d 1 h"],
    ["plan", "fail", "7 d window: 100 % used, resets in 1 d 1 h"],
  ]);
});

t.test("a Codex that nobody is logged in to did shake hands", async (t) => {
  const reason = { code: "native_login_required", message: "no login" };
  t.strictSame(judged({ account: null, reason }), [
    ["handshake", "ok", "the app-server of Codex 0.169.0 answered"],
    ["login", "fail", "nobody is logged in"],
  ]);
});

t.test(
  "an alias of no model is a warning, and a provider whose models cannot be checked is told",
  async (t) => {
    const found = judged({ aliasFaults: ["gone: no such model"], isCatalogChecked: false });
    t.match(found.slice(-2), [
      ["models", "warn", "gone: no such model"],
      ["models", "ok", /names are passed on unchecked/],
    ]);
  },
);

t.test("a ChatGPT login without windows says so", async (t) => {
  t.strictSame(judged({ windows: [] }).at(-1), ["plan", "ok", "Codex names no limits"]);
});

t.test("where there was no handshake, nothing else is known", async (t) => {
  const reason = { code: "native_runtime_unavailable", message: "It died." };
  t.strictSame(judged({ account: null, reason }), [["handshake", "fail", "It died."]]);
});

t.test("missing features are named", async (t) => {
  t.match(judged({ degraded: ["thread_unload"] }).at(-1), ["features", "warn", "goes without thread_unload"]);
});

t.test("a state directory is there and private, or will be made, or says what is wrong", async (t) => {
  const root = await makeTemporaryDirectory(t);
  t.match(await checkStateDirectory(root), { status: "ok", found: /private/ });
  t.match(await checkStateDirectory(join(root, "a/b")), { status: "ok", found: /will be made/ });
  await mkdir(join(root, "instances"));
  await chmod(join(root, "instances"), 0o755);
  t.match(await checkStateDirectory(root), {
    status: "fail",
    found: /mode 755/,
    advice: /chmod 700 .*instances/,
  });
  await writeFile(join(root, "file"), "");
  t.match(await checkStateDirectory(join(root, "file")), { status: "fail", found: /is not a directory/ });
});

t.test("a port is free, ours, or someone else's", async (t) => {
  const env = { CODEX_NATIVE_API_AUTH_TOKEN: "a-token-of-the-service" };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const config = (host: string, at: number) => {
    const loaded = loadConfig({ argv: ["--host", host, "--port", String(at)], env, machine: fakeMachine() });
    if (!loaded.ok) throw new Error("the configuration has faults");
    return loaded.config;
  };
  const taken = config("127.0.0.1", port);
  const baseUrl = "http://there";
  const nobody = { kind: "nobody", baseUrl, reason: "no answer" } as const;
  t.match(await checkPort(taken, nobody), {
    status: "fail",
    found: /another program holds/,
  });
  t.match(await checkPort(config("127.0.0.1", 0), nobody), {
    status: "ok",
    found: /is free/,
  });
  t.match(await checkPort(taken, { kind: "stranger", baseUrl }), {
    status: "fail",
    advice: /--port/,
  });
  t.match(await checkPort(taken, { kind: "refused", baseUrl }), { status: "fail", advice: /token/ });
  t.match(await checkPort(config("192.0.2.1", port), nobody), {
    status: "fail",
    found: /no address of this machine/,
  });
});

t.test("a binary that took the place of the one that runs is to be started", async (t) => {
  const path = join(await makeTemporaryDirectory(t), "codex");
  await writeFile(path, "#!/bin/sh\necho codex-cli 0.171.0\n", { mode: 0o755 });
  t.match(await checkBinary(path, { PATH: "/usr/bin:/bin" }, "0.169.0"), {
    status: "warn",
    found: /^0\.171\.0, .*; the service still runs 0\.169\.0$/,
    advice: "restart the service to use it",
  });
  for (const running of ["0.171.0", null]) {
    t.match(await checkBinary(path, { PATH: "/usr/bin:/bin" }, running), { status: "ok", advice: null });
  }
});

t.test("doctor goes on to the end without a binary, and starts nothing", async (t) => {
  const stateDir = join(await makeTemporaryDirectory(t), "state");
  const argv = ["doctor", "--codex-bin", "/nowhere/codex", "--port", "0", "--state-dir", stateDir];
  const { code, stdout } = await runInProcess(argv);
  t.equal(code, 1);
  t.match(stdout, /^fail {2}codex {10}The configured Codex binary was not found/m);
  t.match(stdout, /^ {21}do: npm install -g @openai\/codex/m);
  t.match(stdout, /^ok {4}port /m);
  t.notMatch(stdout, /handshake|file roots/);
  const roots = ["--readable-roots", `${stateDir},/nowhere/skills`];
  t.match(
    (await runInProcess([...argv, ...roots])).stdout,
    /^warn {2}file roots {5}"\/nowhere\/skills" does not exist, or cannot be reached\.$/m,
  );
  const report: unknown = JSON.parse((await runInProcess([...argv, "--json"])).stdout);
  t.match(report, {
    object: "doctor.report",
    status: "fail",
    findings: [{ check: "configuration" }, { status: "fail" }],
  });
});

t.test(
  "doctor --turn starts one Codex for all that it asks, and says why where it does not start",
  async (t) => {
    const directory = await makeTemporaryDirectory(t);
    const bin = join(directory, "codex");
    await writeFile(bin, "#!/bin/sh\necho codex-cli 0.171.0\n", { mode: 0o755 });
    const argv = [
      "doctor",
      "--turn",
      "--codex-bin",
      bin,
      "--port",
      "0",
      "--state-dir",
      join(directory, "state"),
    ];
    const runtime = new FakePrivateRuntime();
    const createRuntime = async () => runtime;
    const { stdout } = await runInProcess(argv, { createRuntime, env: { PATH: "/usr/bin:/bin" } });
    t.match(stdout, /^ok {4}handshake /m);
    t.match(stdout, /^ok {4}turn gpt-fake +answered/m);
    t.strictSame(runtime.calls, ["start", "destroy"]);
    runtime.start = () => Promise.reject(failure("native_runtime_unavailable"));
    t.match(await runInProcess(argv, { createRuntime, env: { PATH: "/usr/bin:/bin" } }), {
      code: 1,
      stdout: /^fail {2}handshake /m,
    });
  },
);

t.test("doctor names the proxy without its password, and says what it answered", async (t) => {
  const proxy = await startCompanyProxy(t, "http://127.0.0.1:9");
  proxy.setMood({ kind: "ask_password", user: "ada", password: "s3cret" });
  const userHome = await makeTemporaryDirectory(t);
  await writeFile(join(userHome, "config.toml"), 'openai_base_url = "https://backend.invalid/v1"\n');
  const argv = ["doctor", "--codex-bin", "/nowhere/codex", "--port", "0", "--codex-home", userHome];
  const env = { HTTPS_PROXY: proxy.url.replace("://", "://ada:wr0ng@") };
  const { code, stdout } = await runInProcess(argv, { env });
  t.equal(code, 1);
  const host = `127\\.0\\.0\\.1:${proxy.port}`;
  t.match(
    stdout,
    new RegExp(
      `^fail {2}network {8}backend\\.invalid through http://\\*\\*\\*@${host} \\(HTTPS_PROXY\\): The proxy that HTTPS_PROXY names refuses`,
      "m",
    ),
  );
  t.match(stdout, /^ {21}do: Correct them\./m);
  t.notMatch(stdout, /wr0ng/);
  t.same(proxy.asked, ["backend.invalid:443"]);
});

t.test("doctor names a proxy that Codex cannot use, or only in part", async (t) => {
  const { port } = await startCompanyProxy(t, "http://127.0.0.1:9");
  const userHome = await makeTemporaryDirectory(t);
  await writeFile(join(userHome, "config.toml"), 'openai_base_url = "https://backend.invalid/v1"\n');
  const argv = ["doctor", "--codex-bin", "/nowhere/codex", "--port", "0", "--codex-home", userHome];
  const lineWith = async (proxy: string) => {
    const { stdout } = await runInProcess(argv, { env: { HTTPS_PROXY: proxy } });
    t.notMatch(stdout, /s3cret/);
    return /^\S+ +network .*$/m.exec(stdout)?.[0];
  };
  t.match(
    await lineWith(`socks5h://ada:s3cret@127.0.0.1:${port}`),
    /^warn .*SOCKS proxy, which Codex takes for WebSockets/,
  );
  t.match(await lineWith("socks5h://127.0.0.1:9"), /^fail .*names cannot be reached \(ECONNREFUSED\)/);
  t.match(await lineWith(`socks4://127.0.0.1:${port}`), /^fail .*SOCKS4 proxy, which Codex does not take/);
  for (const value of [`ftp://ada:s3cret@127.0.0.1:${port}`, "http://", "http://ada:s3cret@"])
    t.match(await lineWith(value), /^fail .*HTTPS_PROXY does not name a proxy that Codex knows/, value);
});

t.test("doctor asks a service that runs and starts no Codex beside it", async (t) => {
  const { port } = await serveFake(t);
  const stateDir = await makeTemporaryDirectory(t);
  const { stdout } = await runInProcess(["doctor", "--port", String(port), "--state-dir", stateDir]);
  t.match(stdout, /^ok {4}port {11}the service runs at .*, version 0\.0\.0-test$/m);
  t.match(
    stdout,
    /^ok {4}handshake {6}the running service is connected to the app-server of Codex \d+\.\d+\.\d+$/m,
  );
  t.match(stdout, /^ok {4}login {10}logged in as user@example\.com, plan plus$/m);
});
