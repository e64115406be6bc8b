/** An app-server that goes bad slowly: its memory grows, or it is busy while nobody asks. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import type { IsolatedTurnResult } from "../../src/main/runtime/types.js";
import { missingFeatures } from "../../src/workers/contract/codex-capabilities.js";
import { needs, testCodexVersion } from "../support/codex-version.js";
import { writeCodexWrapper } from "../support/codex-wrapper.js";
import { startForeignAppServer } from "../support/foreign-app-server.js";
import { askService } from "../support/host-harness.js";
import { stopProcess } from "../support/hung-process.js";
import { LogLines } from "../support/log-lines.js";
import { readMetric } from "../support/metrics-text.js";
import { functionCall, lastUserText, reply, stall, text } from "../support/offline-backend/index.js";
import { findAppServersOf, findProcessesOf, isRunning } from "../support/processes.js";
import {
  createRuntimeHarness,
  makeTemporaryDirectory,
  type RuntimeHarness,
  testLogger,
  userMessage,
} from "../support/runtime-harness.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

t.setTimeout(300_000);
// Nothing of this machine's is read elsewhere.
const linux = { skip: process.platform !== "linux" };

const weather = {
  name: "weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: {} },
};
/** An empty app-server takes some 150 MB. */
const maxAppServerRssBytes = 230 * 1024 * 1024;
/** Also sets the pace of readings, two in a second. Longer than what Codex still does after a start. */
const idleCpuWindowMs = 2_000;

function healthOf(runtime: CodexNativeRuntime) {
  const { appServer } = runtime.health();
  if (appServer === null) throw new Error("there is no app-server");
  return appServer;
}

interface ParkedTurn {
  readonly turnId: string;
  readonly callIds: readonly string[];
}

interface Filled extends RuntimeHarness {
  /** Those that wait on the app-server that took too much. */
  readonly parkedTurns: readonly ParkedTurn[];
  readonly pids: readonly number[];
  /** A turn that began before them and goes on until it is cancelled. */
  readonly endless: { readonly cancel: () => void; readonly result: Promise<IsolatedTurnResult> };
}

/** Parks turns, each of which holds a thread of Codex's, until another app-server takes the new ones. */
async function fill(t: Test, kind: "shared" | "stdio" = "shared"): Promise<Filled> {
  const harness = await createRuntimeHarness(t, {
    runtime: {
      appServer: { kind },
      // One of the turns stays silent until it is cancelled.
      turns: { spareThreads: 0, idleTimeoutMs: 280_000, timeoutMs: 280_000 },
      codex: { maxAppServerRssBytes, maxIdleCpuPercent: 0, idleCpuWindowMs },
    },
  });
  const { runtime, backend, stateDir } = harness;
  t.same(await runtime.start(), { ready: true });
  await pollUntil(() => runtime.health().workers.every(({ state }) => state === "ready"));
  const pids = await findAppServersOf(stateDir);
  backend.setDefaultReply((request) => {
    const asked = lastUserText(request);
    if (asked === "endless") return stall({ afterDeltas: 1 });
    const isAnswered = JSON.stringify(request.body).includes("sunny");
    return asked === "weather?" && !isAnswered
      ? reply(functionCall({ name: "weather", arguments: "{}" }))
      : text("fine");
  });
  const abort = new AbortController();
  const result = runtime.runIsolatedTurn({ items: [userMessage("endless")] }, { signal: abort.signal });
  const parkedTurns: ParkedTurn[] = [];
  while (healthOf(runtime).generation === 1 && parkedTurns.length < 900) {
    const request = { items: [userMessage("weather?")], tools: [weather] };
    const turns = await Promise.all(Array.from({ length: 8 }, () => runtime.runIsolatedTurn(request)));
    for (const { turnId, target, outcome } of turns) {
      if (target.appServerGeneration > 1) runtime.abandonTurn(turnId);
      else if (outcome.status === "parked") parkedTurns.push({ turnId, callIds: outcome.callIds });
    }
  }
  t.comment(`${parkedTurns.length} threads`);
  t.match(healthOf(runtime), {
    generation: 2,
    rotations: { memory: 1 },
    lastRotation: { reason: "memory" },
  });
  return { ...harness, parkedTurns, pids, endless: { cancel: () => abort.abort(), result } };
}

function answer({ runtime }: RuntimeHarness, { turnId, callIds }: ParkedTurn) {
  return runtime.continueIsolatedTurn(
    turnId,
    callIds.map((callId) => ({ callId, parts: [{ type: "text", text: "sunny" }] })),
  );
}

for (const kind of ["shared", "stdio"] as const) {
  t.test(
    `threads that fill the memory (${kind}) have a new app-server take the new turns, and the old one finishes its own`,
    linux,
    async (t) => {
      const filled = await fill(t, kind);
      const { runtime, stateDir, parkedTurns, pids, endless } = filled;
      const later = await runtime.runIsolatedTurn({ items: [userMessage("later")] });
      t.match(later, { outcome: { status: "completed" }, target: { appServerGeneration: 2 } });
      const [first, ...others] = parkedTurns;
      if (first === undefined) throw new Error("nothing is parked");
      const answered = await answer(filled, first);
      t.match(answered, { outcome: { status: "completed" }, target: { appServerGeneration: 1 } });
      for (const { turnId } of others) runtime.abandonTurn(turnId);
      endless.cancel();
      t.match(await endless.result, { outcome: { status: "cancelled" }, target: { appServerGeneration: 1 } });
      await pollUntil(async () => !(await areAnyRunning(pids)));
      t.equal((await findAppServersOf(stateDir)).length, pids.length);
      t.equal(healthOf(runtime).generation, 2, "the new one is within its bound");
      t.same(runtime.health().degraded, missingFeatures(testCodexVersion));
    },
  );
}

t.test(
  "an app-server that took too much and hangs with a turn on it is ended all the same",
  linux,
  async (t) => {
    const { runtime, parkedTurns, pids, endless } = await fill(t);
    endless.cancel();
    await endless.result;
    for (const pid of pids) stopProcess(t, pid);
    for (const { turnId } of parkedTurns) runtime.abandonTurn(turnId);
    await pollUntil(async () => !(await areAnyRunning(pids)));
    t.match(await runtime.runIsolatedTurn({ items: [userMessage("later")] }), {
      outcome: { status: "completed" },
      target: { appServerGeneration: 2 },
    });
  },
);

/** The real one beside a thread that keeps a core busy and memory that grows, deaf to SIGTERM, while the file is there. */
const goneBad = (file: string) => `
  const isBad = existsSync(${JSON.stringify(file)});
  const child = spawn(real, args, { stdio: "inherit" });
  child.on("exit", (code) => isBad || process.exit(code ?? 1));
  process.on("SIGTERM", () => isBad || child.kill("SIGTERM"));
  if (isBad) {
    const { Worker } = require("node:worker_threads");
    new Worker("for (;;);", { eval: true });
    const hoard = [];
    setInterval(() => hoard.length < 64 && hoard.push(Buffer.alloc(4 * 1024 * 1024, 1)), 100);
  }`;

async function startGoneBad(t: Test, argv: readonly string[]) {
  const directory = await makeTemporaryDirectory(t);
  const file = join(directory, "bad");
  await writeFile(file, "");
  const bin = await writeCodexWrapper(directory, goneBad(file));
  const log = new LogLines();
  const harness = await startServiceHarness(t, {
    login: "provider",
    argv: [...argv, "--idle-cpu-window-ms", String(idleCpuWindowMs)],
    env: { CODEX_NATIVE_API_CODEX_BIN: bin },
    logger: log.logger,
  });
  await harness.untilReady();
  harness.backend.setDefaultReply(text("fine"));
  return { ...harness, file, log };
}

const bounds = {
  idle_cpu: ["--max-idle-cpu-percent", "20"],
  memory: ["--max-app-server-rss-bytes", String(320 * 1024 * 1024), "--max-idle-cpu-percent", "0"],
};

for (const reason of ["idle_cpu", "memory"] as const) {
  t.test(
    `an app-server that is over its bound while idle (${reason}) and deaf to SIGTERM is replaced and ended`,
    linux,
    async (t) => {
      const { service, url, stateDir, file, log } = await startGoneBad(t, bounds[reason]);
      const bad = await findAppServersOf(stateDir);
      await rm(file);
      await pollUntil(() => service.health()?.appServer?.generation === 2);
      await pollUntil(async () => !(await areAnyRunning(bad)));
      await pollUntil(() => service.health()?.readiness.ready === true);
      t.match(await askService(service, { input: "hello" }), {
        status: 200,
        json: { native_api: { request_target: { app_server_generation: 2 } } },
      });
      const health = await (await fetch(`${url}/v1/health`)).json();
      t.match(health, { native_runtime: { app_server: { last_rotation: { reason, at: Number } } } });
      const metrics = await (await fetch(`${url}/metrics`)).text();
      t.equal(readMetric(metrics, "codex_native_api_app_server_rotations_total", { reason }), 1);
      t.match(await log.logged("app_server.over_bound"), { reason, level: 40, pid: Number });
      t.match(await log.logged("app_server.rotating"), { reason });
    },
  );
}

t.test(
  "app-servers that all go bad are replaced three times, then named; turns go on, and nothing is left",
  linux,
  async (t) => {
    const { service, stateDir, log } = await startGoneBad(t, bounds.idle_cpu);
    await pollUntil(() => service.health()?.degraded.includes("app_server_idle_cpu") === true);
    t.match(service.health()?.appServer, { generation: 4, rotations: { idle_cpu: 3 } });
    const errors = log.lines.filter(({ event, level }) => event === "app_server.over_bound" && level === 50);
    t.match(errors, [{ reason: "idle_cpu", msg: /replaced 3 times within the hour/ }]);
    t.equal((await askService(service, { input: "hello" })).status, 200);
    t.equal(service.health()?.appServer?.generation, 4);
    await service.destroy();
    t.same(await findProcessesOf(stateDir), []);
  },
);

t.test(
  "an app-server of somebody else's that takes too much is reported, and goes on",
  needs("thread_unload"),
  async (t) => {
    const owner = await createRuntimeHarness(t);
    const foreign = await startForeignAppServer(t, owner.userHome);
    const runtime = new CodexNativeRuntime(
      {
        ...owner.options,
        appServer: foreign.appServer,
        codex: { ...owner.options.codex, maxAppServerRssBytes: 1024 * 1024, idleCpuWindowMs },
      },
      testLogger,
    );
    t.teardown(() => runtime.destroy());
    t.same(await runtime.start(), { ready: true });
    await pollUntil(() => runtime.health({ refresh: true }).degraded.includes("app_server_memory"));
    t.ok((healthOf(runtime).rssBytes ?? 0) > 50_000_000);
    t.match(healthOf(runtime), { generation: 1, lastRotation: null, pid: null });
    owner.backend.setDefaultReply(text("fine"));
    t.match(await runtime.runIsolatedTurn({ items: [userMessage("hello")] }), {
      outcome: { status: "completed" },
    });
    t.equal(foreign.process.exitCode, null);
  },
);

async function areAnyRunning(pids: readonly number[]): Promise<boolean> {
  return (await Promise.all(pids.map(isRunning))).includes(true);
}
