/** A start that is ended before it is over, at every step of it: nothing is left. */
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import { embedService, prepareHost } from "../support/host-harness.js";
import { Leftovers } from "../support/leftovers.js";
import { startSteps, writePausedCodex } from "../support/paused-codex.js";
import { createRuntimeHarness, testLogger } from "../support/runtime-harness.js";

t.setTimeout(300_000);

const ends = ["close", "destroy"] as const;
const transports = [{ kind: "shared" }, { kind: "stdio" }] as const;
/** So many rounds of the event loop after the start: what does not wait for Codex is over within them. */
const rounds = [0, 1, 2, 3, 5, 8, 16, 32, 128];

async function waitRounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

for (const appServer of transports) {
  t.test(`a runtime (${appServer.kind}) that is ended while it starts leaves nothing`, async (t) => {
    const { options, stateDir } = await createRuntimeHarness(t, { runtime: { appServer } });
    const directory = join(stateDir, "..");
    const codex = await writePausedCodex(directory);
    let made = 0;
    // Each in a state directory of its own: what one has learned of Codex spares the next a step.
    const create = () => {
      made += 1;
      const own = { bin: codex.bin, stateDir: join(directory, `state-${made}`) };
      return new CodexNativeRuntime({ ...options, codex: { ...options.codex, ...own } }, testLogger);
    };
    for (const end of ends) {
      for (const count of rounds) {
        const leftovers = new Leftovers(directory);
        const runtime = create();
        const started = runtime.start();
        await waitRounds(count);
        await runtime[end]();
        t.match(await started, { ready: false, error: { code: "native_runtime_unavailable" } });
        t.same(await leftovers.find(), [], `${end} after ${count} rounds`);
      }
      for (const step of startSteps) {
        await codex.pauseAt(step);
        const leftovers = new Leftovers(directory);
        const runtime = create();
        const started = runtime.start();
        await codex.untilPaused();
        await runtime[end]();
        t.match(await started, { ready: false, error: { code: "native_runtime_unavailable" } });
        t.same(await leftovers.find(), [], `${end} at ${step}`);
        await codex.goOn();
      }
    }
  });
}

t.test("a service that is ended while it starts leaves nothing, its port neither", async (t) => {
  const host = await prepareHost(t);
  const codex = await writePausedCodex(host.root);
  let made = 0;
  const create = () => {
    made += 1;
    const own = { bin: codex.bin, stateDir: join(host.root, `state-${made}`) };
    return embedService(t, host, { codex: { ...host.settings.codex, ...own } });
  };
  for (const end of ["stop", "destroy"] as const) {
    for (const count of rounds.filter((_, index) => index % 2 === 0)) {
      const leftovers = new Leftovers(host.root);
      const service = create();
      const started = service.start();
      await waitRounds(count);
      await service[end]();
      const { url } = await started;
      t.same(await leftovers.find(url), [], `${end} after ${count} rounds`);
    }
    for (const step of startSteps) {
      await codex.pauseAt(step);
      const leftovers = new Leftovers(host.root);
      const service = create();
      const started = service.start();
      await codex.untilPaused();
      await service[end]();
      const { url } = await started;
      t.same(await leftovers.find(url), [], `${end} at ${step}`);
      await codex.goOn();
    }
  }
});

t.test(
  "starts and ends in any order: each takes effect once, and after the last nothing is left",
  async (t) => {
    const { options, stateDir } = await createRuntimeHarness(t);
    const leftovers = new Leftovers(join(stateDir, ".."));
    const create = () => new CodexNativeRuntime(options, testLogger);
    const never = create();
    await never.close();
    await t.rejects(never.start(), { code: "native_runtime_unavailable" }, "closed before it was started");
    const twice = create();
    t.same(
      await Promise.all([twice.start(), twice.start()]),
      [{ ready: true }, { ready: true }],
      "a second start joins",
    );
    await Promise.all([twice.close(), twice.destroy(), twice.close()]);
    await twice.destroy();
    t.match(await twice.reconnect(), { ready: false }, "it stays closed");
    await t.rejects(twice.start(), { code: "native_runtime_unavailable" });
    t.same(await leftovers.find(), []);
  },
);

t.test("a runtime whose start failed can be started again", async (t) => {
  const { options, stateDir } = await createRuntimeHarness(t);
  const directory = join(stateDir, "..");
  const leftovers = new Leftovers(directory);
  await writeFile(stateDir, "in the way");
  const runtime = new CodexNativeRuntime(options, testLogger);
  await t.rejects(runtime.start(), { code: "native_runtime_unavailable" });
  t.match(runtime.readiness, { ready: false });
  t.same(await leftovers.find(), [], "nothing is left of a failed start");
  await rm(stateDir);
  t.same(await runtime.start(), { ready: true });
  await runtime.close();
  t.same(await leftovers.find(), []);
});

t.test("a service whose address was taken starts once that is free", async (t) => {
  const host = await prepareHost(t);
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const leftovers = new Leftovers(host.root);
  const service = embedService(t, host, { listen: { port } });
  await t.rejects(service.start(), { code: "EADDRINUSE" });
  t.same(await leftovers.find(), []);
  holder.close();
  await once(holder, "close");
  t.match(await service.start(), { started: true });
  await service.stop();
});
