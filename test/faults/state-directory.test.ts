/** A state directory that fills up or goes away under a running service. */
import { execFile } from "node:child_process";
import { appendFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { text } from "../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

const run = promisify(execFile);

async function start(t: Test, env: Record<string, string> = {}): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t, { login: "provider", env });
  harness.backend.setDefaultReply(text("fine"));
  await harness.untilReady();
  return harness;
}

function killAppServer({ service }: ServiceHarness): void {
  const pid = service.health()?.appServer?.pid;
  if (typeof pid !== "number") throw new Error("there is no app-server to kill");
  process.kill(pid, "SIGKILL");
}

const ask = async ({ client }: ServiceHarness) => (await client.responses.create({ input: "hello" })).status;

/** Callers get a code and a reason, and no path of this machine. */
async function checkUnavailable(t: Test, harness: ServiceHarness, stateDir: string, reason: RegExp) {
  const { client, url } = harness;
  let fault: unknown;
  // Until the first attempt to start another has failed, a turn waits for it.
  await pollUntil(async () => {
    fault = await client.responses.create({ input: "hello" }).catch((error: unknown) => error);
    return reason.test(String(fault));
  });
  t.match(fault, { status: 503, code: "native_runtime_unavailable", message: reason });
  const health = await fetch(`${url}/v1/health`);
  t.equal(health.status, 503);
  const body = await health.text();
  t.match(body, /"status":"unavailable"/);
  t.equal((await fetch(`${url}/livez`)).status, 200);
  t.notMatch(`${body}${String(fault)}`, stateDir);
}

t.test("a state directory that is removed is missed, and made anew", async (t) => {
  const harness = await start(t);
  await removeTree(harness.stateDir);
  t.match(await ask(harness).catch((error: unknown) => error), { status: 503 });
  await pollUntil(async () => (await ask(harness).catch(() => "not yet")) === "completed");
  await harness.service.stop();
});

t.test("a state directory that cannot be used: unavailable and why, and recovery by itself", async (t) => {
  const harness = await start(t);
  const { stateDir } = harness;
  await rename(stateDir, `${stateDir}.away`);
  await writeFile(stateDir, "in the way");
  killAppServer(harness);
  await checkUnavailable(t, harness, stateDir, /state directory/);
  await rm(stateDir);
  await rename(`${stateDir}.away`, stateDir);
  await harness.untilReady();
  t.equal(await ask(harness), "completed");
});

/** A disk of its own that is soon full; null where this user may not mount one. */
async function mountSmallDisk(): Promise<string | null> {
  const disk = await makeTemporaryDirectory(t);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", disk]);
  } catch {
    return null;
  }
  t.teardown(() => run("umount", ["--lazy", disk]));
  return disk;
}

const disk = await mountSmallDisk();
const noDisk = disk === null ? { skip: "this user may not mount a small disk" } : {};

t.test("a full disk: turns go on, and the next app-server comes when there is room", noDisk, async (t) => {
  if (disk === null) return;
  const stateDir = join(disk, "state");
  const harness = await start(t, { CODEX_NATIVE_API_STATE_DIR: stateDir });
  const ballast = join(disk, "ballast");
  await fill(ballast);
  t.equal(await ask(harness), "completed", "a running app-server needs no disk for a turn");
  // The room that the next one needs is not in what the last one gives up.
  const padding = `\n[model_providers.padding]\nname = "${"x".repeat(1024 * 1024)}"\n`;
  await appendFile(join(harness.userHome, "config.toml"), padding);
  killAppServer(harness);
  await checkUnavailable(t, harness, stateDir, /state directory cannot be used: its disk is full/);
  await rm(ballast);
  await harness.untilReady();
  t.equal(await ask(harness), "completed");
  await harness.service.stop();
});

async function fill(path: string): Promise<void> {
  for (const bytes of [1024 * 1024, 4096, 1]) {
    const block = Buffer.alloc(bytes, 1);
    let full = false;
    while (!full) {
      await appendFile(path, block).catch(() => {
        full = true;
      });
    }
  }
}
