import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { needs, needsLackOf } from "../support/codex-version.js";
import { text } from "../support/offline-backend/index.js";
import { createRuntimeHarness, userMessage } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

async function logBytes(stateDir: string): Promise<number> {
  const instances = join(stateDir, "instances");
  const [instance = ""] = await readdir(instances);
  const home = join(instances, instance, "codex-home");
  const files = (await readdir(home)).filter((name) => name.startsWith("logs_"));
  const sizes = await Promise.all(
    files.map(async (name) => {
      const found = await stat(join(home, name));
      return found.isFile() ? found.size : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const turn = { items: [userMessage("hello")] };

t.test(
  "Codex's log databases stay within their bound while it runs",
  needsLackOf("thread_unload"),
  async (t) => {
    const maxLogBytes = 1024 * 1024;
    const { runtime, backend, stateDir } = await createRuntimeHarness(t, { runtime: { maxLogBytes } });
    backend.setDefaultReply(text("fine"));
    t.same(await runtime.start(), { ready: true });
    let turns = 0;
    await pollUntil(async () => {
      t.equal((await runtime.runIsolatedTurn(turn)).outcome.status, "completed");
      turns += 1;
      return (runtime.health().appServer?.generation ?? 0) >= 2;
    }, 60_000);
    const bytes = await logBytes(stateDir);
    t.comment(`${turns} turns until the next app-server; ${bytes} bytes of logs then`);
    t.ok(bytes < maxLogBytes, "the next one began with none");
  },
);

t.test("Codex that goes on without its log database writes none", needs("thread_unload"), async (t) => {
  const { runtime, backend, stateDir } = await createRuntimeHarness(t);
  backend.setDefaultReply(text("fine"));
  t.same(await runtime.start(), { ready: true });
  for (let index = 0; index < 5; index += 1) await runtime.runIsolatedTurn(turn);
  t.equal(await logBytes(stateDir), 0);
});
