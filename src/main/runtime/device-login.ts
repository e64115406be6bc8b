/** A login by device code on the user's own Codex home, in a thread of its own. */
import { mkdir } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type {
  DeviceCode,
  LoginInput,
  LoginOutcome,
  LoginOutput,
  LoginTask,
} from "../../workers/contract/login-messages.js";
import { loginWorkerFile } from "../worker-files.js";
import { buildChildEnvironment } from "./app-server/child-environment.js";
import { findCodexBinary } from "./app-server/codex-binary.js";
import { prepareCodexHome } from "./app-server/codex-home.js";
import { buildSpawnSpec } from "./app-server/spawn-spec.js";

export interface DeviceLoginOptions {
  /** An absolute path or a command name; null searches PATH and the installed package. */
  readonly bin: string | null;
  /** The user's CODEX_HOME; made if it is not there. */
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
/** After a cancel: the call of it, and the steps in which the app-server is stopped. */
const cancelGraceMs = 3_000 + 4 * stopStepMs;

/** Where Codex sends the user, for those with a login server of their own. */
const issuerVariables = ["CODEX_APP_SERVER_LOGIN_ISSUER", "CODEX_APP_SERVER_LOGIN_CLIENT_ID"];

/** Rejects with `native_runtime_unavailable` when there is no Codex to run; everything later is an outcome. */
export async function loginByDeviceCode(options: DeviceLoginOptions): Promise<LoginOutcome> {
  const { signal } = options;
  const task = await makeTask(options).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (task === null || signal.aborted) return { status: "cancelled" };
  const worker = new Worker(loginWorkerFile, {
    workerData: task,
    // As for the other threads: nothing of the host's loaders or environment.
    execArgv: [],
    env: {},
  });
  const cancel = (): void => worker.postMessage({ type: "cancel" } satisfies LoginInput);
  try {
    return await new Promise<LoginOutcome>((resolve) => {
      let graceTimer: NodeJS.Timeout | undefined;
      const settle = (outcome: LoginOutcome): void => {
        clearTimeout(graceTimer);
        signal.removeEventListener("abort", onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        cancel();
        graceTimer = setTimeout(() => settle({ status: "cancelled" }), cancelGraceMs);
      };
      worker.on("message", (message: LoginOutput) => {
        if (message.type === "code") options.onCode(message.code);
        else settle(message.outcome);
      });
      worker.on("error", () =>
        settle({ status: "failed", message: "The login failed in an unforeseen way." }),
      );
      worker.on("exit", () => settle({ status: "failed", message: "The login ended in an unforeseen way." }));
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
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
