/** The real Codex under the real supervision, without worker threads: for tests of the app-server process itself. */
import { join } from "node:path";
import { WebSocket } from "ws";
import { buildChildEnvironment } from "../../src/main/codex/binary/child-environment.js";
import { type CodexBinary, findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { buildSpawnSpec } from "../../src/main/codex/binary/spawn-spec.js";
import { type ModelCatalogResult, renderModelCatalog } from "../../src/main/codex/catalog/model-catalog.js";
import {
  type PrepareCodexHomeOptions,
  type PreparedCodexHome,
  prepareCodexHome,
} from "../../src/main/codex/home/codex-home.js";
import { keepLogDatabaseSmall } from "../../src/main/codex/home/log-database.js";
import { type InstanceDirectory, openStateDirectory } from "../../src/main/codex/home/state-directory.js";
import type { DownAppServer } from "../../src/main/codex/process/app-server-source.js";
import {
  AppServerSupervisor,
  type ReadyProcess,
} from "../../src/main/codex/process/app-server-supervisor.js";
import { PidLedger } from "../../src/main/codex/process/pid-ledger.js";
import type { SpawnSpec } from "../../src/workers/contract/endpoint.js";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { testCodexBin } from "./codex-version.js";
import { OfflineBackend, type OfflineBackendOptions } from "./offline-backend/index.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

export interface RealCodexOptions {
  readonly backend?: OfflineBackendOptions;
  readonly mode?: PrepareCodexHomeOptions["mode"];
  readonly codexConfig?: Readonly<Record<string, string>>;
  readonly parentEnv?: Readonly<Record<string, string>>;
  /** Default: one in the test's own directory. */
  readonly stateDir?: string;
  readonly stopStepMs?: number;
}

export interface RealCodex {
  readonly root: string;
  readonly backend: OfflineBackend;
  readonly userHome: string;
  readonly stateDir: string;
  readonly binary: CodexBinary;
}

export interface RunningCodex {
  readonly supervisor: AppServerSupervisor;
  readonly instance: InstanceDirectory;
  readonly ready: ReadyProcess[];
  readonly down: DownAppServer[];
  /** As prepared for the latest generation. */
  readonly home: () => PreparedCodexHome;
  readonly catalog: () => ModelCatalogResult;
  readonly call: (method: string, params?: JsonObject) => Promise<JsonObject>;
}

/** A backend, an empty user's home and the installed package's binary. */
export async function setUpRealCodex(t: WithTeardown, options: RealCodexOptions = {}): Promise<RealCodex> {
  const root = await makeTemporaryDirectory(t);
  const backend = await OfflineBackend.start(options.backend);
  t.teardown(() => backend.close());
  const binary = await findCodexBinary({ configured: testCodexBin, env: { PATH: "" }, timeoutMs: 20_000 });
  return {
    root,
    backend,
    binary,
    userHome: join(root, "user"),
    stateDir: options.stateDir ?? join(root, "state"),
  };
}

/** A supervisor of one service, as the runtime puts it together; not started. */
export async function superviseRealCodex(
  t: WithTeardown,
  codex: RealCodex,
  options: RealCodexOptions = {},
): Promise<RunningCodex> {
  const stopStepMs = options.stopStepMs ?? 3_000;
  const instance = await openStateDirectory({ path: codex.stateDir, stopStepMs, wallClock: Date.now });
  const ledger = new PidLedger({ directory: instance.ledger, stopStepMs });
  let home: PreparedCodexHome | null = null;
  let catalog: ModelCatalogResult | null = null;
  const ready: ReadyProcess[] = [];
  const down: DownAppServer[] = [];
  const prepare = async (previousFailure: string | null): Promise<SpawnSpec> => {
    home = await prepareCodexHome({
      mode: options.mode ?? "isolated",
      userCodexHome: codex.userHome,
      ownCodexHome: instance.codexHome,
      codexConfig: options.codexConfig ?? {},
    });
    if (home.mode === "isolated")
      await keepLogDatabaseSmall({
        codexHome: home.path,
        codexVersion: codex.binary.version,
        previousFailure,
      });
    const env = buildChildEnvironment({
      parentEnv: {
        PATH: "/usr/bin:/bin",
        HOME: codex.root,
        ...codex.backend.environment(),
        ...options.parentEnv,
      },
      codexHome: home.path,
      homeMode: home.mode,
      providerKeys: home.environmentKeys,
      rustLog: null,
    });
    const { configArgs } = home;
    catalog = await renderModelCatalog({
      binary: codex.binary,
      env,
      configArgs,
      cwd: instance.work,
      codexHome: home.path,
      login: null,
      directory: instance.catalogs,
      cacheMaxAgeMs: 60_000,
      profile: "lean",
      wallClock: Date.now,
      timeoutMs: 20_000,
    });
    const modelCatalogPath = catalog.status === "rendered" ? catalog.path : null;
    return buildSpawnSpec({
      binary: codex.binary,
      configArgs,
      cwd: instance.work,
      env,
      modelCatalogPath,
      stopStepMs,
    });
  };
  const supervisor = new AppServerSupervisor({
    prepare: (_generation, previousFailure) => prepare(previousFailure),
    socketPath: (generation) => instance.socketPath(generation),
    ledger,
    restart: {
      maxRestarts: 5,
      windowMs: 60_000,
      baseDelayMs: 10,
      maxDelayMs: 100,
      now: () => performance.now(),
      random: Math.random,
    },
    startTimeoutMs: 20_000,
    onReady: (server) => ready.push(server),
    onDown: (server) => down.push(server),
    onRetired: () => undefined,
    onFault: (fault, cause) => {
      throw new Error(fault, { cause });
    },
  });
  t.teardown(async () => {
    await supervisor.destroy();
    await instance.close();
  });
  return {
    supervisor,
    instance,
    ready,
    down,
    home: () => present(home),
    catalog: () => present(catalog),
    call: (method, params) =>
      callAppServer(present(ready.at(-1) ?? null).endpoint.socketPath, method, params),
  };
}

/** One call on a connection of its own. */
export async function callAppServer(
  socketPath: string,
  method: string,
  params: JsonObject = {},
): Promise<JsonObject> {
  const connection = await connectAppServer(socketPath);
  try {
    return await connection.call(method, params);
  } finally {
    connection.close();
  }
}

export interface AppServerDriver {
  call(method: string, params?: JsonObject): Promise<JsonObject>;
  /** The next notification of this method. */
  waitFor(method: string): Promise<JsonObject>;
  close(): void;
}

export async function connectAppServer(socketPath: string): Promise<AppServerDriver> {
  const socket = new WebSocket(`ws+unix://${socketPath}:/`, { perMessageDeflate: false });
  const pending = new Map<number, (message: JsonObject) => void>();
  const awaited = new Map<string, (message: JsonObject) => void>();
  let lastId = 0;
  socket.on("message", (data) => {
    const message: unknown = JSON.parse(String(data));
    if (!isJsonObject(message)) return;
    if (typeof message.id === "number") pending.get(message.id)?.(message);
    else if (typeof message.method === "string") awaited.get(message.method)?.(message);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const call = async (method: string, params: JsonObject = {}): Promise<JsonObject> => {
    lastId += 1;
    const id = lastId;
    const answer = new Promise<JsonObject>((resolve) => pending.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const message = await answer;
    if (!isJsonObject(message.result)) throw new Error(`${method}: ${JSON.stringify(message.error)}`);
    return message.result;
  };
  const clientInfo = { name: "app-server-process-test", title: null, version: "0" };
  await call("initialize", { clientInfo, capabilities: { experimentalApi: true } });
  socket.send(JSON.stringify({ method: "initialized" }));
  const waitFor = (method: string): Promise<JsonObject> =>
    new Promise((resolve) => awaited.set(method, resolve));
  return { call, waitFor, close: () => socket.terminate() };
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error("not yet");
  return value;
}
