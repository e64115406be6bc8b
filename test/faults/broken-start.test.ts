import { rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { testCodexBin } from "../support/codex-version.js";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { text } from "../support/offline-backend/index.js";
import { findAppServersOf } from "../support/processes.js";
import { createRuntimeHarness, makeTemporaryDirectory } from "../support/runtime-harness.js";
import { runTurn } from "../support/scripted-app-server/index.js";
import { pollUntil } from "../support/service-harness.js";

// On a machine with other work it takes its time.
t.setTimeout(400_000);

t.test("an app-server that dies at each start: unavailable and why, and recovery by itself", async (t) => {
  const directory = await makeTemporaryDirectory(t);
  const broken = join(directory, "broken");
  await writeFile(broken, "");
  const bin = await writeCodexWrapper(
    directory,
    `if (existsSync(${JSON.stringify(broken)})) process.exit(9);
    const child = spawn(real, args, { stdio: "inherit" });
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code) => process.exit(code ?? 1));`,
  );
  const { runtime, backend } = await createRuntimeHarness(t, { runtime: { codex: { bin } } });
  backend.setDefaultReply(text("fine"));
  await runtime.open();
  await pollUntil(() => (runtime.health().appServer?.generation ?? 0) >= 3);
  t.match(runtime.readiness, {
    ready: false,
    error: { code: "native_runtime_unavailable", message: /ended while it started/ },
  });
  t.match(await runTurn(runtime), { end: "native_runtime_unavailable" });
  await rm(broken);
  await pollUntil(() => runtime.readiness.ready);
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
});

t.test("reconnect replaces the app-server and answers where the runtime stands", async (t) => {
  const { runtime, backend } = await createRuntimeHarness(t);
  backend.setDefaultReply(text("fine"));
  t.same(await runtime.start(), { ready: true });
  const before = runtime.health().appServer;
  t.same(await runtime.reconnect(), { ready: true });
  t.equal(runtime.health().appServer?.generation, (before?.generation ?? 0) + 1);
  t.not(runtime.health().appServer?.pid, before?.pid);
  t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
});

for (const kind of ["shared", "stdio"] as const) {
  t.test(`a Codex (${kind}) that is installed after the start is found within seconds`, async (t) => {
    const bin = join(await makeTemporaryDirectory(t), "codex");
    const { runtime, backend } = await createRuntimeHarness(t, {
      runtime: { appServer: { kind }, codex: { bin } },
    });
    backend.setDefaultReply(text("fine"));
    t.match(await runtime.start(), {
      ready: false,
      error: { code: "native_runtime_unavailable", message: /was not found/ },
    });
    t.match(
      await runTurn(runtime),
      { end: "native_runtime_unavailable" },
      "nobody waits for what is not there",
    );
    const { path } = await findCodexBinary({ configured: testCodexBin, env: {}, timeoutMs: 10_000 });
    await symlink(path, bin);
    await pollUntil(() => runtime.readiness.ready);
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
  });
}

t.test(
  "a Codex that goes missing while workers run it over stdio is found again when it is back",
  async (t) => {
    const directory = await makeTemporaryDirectory(t);
    const bin = await writeCodexWrapper(
      directory,
      `const child = spawn(real, args, { stdio: ["pipe", "pipe", "inherit"] });
      process.stdin.pipe(child.stdin);
      child.stdout.pipe(process.stdout);
      process.on("SIGTERM", () => child.kill("SIGTERM"));
      child.on("exit", (code) => process.exit(code ?? 1));`,
    );
    const { runtime, backend, stateDir } = await createRuntimeHarness(t, {
      runtime: { workers: 2, appServer: { kind: "stdio" }, codex: { bin } },
    });
    backend.setDefaultReply(text("fine"));
    t.same(await runtime.start(), { ready: true });
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
    await rename(bin, `${bin}.away`);
    await endAppServers(stateDir);
    // Half a minute: until then the workers dial on, since a process that ended comes back as a rule.
    await pollUntil(() => !runtime.readiness.ready);
    t.match(runtime.readiness, { ready: false, error: { code: "native_runtime_unavailable" } });
    t.match(await runTurn(runtime), { end: "native_runtime_unavailable" });
    await rename(`${bin}.away`, bin);
    await pollUntil(() => runtime.readiness.ready, 120_000);
    t.match(await runTurn(runtime), { end: "completed", streamed: "fine" });
    await pollUntil(() => runtime.health().workers.every(({ state }) => state === "ready"));
  },
);

/** Kills the Codex processes that work in this directory, which are those of the workers. */
async function endAppServers(directory: string): Promise<void> {
  for (const pid of await findAppServersOf(directory)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended with its wrapper.
    }
  }
}
