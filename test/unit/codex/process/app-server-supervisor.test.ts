import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { openStateDirectory } from "../../../../src/main/codex/home/state-directory.js";
import type {
  DownAppServer,
  RetiredAppServer,
} from "../../../../src/main/codex/process/app-server-source.js";
import {
  AppServerSupervisor,
  type AppServerSupervisorOptions,
  type ReadyProcess,
} from "../../../../src/main/codex/process/app-server-supervisor.js";
import { PidLedger } from "../../../../src/main/codex/process/pid-ledger.js";
import { readProcessIdentity } from "../../../../src/main/codex/process/process-identity.js";
import type { SpawnSpec } from "../../../../src/workers/contract/endpoint.js";
import { killDeathWatch } from "../../../support/processes.js";
import { makeDirectory, type Script, scriptedSpawn, type WithTeardown, waitUntil } from "../fixtures.js";

interface Setting {
  readonly supervisor: AppServerSupervisor;
  readonly ready: ReadyProcess[];
  readonly down: DownAppServer[];
  readonly retired: RetiredAppServer[];
  readonly faults: string[];
  readonly ledger: string;
  /** Sets the script of the next generation. */
  play: (script: Script) => void;
  /** Moves the monotonic clock forward. */
  advance: (ms: number) => void;
}

async function setUp(
  t: WithTeardown,
  options: Partial<AppServerSupervisorOptions> & { readonly maxRestarts?: number } = {},
): Promise<Setting> {
  const directory = await makeDirectory(t);
  const ledger = await makeDirectory(t);
  let script: Script = "listen";
  let skewMs = 0;
  const ready: ReadyProcess[] = [];
  const down: DownAppServer[] = [];
  const retired: RetiredAppServer[] = [];
  const faults: string[] = [];
  const supervisor = new AppServerSupervisor({
    prepare: async () => scriptedSpawn(script, { stopStepMs: 500 }),
    socketPath: (generation) => join(directory, `g${generation}.sock`),
    ledger: new PidLedger({ directory: ledger, stopStepMs: 1_000 }),
    restart: {
      maxRestarts: options.maxRestarts ?? 5,
      windowMs: 60_000,
      baseDelayMs: 10,
      maxDelayMs: 20,
      now: () => performance.now() + skewMs,
      random: () => 0,
    },
    startTimeoutMs: 20_000,
    onReady: (server) => ready.push(server),
    onDown: (server) => down.push(server),
    onRetired: (server) => retired.push(server),
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  t.teardown(() => supervisor.destroy());
  return {
    supervisor,
    ready,
    down,
    retired,
    faults,
    ledger,
    play: (next) => {
      script = next;
    },
    advance: (ms) => {
      skewMs += ms;
    },
  };
}

function isAlive(pid: number): Promise<boolean> {
  return readProcessIdentity(pid).then((identity) => identity !== null);
}

function kill(server: ReadyProcess | undefined): void {
  if (server === undefined) throw new Error("no such generation");
  process.kill(server.pid, "SIGKILL");
}

t.test("it starts one generation and stops it", async (t) => {
  const { supervisor, ready, down, ledger } = await setUp(t);
  t.equal(supervisor.state, "idle");
  const starting = supervisor.start();
  t.equal(supervisor.state, "starting");
  await Promise.all([starting, supervisor.start()]);
  t.match(ready, [{ generation: 1, endpoint: { kind: "unix", socketPath: /g1\.sock$/ } }]);
  t.match(
    { state: supervisor.state, ...supervisor.health() },
    { state: "ready", generation: 1, pid: ready[0]?.pid, restarts: 0 },
  );
  await Promise.all([supervisor.close(), supervisor.close()]);
  t.match(
    { state: supervisor.state, ...supervisor.health() },
    { state: "closed", pid: null, uptimeMs: null },
  );
  t.match(down, [{ generation: 1, retryInMs: null }]);
  t.notOk(await isAlive(ready[0]?.pid ?? 0));
  t.same(await readdir(ledger), []);
});

t.test("after a process is killed, a new generation starts on a new socket", async (t) => {
  const { supervisor, ready, down } = await setUp(t);
  await supervisor.start();
  kill(ready[0]);
  await waitUntil(() => ready.length === 2);
  t.match(down, [{ generation: 1, reason: "The Codex app-server was ended by SIGKILL.", exhausted: false }]);
  t.equal(ready[1]?.generation, 2);
  t.not(ready[1]?.endpoint.socketPath, ready[0]?.endpoint.socketPath);
  t.match(
    { state: supervisor.state, ...supervisor.health() },
    { state: "ready", generation: 2, restarts: 1 },
  );
  await waitUntil(() =>
    lstat(ready[0]?.endpoint.socketPath ?? "").then(
      () => false,
      () => true,
    ),
  );
});

t.test("its uptime is known without waiting", async (t) => {
  const { supervisor, advance } = await setUp(t);
  await supervisor.start();
  advance(5_000);
  t.ok((supervisor.health().uptimeMs ?? 0) >= 5_000);
});

t.test("if the first generation fails, start rejects and the next one starts", async (t) => {
  const { supervisor, ready, down, play } = await setUp(t);
  play("die");
  const starting = supervisor.start();
  await t.rejects(starting, { code: "native_runtime_unavailable" });
  t.match(down, [{ generation: 1, reason: /ended while it started/, stderrTail: "no such luck" }]);
  play("listen");
  await waitUntil(() => ready.length === 1);
});

t.test("a failed preparation is a failed start, and its cause is reported", async (t) => {
  let attempts = 0;
  const { supervisor, ready, down } = await setUp(t, {
    prepare: async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("a path of this machine");
      return scriptedSpawn("listen");
    },
  });
  await t.rejects(supervisor.start());
  t.equal(down[0]?.reason, "The Codex app-server could not be started.");
  await waitUntil(() => ready.length === 1);
});

t.test("the preparation gets the stderr of the failed generation before it", async (t) => {
  const told: (string | null)[] = [];
  const { supervisor, ready } = await setUp(t, {
    prepare: async (generation, previousFailure) => {
      told.push(previousFailure);
      return scriptedSpawn(generation === 1 ? "die" : "listen");
    },
  });
  await t.rejects(supervisor.start());
  await waitUntil(() => ready.length === 1);
  kill(ready[0]);
  await waitUntil(() => ready.length === 2);
  t.same(told, [null, "no such luck", null]);
});

t.test("used-up restarts are reported", async (t) => {
  const { supervisor, ready, down, play } = await setUp(t, { maxRestarts: 2 });
  play("die");
  await t.rejects(supervisor.start());
  await waitUntil(() => down.some(({ exhausted }) => exhausted));
  t.match({ state: supervisor.state, ...supervisor.health() }, { state: "backing_off" });
  t.ok((down.at(-1)?.retryInMs ?? 0) > 30_000);
  t.equal(down.length, 3);
  t.equal(ready.length, 0);
});

t.test("a window with room again starts the next generation", async (t) => {
  const directory = await makeDirectory(t);
  const ready: ReadyProcess[] = [];
  const down: DownAppServer[] = [];
  let script: Script = "die";
  // The clock stands still until the restarts are used up, however long a busy machine takes.
  const begunAtMs = performance.now();
  const supervisor = new AppServerSupervisor({
    prepare: async () => scriptedSpawn(script),
    socketPath: (generation) => join(directory, `g${generation}.sock`),
    ledger: new PidLedger({ directory, stopStepMs: 1_000 }),
    restart: {
      maxRestarts: 2,
      windowMs: 1_500,
      baseDelayMs: 1,
      maxDelayMs: 1,
      now: () => (script === "die" ? begunAtMs : performance.now()),
      random: () => 0,
    },
    startTimeoutMs: 20_000,
    onReady: (server) => ready.push(server),
    onDown: (server) => {
      down.push(server);
      if (server.exhausted) script = "listen";
    },
    onRetired: () => undefined,
    onFault: (fault) => t.fail(fault),
  });
  t.teardown(() => supervisor.destroy());
  await t.rejects(supervisor.start());
  await waitUntil(() => ready.length === 1);
  t.ok(down.some(({ exhausted, retryInMs }) => exhausted && (retryInMs ?? 0) > 100));
});

t.test("closing during the wait before a restart ends the wait; nothing starts afterwards", async (t) => {
  const { supervisor, ready, play, advance } = await setUp(t, { maxRestarts: 0 });
  play("die");
  await t.rejects(supervisor.start());
  t.equal(supervisor.state, "backing_off");
  play("listen");
  await supervisor.close();
  advance(120_000);
  t.match({ state: supervisor.state, ...supervisor.health() }, { state: "closed" });
  t.equal(ready.length, 0);
});

t.test("closing while a generation starts ends it", async (t) => {
  const { supervisor, ready, ledger, play } = await setUp(t);
  play("silent");
  const starting = supervisor.start();
  const failed = t.rejects(starting, { message: "The service is closing." });
  await waitUntil(async () => (await readdir(ledger)).some((name) => name.endsWith(".json")));
  await supervisor.close();
  await failed;
  t.same(await readdir(ledger), []);
  t.equal(ready.length, 0);
});

t.test("closing during a preparation waits for it and spawns nothing", async (t) => {
  let finish: (spec: SpawnSpec) => void = () => undefined;
  const { supervisor, ledger } = await setUp(t, {
    prepare: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  });
  const failed = t.rejects(supervisor.start());
  const closing = supervisor.close();
  t.equal(supervisor.state, "closing");
  finish(scriptedSpawn("listen"));
  await closing;
  await failed;
  t.same(await readdir(ledger), []);
});

t.test("after close, start, restart and rotate reject", async (t) => {
  const { supervisor } = await setUp(t);
  await supervisor.close();
  await t.rejects(supervisor.start(), { code: "native_runtime_unavailable" });
  await t.rejects(supervisor.restart("x"), { code: "native_runtime_unavailable" });
  await t.rejects(supervisor.rotate("x", 1), { code: "native_runtime_unavailable" });
});

t.test("a restart kills a hung process and starts the next", async (t) => {
  const { supervisor, ready, down, play } = await setUp(t);
  play("deaf");
  await supervisor.start();
  play("listen");
  await Promise.all([supervisor.restart("it hangs"), supervisor.restart("it hangs")]);
  t.equal(ready.length, 2, "concurrent calls cause one restart");
  t.match(down, [{ generation: 1, reason: "it hangs", retryInMs: 0, isPlanned: false }]);
  t.notOk(await isAlive(ready[0]?.pid ?? 0));
});

t.test("a planned restart is reported as planned, and what dies later is not", async (t) => {
  const { supervisor, ready, down } = await setUp(t);
  await supervisor.start();
  await supervisor.restart("asked for", true);
  t.match(down, [{ generation: 1, reason: "asked for", isPlanned: true }]);
  kill(ready[1]);
  await waitUntil(() => down.length === 2);
  t.match(down[1], { generation: 2, isPlanned: false });
});

t.test("requested restarts are limited like others", async (t) => {
  const { supervisor, down } = await setUp(t, { maxRestarts: 1 });
  await supervisor.start();
  await supervisor.restart("once");
  const refused = t.rejects(supervisor.restart("twice"), { message: "The service is closing." });
  t.match(down.at(-1), { reason: "twice", exhausted: true });
  await supervisor.close();
  await refused;
});

t.test(
  "a rotation starts the next generation beside the current one, which runs until released",
  async (t) => {
    const { supervisor, ready, down, retired } = await setUp(t);
    await supervisor.start();
    await supervisor.rotate("another account", 60_000);
    t.match({ state: supervisor.state, ...supervisor.health() }, { state: "ready", generation: 2 });
    t.ok(await isAlive(ready[0]?.pid ?? 0));
    t.same(down, []);
    await supervisor.release(1);
    t.same(retired, [{ generation: 1, reason: "another account" }]);
    t.notOk(await isAlive(ready[0]?.pid ?? 0));
    await supervisor.release(1);
    await supervisor.release(2);
    t.ok(await isAlive(ready[1]?.pid ?? 0), "only a retiring generation can be released");
  },
);

t.test("a retiring generation that is not released ends when its time is up", async (t) => {
  const { supervisor, ready, retired } = await setUp(t);
  await supervisor.start();
  await supervisor.rotate("memory", 50);
  await waitUntil(() => retired.length === 1);
  t.notOk(await isAlive(ready[0]?.pid ?? 0));
});

t.test("a retiring generation that dies is not restarted", async (t) => {
  const { supervisor, ready, down, retired } = await setUp(t);
  await supervisor.start();
  await supervisor.rotate("memory", 60_000);
  kill(ready[0]);
  await waitUntil(() => retired.length === 1);
  t.same(down, []);
  t.equal(ready.length, 2);
});

t.test("a failed rotation leaves the current generation in place", async (t) => {
  const { supervisor, ready, down, play } = await setUp(t);
  await supervisor.start();
  play("die");
  await t.rejects(supervisor.rotate("x", 60_000), { code: "native_runtime_unavailable" });
  t.match(
    { state: supervisor.state, ...supervisor.health() },
    { state: "ready", generation: 1, pid: ready[0]?.pid },
  );
  t.same(down, []);
});

t.test(
  "if the current generation dies during a rotation, only the generation that is already starting follows",
  async (t) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { supervisor, ready, down } = await setUp(t, {
      prepare: async (generation) => {
        if (generation === 2) await held;
        return scriptedSpawn("listen");
      },
    });
    await supervisor.start();
    const rotating = supervisor.rotate("x", 60_000);
    kill(ready[0]);
    await waitUntil(() => down.length === 1);
    release();
    await rotating;
    t.same(
      ready.map(({ generation }) => generation),
      [1, 2],
    );
  },
);

t.test("closing ends retiring generations too", async (t) => {
  const { supervisor, ready, retired } = await setUp(t);
  await supervisor.start();
  await supervisor.rotate("x", 60_000);
  await supervisor.close();
  t.equal(retired.length, 1);
  for (const { pid } of ready) t.notOk(await isAlive(pid));
});

t.test("destroy does not wait for a process that ignores SIGTERM", async (t) => {
  const { supervisor, ready, play } = await setUp(t);
  play("deaf");
  await supervisor.start();
  const closing = supervisor.close();
  await supervisor.destroy();
  t.notOk(await isAlive(ready[0]?.pid ?? 0));
  await closing;
});

t.test("a callback that throws does not stop the supervision", async (t) => {
  const { supervisor, faults } = await setUp(t, {
    onReady: () => {
      throw new Error("a bug of somebody's");
    },
  });
  await supervisor.start();
  t.same(faults, ["app_server.on_ready_threw"]);
  t.equal(supervisor.state, "ready");
});

async function startDoomedSupervisor(
  t: WithTeardown,
  stateDir: string,
): Promise<{ supervisor: ChildProcess; appServerPid: number }> {
  const script = fileURLToPath(new URL("../../../support/app-server-supervisor-child.js", import.meta.url));
  const { command, args, env } = scriptedSpawn("deaf");
  const supervisor = spawn(process.execPath, [script, stateDir, JSON.stringify({ command, args, env })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(async () => {
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
    supervisor.kill("SIGKILL");
    await once(supervisor, "exit");
  });
  const [line] = await once(supervisor.stdout, "data");
  const { pid } = JSON.parse(String(line));
  return { supervisor, appServerPid: Number(pid) };
}

t.test(
  "the next start ends the orphans of a killed supervisor and watch, but no process of a live supervisor",
  async (t) => {
    const stateDir = join(await makeDirectory(t), "state");
    const { supervisor, appServerPid } = await startDoomedSupervisor(t, stateDir);
    const options = { path: stateDir, stopStepMs: 500, wallClock: Date.now };
    const beside = await openStateDirectory(options);
    t.teardown(() => beside.close());
    t.match(beside.notices, [{ event: "shared_with_another", pid: supervisor.pid }]);
    t.ok(await isAlive(appServerPid), "a second service leaves the first one's process alone");
    await killDeathWatch(stateDir, appServerPid);
    supervisor.kill("SIGKILL");
    await once(supervisor, "exit");
    t.ok(await isAlive(appServerPid), "it outlives its supervisor");
    const next = await openStateDirectory(options);
    t.teardown(() => next.close());
    t.match(next.notices, [{ event: "orphan_reaped", pid: appServerPid, outcome: "killed" }]);
    t.notOk(await isAlive(appServerPid));
  },
);
