import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, relative } from "node:path";
import t from "tap";
import { CodexDriver } from "../support/offline-backend/codex-driver.js";
import { type OfflineBackend, text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";

async function readTree(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => {
        const path = join(file.parentPath, file.name);
        return [relative(directory, path), await readFile(path, "base64")] as const;
      }),
    ),
  );
}

async function listThreads(home: string, backend: OfflineBackend): Promise<unknown> {
  const driver = await CodexDriver.start(home, backend.environment());
  try {
    return (await driver.call("thread/list")).data;
  } finally {
    await driver.stop();
  }
}

t.test(
  "the user's threads are the same before and after, and nothing is written to their home",
  async (t) => {
    const { backend, runtime, userHome } = await createRuntimeHarness(t, { login: "chatgpt" });
    backend.setDefaultReply(text("a thread of the user's"));
    const driver = await CodexDriver.start(userHome, backend.environment());
    const { thread } = await driver.call("thread/start", { cwd: userHome });
    const threadId = typeof thread === "object" && thread !== null && "id" in thread ? String(thread.id) : "";
    await driver.call("turn/start", { threadId, input: [{ type: "text", text: "hello" }] });
    await driver.waitFor("turn/completed");
    await driver.stop();
    const threads = await listThreads(userHome, backend);
    t.equal(Array.isArray(threads) ? threads.length : 0, 1);

    const before = await readTree(userHome);
    t.same(await runtime.start(), { ready: true });
    for (let turn = 0; turn < 3; turn += 1) await runtime.runIsolatedTurn({ items: [userMessage("hello")] });
    await runtime.close();
    t.same(await readTree(userHome), before, "no file of the user's home changed");
    t.same(await listThreads(userHome, backend), threads);
  },
);

t.test("a token refresh during a turn leaves the linked login valid", async (t) => {
  const { backend, runtime, userHome, stateDir } = await createRuntimeHarness(t, { login: "chatgpt" });
  const before = await readTree(userHome);
  t.same(await runtime.start(), { ready: true });
  backend.tokens.revokeAccessTokens();
  t.equal((await runtime.runIsolatedTurn({ items: [userMessage("hello")] })).outcome.status, "completed");
  t.equal(backend.counters.tokenRefreshes, 1);
  t.equal(backend.counters.reusedRefreshTokens, 0);
  const after = await readTree(userHome);
  t.not(after["auth.json"], before["auth.json"], "the user's own login has the new tokens");
  t.same(
    Object.keys(after).filter((file) => !(file in before) && file !== "auth.json.lock"),
    [],
    "no other file was made",
  );
  const [instance] = await readdir(join(stateDir, "instances"));
  const link = join(stateDir, "instances", instance ?? "", "codex-home", "auth.json");
  t.ok((await lstat(link)).isSymbolicLink());
  t.equal(await readlink(link), join(userHome, "auth.json"));

  backend.tokens.revokeAccessTokens();
  t.equal((await runtime.runIsolatedTurn({ items: [userMessage("again")] })).outcome.status, "completed");
  t.equal(backend.counters.reusedRefreshTokens, 0, "no single-use token was used twice");
});

t.test("the service's own home is private and holds nothing but the link of the login", async (t) => {
  const { runtime, stateDir } = await createRuntimeHarness(t, { login: "chatgpt" });
  await runtime.start();
  t.equal((await lstat(stateDir)).mode & 0o777, 0o700);
  const [instance] = await readdir(join(stateDir, "instances"));
  const home = join(stateDir, "instances", instance ?? "", "codex-home");
  t.equal((await lstat(home)).mode & 0o777, 0o700);
  t.equal((await lstat(join(home, "config.toml"))).mode & 0o777, 0o600);
});
