/**
 * A supervisor in a process of its own, to be killed by tests: `node app-server-supervisor-child.js STATE_DIR SPAWN_JSON`.
 * Prints one line of JSON when its app-server is ready.
 */

import { openStateDirectory } from "../../src/main/codex/home/state-directory.js";
import { AppServerSupervisor } from "../../src/main/codex/process/app-server-supervisor.js";
import { PidLedger } from "../../src/main/codex/process/pid-ledger.js";
import type { SpawnSpec } from "../../src/workers/contract/endpoint.js";

const [stateDir, spawnJson] = process.argv.slice(2);
if (stateDir === undefined || spawnJson === undefined) throw new Error("usage: STATE_DIR SPAWN_JSON");
const given: Pick<SpawnSpec, "command" | "args" | "env"> = JSON.parse(spawnJson);

const instance = await openStateDirectory({ path: stateDir, stopStepMs: 2_000, wallClock: Date.now });
const spawn: SpawnSpec = {
  ...given,
  cwd: instance.work,
  env: { ...given.env, CODEX_HOME: instance.codexHome },
  stopStepMs: 2_000,
};
const supervisor = new AppServerSupervisor({
  prepare: async () => spawn,
  socketPath: (generation) => instance.socketPath(generation),
  ledger: new PidLedger({ directory: instance.ledger, stopStepMs: 2_000 }),
  restart: {
    maxRestarts: 3,
    windowMs: 60_000,
    baseDelayMs: 10,
    maxDelayMs: 100,
    now: () => performance.now(),
    random: Math.random,
  },
  startTimeoutMs: 30_000,
  onReady: ({ pid, endpoint }) => {
    process.stdout.write(
      `${JSON.stringify({ pid, socketPath: endpoint.socketPath, instance: instance.path })}\n`,
    );
  },
  onDown: () => undefined,
  onRetired: () => undefined,
  onFault: (fault, cause) => process.stderr.write(`${fault}: ${String(cause)}\n`),
});
await supervisor.start();
