/** An app-server that is stopped (SIGSTOP), or slow: what its turns and callers notice of it. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { askService } from "../support/host-harness.js";
import { stopProcess, watchReadiness } from "../support/hung-process.js";
import { lastUserText, text, textInDeltas } from "../support/offline-backend/index.js";
import { createRuntimeHarness, makeTemporaryDirectory, userMessage } from "../support/runtime-harness.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

// Each waits until a silence counts as a hang, on a machine that may be busy.
t.setTimeout(300_000);

function pidOf({ service }: ServiceHarness): number {
  const pid = service.health()?.appServer?.pid;
  if (typeof pid !== "number") throw new Error("there is no app-server");
  return pid;
}

t.test(
  "a hung app-server costs no turn that had shown nothing, and the service says meanwhile that it is not ready",
  { timeout: 120_000 },
  async (t) => {
    const harness = await startServiceHarness(t, { argv: ["--workers", "2"] });
    const { service, url, backend, untilReady } = harness;
    await untilReady();
    backend.setDefaultReply(text("fine"));
    t.equal((await askService(service, { input: "before" })).status, 200);
    stopProcess(t, pidOf(harness));
    const readyMs = watchReadiness(url);
    const startedAtMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 7 }, (_, index) => askService(service, { input: `turn ${index}` })),
    );
    const tookMs = performance.now() - startedAtMs;
    t.same(
      answers.map(({ status }) => status),
      Array.from({ length: 7 }, () => 200),
    );
    t.ok(tookMs < 40_000, `all answered after ${Math.round(tookMs)} ms`);
    const lastReadyMs = await readyMs();
    t.ok(lastReadyMs < 8_000, `ready for ${Math.round(lastReadyMs)} ms of it`);
    for (const { json } of answers)
      t.match(json, { native_api: { request_target: { app_server_generation: 2 } } }, "on its successor");
  },
);

t.test(
  "a hang is noticed while nobody asks, however many workers there are",
  { timeout: 120_000 },
  async (t) => {
    const harness = await startServiceHarness(t, { argv: ["--workers", "4"] });
    const { service, url, untilReady } = harness;
    const areAllReady = () => service.health()?.workers.every(({ state }) => state === "ready") === true;
    await untilReady();
    await pollUntil(areAllReady);
    const pid = pidOf(harness);
    stopProcess(t, pid);
    const stoppedAtMs = performance.now();
    await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 503);
    const noticedMs = performance.now() - stoppedAtMs;
    t.ok(
      noticedMs < 9_000,
      `after ${Math.round(noticedMs)} ms: nobody waits until each worker has asked for itself`,
    );
    await untilReady();
    t.not(pidOf(harness), pid, "another took its place");
  },
);

t.test(
  "an app-server that was only paused goes on: it is not killed, and no turn is lost",
  { timeout: 120_000 },
  async (t) => {
    const harness = await startServiceHarness(t, { argv: ["--workers", "2"] });
    const { service, url, backend, untilReady } = harness;
    await untilReady();
    backend.setDefaultReply((request) =>
      lastUserText(request) === "long" ? textInDeltas("a long answer", 10, 100) : text("fine"),
    );
    const pid = pidOf(harness);
    const long = askService(service, { input: "long" });
    await backend.waitForRequest();
    const goOn = stopProcess(t, pid);
    const short = askService(service, { input: "short" });
    await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 503);
    goOn();
    const waiting = askService(service, { input: "while it was silent" });
    t.same(
      (await Promise.all([long, short, waiting])).map(({ status }) => status),
      [200, 200, 200],
    );
    await untilReady();
    t.equal(pidOf(harness), pid);
    t.equal(backend.requests.length, 3, "no turn was run twice");
  },
);

t.test(
  "an app-server that is slow to say who is logged in is not taken for hung",
  { timeout: 120_000 },
  async (t) => {
    const harness = await startServiceHarness(t);
    const { service, backend, untilReady } = harness;
    await untilReady();
    backend.setAccountCheckDelay(9_000);
    process.kill(pidOf(harness), "SIGKILL");
    await pollUntil(() => service.health()?.readiness.ready === false);
    await pollUntil(() => service.health()?.readiness.ready === true, 60_000);
    t.match(service.health()?.appServer, { generation: 2, restarts: 1 }, "nobody replaced it again");
  },
);

/** The real one, but it begins with a wait of 7 seconds while the file is there. */
const slowStart = (file: string) => `
  setTimeout(() => {
    const child = spawn(real, args, { stdio: "inherit" });
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code) => process.exit(code ?? 1));
  }, existsSync(${JSON.stringify(file)}) ? 7000 : 0);`;

t.test(
  "a killed app-server may take its time to come back: turns wait as long as the queue lets them",
  async (t) => {
    const directory = await makeTemporaryDirectory(t);
    const slow = join(directory, "slow");
    const bin = await writeCodexWrapper(directory, slowStart(slow));
    const { runtime, backend } = await createRuntimeHarness(t, { runtime: { codex: { bin } } });
    backend.setDefaultReply(text("fine"));
    t.same(await runtime.start(), { ready: true });
    await writeFile(slow, "");
    const pid = runtime.health().appServer?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    const turns = Array.from({ length: 5 }, () => runtime.runIsolatedTurn({ items: [userMessage("hello")] }));
    const models = runtime.listModels();
    for (const turn of turns) t.equal((await turn).outcome.status, "completed");
    t.ok((await models).length > 0, "so do questions for the models");
    await rm(slow);
  },
);
