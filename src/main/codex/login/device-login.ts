/** Logs in by device code on the user's own Codex home, in a worker of its own. */
import { mkdir } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type {
  AccountInput,
  DeviceCode,
  LoginOutcome,
  LoginOutput,
  LoginTask,
} from "../../../workers/contract/account-messages.js";
import { createDeferred, waitWithin } from "../../../workers/contract/wait.js";
import { bareThread, loginWorkerFile } from "../../worker-files.js";
import { buildChildEnvironment } from "../binary/child-environment.js";
import { findCodexBinary } from "../binary/codex-binary.js";
import { buildSpawnSpec } from "../binary/spawn-spec.js";
import { prepareCodexHome } from "../home/codex-home.js";

export interface DeviceLoginOptions {
  /** An absolute path or a command name; null searches PATH and the installed package. */
  readonly bin: string | null;
  /** The user's CODEX_HOME; created if missing. */
  readonly userHome: string;
  /** Dotted key to TOML value, as `codex -c` takes them. */
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Aborting cancels the login. */
  readonly signal: AbortSignal;
  readonly onCode: (code: DeviceCode) => void;
}

const versionTimeoutMs = 10_000;
const stopStepMs = 2_000;
/**
 * How long to wait after a cancellation: for the cancel request to Codex and for the app-server's stop ladder. In
 * milliseconds.
 */
const cancelGraceMs = 3_000 + 4 * stopStepMs;

/** Variables that name a login server other than OpenAI's. */
const issuerVariables = ["CODEX_APP_SERVER_LOGIN_ISSUER", "CODEX_APP_SERVER_LOGIN_CLIENT_ID"];

/**
 * Runs the login. Rejects with `native_runtime_unavailable` if Codex cannot be found or started; later failures are
 * outcomes.
 */
export async function loginByDeviceCode(options: DeviceLoginOptions): Promise<LoginOutcome> {
  const { signal } = options;
  const task = await makeTask(options).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (task === null || signal.aborted) return { status: "cancelled" };
  const worker = new Worker(loginWorkerFile, { workerData: task, ...bareThread });
  const login = createDeferred<LoginOutcome>();
  const fail = (message: string) => () => login.resolve({ status: "failed", message });
  worker.on("message", (message: LoginOutput) => {
    if (message.type === "code") options.onCode(message.code);
    else login.resolve(message.outcome);
  });
  worker.on("error", fail("The login failed with an unexpected error."));
  worker.on("exit", fail("The login ended unexpectedly."));
  try {
    return await waitWithin(login.promise, { signal }, () => {
      worker.postMessage({ type: "cancel" } satisfies AccountInput);
      const cancelled = { status: "cancelled" } as const;
      return waitWithin(login.promise, { timeoutMs: cancelGraceMs }, () => cancelled);
    });
  } finally {
    await worker.terminate();
  }
}

async function makeTask(options: DeviceLoginOptions): Promise<LoginTask> {
  const { bin, userHome, config, environment, version, signal } = options;
  await mkdir(userHome, { recursive: true, mode: 0o700 });
  const [binary, home] = await Promise.all([
    findCodexBinary({ configured: bin, env: environment, timeoutMs: versionTimeoutMs, signal }),
    prepareCodexHome({ mode: "user", userCodexHome: userHome, ownCodexHome: userHome, codexConfig: config }),
  ]);
  const env = buildChildEnvironment({
    parentEnv: environment,
    codexHome: home.path,
    homeMode: "user",
    providerKeys: [...home.environmentKeys, ...issuerVariables],
    rustLog: null,
  });
  const { configArgs } = home;
  const spawn = buildSpawnSpec({
    binary,
    configArgs,
    cwd: userHome,
    env,
    modelCatalogPath: null,
    stopStepMs,
  });
  return { spawn, clientVersion: version };
}
