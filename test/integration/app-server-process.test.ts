import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { openStateDirectory } from "../../src/main/codex/home/state-directory.js";
import { readProcessIdentity } from "../../src/main/codex/process/process-identity.js";
import { ProcessUsageReader } from "../../src/main/codex/process/process-usage.js";
import { createChatGptLogin, createProviderHome, stall } from "../support/offline-backend/index.js";
import { killDeathWatch } from "../support/processes.js";
import { connectAppServer, setUpRealCodex, superviseRealCodex } from "../support/real-app-server.js";
import { waitUntil } from "../unit/codex/fixtures.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

async function isAlive(pid: number | undefined): Promise<boolean> {
  return pid !== undefined && (await readProcessIdentity(pid)) !== null;
}

t.test(
  "from nothing to an app-server that answers takes well under 1.5 s, and leaves nothing behind",
  async (t) => {
    const codex = await setUpRealCodex(t);
    await createProviderHome({ home: codex.userHome, backend: codex.backend });
    const cold = await superviseRealCodex(t, codex);
    const began = performance.now();
    await cold.supervisor.start();
    const coldMs = performance.now() - began;
    t.match(await cold.call("account/read"), { account: null });
    const pid = cold.ready[0]?.pid ?? 0;
    const usage = (await new ProcessUsageReader().read([pid])).get(pid);
    t.ok((usage?.rssBytes ?? 0) > 50_000_000);
    await cold.supervisor.close();
    t.notOk(await isAlive(pid));
    t.same(await readdir(cold.instance.ledger), []);
    await cold.instance.close();

    const warm = await superviseRealCodex(t, codex);
    const again = performance.now();
    await warm.supervisor.start();
    const warmMs = performance.now() - again;
    t.match(warm.catalog(), { source: "cache" });
    t.comment(`cold ${coldMs.toFixed(0)} ms, warm ${warmMs.toFixed(0)} ms`);
    t.ok(
      coldMs < 10_000 && warmMs < 10_000,
      "bounds that hold on a busy machine; the numbers are in the comment",
    );
  },
);

t.test("an app-server that is killed is followed by a new generation that answers", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, ready, down, call } = await superviseRealCodex(t, codex);
  await supervisor.start();
  const [first] = ready;
  if (first === undefined) throw new Error("no generation");
  process.kill(first.pid, "SIGKILL");
  await waitUntil(() => ready.length === 2);
  t.match(down, [{ generation: 1, reason: /SIGKILL/ }]);
  t.match(await call("account/read"), { account: null });
  t.not(ready[1]?.pid, first.pid);
});

t.test("a rotation lets the older process go on beside the new one", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, ready } = await superviseRealCodex(t, codex);
  await supervisor.start();
  const older = await connectAppServer(ready[0]?.endpoint.socketPath ?? "");
  t.teardown(() => older.close());
  await supervisor.rotate("memory", 60_000);
  const newer = await connectAppServer(ready[1]?.endpoint.socketPath ?? "");
  t.teardown(() => newer.close());
  for (const driver of [older, newer])
    t.match(await driver.call("thread/start", { ephemeral: true }), { thread: {} });
  await supervisor.release(1);
  t.notOk(await isAlive(ready[0]?.pid));
  t.match(await newer.call("account/read"), { account: null });
});

t.test("a running turn does not hold up the stop for longer than one step", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  codex.backend.setDefaultReply(stall());
  const { supervisor, ready } = await superviseRealCodex(t, codex, { stopStepMs: 400 });
  await supervisor.start();
  const driver = await connectAppServer(ready[0]?.endpoint.socketPath ?? "");
  t.teardown(() => driver.close());
  const { thread } = await driver.call("thread/start", { ephemeral: true });
  const threadId = thread !== null && typeof thread === "object" && "id" in thread ? thread.id : null;
  await driver.call("turn/start", { threadId, input: [{ type: "text", text: "hello" }] });
  await codex.backend.waitForRequest();
  const began = performance.now();
  await supervisor.close();
  const tookMs = performance.now() - began;
  t.notOk(await isAlive(ready[0]?.pid));
  t.ok(tookMs > 350, "the turn had its step");
  t.ok(tookMs < 20_000);
});

t.test("the derived catalog is what the app-server lists", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, catalog, call } = await superviseRealCodex(t, codex);
  await supervisor.start();
  const rendered = catalog();
  t.equal(rendered.status, "rendered");
  const { data } = await call("model/list", { includeHidden: true });
  const listed = Array.isArray(data) ? data.map((model: { id: string }) => model.id) : [];
  t.ok(listed.length > 0);
  if (rendered.status === "rendered")
    for (const id of listed)
      t.ok(
        rendered.models.some((model) => model.id === id),
        id,
      );
});

t.test("a configuration that Codex refuses is an error and not a start with its defaults", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, down, ready } = await superviseRealCodex(t, codex, {
    codexConfig: { model_provider: '"missing"' },
  });
  await t.rejects(supervisor.start(), {
    code: "native_runtime_unavailable",
    message: "Codex refused its configuration.",
  });
  t.match(down, [{ reason: "Codex refused its configuration.", stderrTail: /missing/ }]);
  t.same(ready, []);
});

t.test("hundreds of kilobytes of log per turn are not written", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, instance } = await superviseRealCodex(t, codex);
  await supervisor.start();
  await supervisor.close();
  const logs = (await readdir(instance.codexHome)).filter((name) => name.startsWith("logs_"));
  t.same(logs, ["logs_2.sqlite"]);
  t.ok((await stat(join(instance.codexHome, "logs_2.sqlite"))).isDirectory());
});

t.test("the child's environment is the allow-list and what the provider names", async (t) => {
  const codex = await setUpRealCodex(t);
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, ready, instance } = await superviseRealCodex(t, codex, {
    parentEnv: { SECRET: "x", CODEX_NATIVE_API_AUTH_TOKEN: "x", OPENAI_API_KEY: "x", LANG: "C", MY_KEY: "k" },
    codexConfig: { "model_providers.offline.env_key": '"MY_KEY"' },
  });
  await supervisor.start();
  const environment = (await readFile(`/proc/${ready[0]?.pid}/environ`, "utf8")).split("\0").filter(Boolean);
  const names = environment
    .map((line) => line.split("=")[0] ?? "")
    // tap puts these into every child process of a test.
    .filter((name) => name !== "NODE_OPTIONS" && !name.startsWith("_TAPJS_"))
    .sort();
  t.same(names, [
    "CODEX_HOME",
    "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
    "CODEX_REVOKE_TOKEN_URL_OVERRIDE",
    "HOME",
    "LANG",
    "MY_KEY",
    "PATH",
  ]);
  t.ok(environment.includes(`CODEX_HOME=${instance.codexHome}`));
});

t.test("a long state directory works with the real binary", async (t) => {
  const setting = await setUpRealCodex(t);
  const codex = { ...setting, stateDir: join(setting.root, "d".repeat(120)) };
  await createProviderHome({ home: codex.userHome, backend: codex.backend });
  const { supervisor, call } = await superviseRealCodex(t, codex);
  await supervisor.start();
  t.match(await call("account/read"), { account: null });
});

t.test("two services on one state directory both work, each in a home of its own", async (t) => {
  const codex = await setUpRealCodex(t);
  await createChatGptLogin({ home: codex.userHome, backend: codex.backend, email: "me@example.test" });
  const [one, two] = [await superviseRealCodex(t, codex), await superviseRealCodex(t, codex)];
  await Promise.all([one.supervisor.start(), two.supervisor.start()]);
  for (const { call } of [one, two])
    t.match(await call("account/read"), { account: { email: "me@example.test" } });
  t.not(one.home().path, two.home().path);
});

async function startDoomedSupervisor(
  t: WithTeardown,
  stateDir: string,
  spawnJson: string,
): Promise<{ supervisor: ChildProcess; pid: number; socketPath: string }> {
  const script = fileURLToPath(new URL("../support/app-server-supervisor-child.js", import.meta.url));
  const supervisor = spawn(process.execPath, [script, stateDir, spawnJson], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(async () => {
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
    supervisor.kill("SIGKILL");
    await once(supervisor, "exit");
  });
  const [line] = await once(supervisor.stdout, "data");
  return { supervisor, ...JSON.parse(String(line)) };
}

t.test("what is left when the watch is killed with the supervisor is ended by the next start", async (t) => {
  const codex = await setUpRealCodex(t);
  const env = { PATH: "/usr/bin:/bin", HOME: codex.root };
  const spawnJson = JSON.stringify({ command: codex.binary.path, args: ["app-server"], env });
  const { supervisor, pid, socketPath } = await startDoomedSupervisor(t, codex.stateDir, spawnJson);
  await killDeathWatch(codex.stateDir, pid);
  supervisor.kill("SIGKILL");
  await once(supervisor, "exit");
  const orphan = await connectAppServer(socketPath);
  orphan.close();
  const next = await openStateDirectory({ path: codex.stateDir, stopStepMs: 3_000, wallClock: Date.now });
  t.teardown(() => next.close());
  t.match(next.notices, [{ event: "orphan_reaped", pid, outcome: "terminated" }]);
  t.notOk(await isAlive(pid));
});
