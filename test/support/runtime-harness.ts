import { join } from "node:path";
import { pino } from "pino";
import type { Test } from "tap";
import { CodexNativeRuntime } from "../../src/main/runtime/runtime.js";
import type { CodexNativeRuntimeOptions } from "../../src/main/runtime/runtime-options.js";
import { testCodexBin } from "./codex-version.js";
import {
  createChatGptLogin,
  createProviderHome,
  OfflineBackend,
  type OfflineBackendOptions,
} from "./offline-backend/index.js";
import { findProcessesOf } from "./processes.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface RuntimeHarnessOptions {
  /** `chatgpt`: a ChatGPT login. `provider`: a custom provider without one. */
  readonly login?: "chatgpt" | "provider";
  readonly backend?: OfflineBackendOptions;
  readonly runtime?: Partial<Omit<CodexNativeRuntimeOptions, "turns" | "admission" | "codex">> & {
    readonly turns?: Partial<CodexNativeRuntimeOptions["turns"]>;
    readonly admission?: Partial<CodexNativeRuntimeOptions["admission"]>;
    readonly codex?: Partial<CodexNativeRuntimeOptions["codex"]>;
  };
}

export interface RuntimeHarness {
  readonly backend: OfflineBackend;
  readonly runtime: CodexNativeRuntime;
  /** The user's CODEX_HOME. */
  readonly userHome: string;
  readonly stateDir: string;
  readonly options: CodexNativeRuntimeOptions;
}

type Teardown = Pick<Test, "teardown">;

/** Log level of the code under test: silent unless a test is being looked into. */
export const testLogger = pino({ level: process.env.TEST_LOG_LEVEL ?? "silent" }, pino.destination(2));

export { makeTemporaryDirectory };

/** A backend, a Codex login that points at it, and a runtime on the real app-server, not started. */
export async function createRuntimeHarness(
  t: Teardown,
  harness: RuntimeHarnessOptions = {},
): Promise<RuntimeHarness> {
  const root = await makeTemporaryDirectory(t);
  const userHome = join(root, "codex");
  const stateDir = join(root, "state");
  const backend = await OfflineBackend.start(harness.backend);
  t.teardown(() => backend.close());
  if (harness.login === "chatgpt") await createChatGptLogin({ home: userHome, backend });
  else await createProviderHome({ home: userHome, backend });
  const { turns, admission, codex, ...rest } = harness.runtime ?? {};
  const options: CodexNativeRuntimeOptions = {
    codex: {
      bin: testCodexBin,
      homeMode: "isolated",
      userHome,
      stateDir,
      config: {},
      // Nothing of the machine's PATH takes part.
      environment: { ...backend.environment(), HOME: root, PATH: "/usr/bin:/bin" },
      ...codex,
    },
    appServer: { kind: "shared" },
    turns: { profile: "lean", defaultModel: null, idleTimeoutMs: 30_000, timeoutMs: 60_000, ...turns },
    workers: 2,
    admission: {
      maxConcurrentTurns: 1000,
      startGate: 8,
      maxQueue: 2000,
      queueTimeoutMs: 30_000,
      ...admission,
    },
    shutdownGraceMs: 2_000,
    version: "0.0.0-test",
    ...rest,
  };
  const runtime = new CodexNativeRuntime(options, testLogger);
  t.teardown(async () => {
    await runtime.destroy();
    await refuseLeftovers(root);
  });
  return { backend, runtime, userHome, stateDir, options };
}

/** Fails the test whose processes outlive it. */
export async function refuseLeftovers(directory: string): Promise<void> {
  const left = await findProcessesOf(directory);
  if (left.length > 0) throw new Error(`processes left behind: ${left.join(", ")}`);
}

export function userMessage(text: string) {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] } as const;
}
