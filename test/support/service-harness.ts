import { join } from "node:path";
import OpenAI from "openai";
import type { Logger } from "pino";
import type { Test } from "tap";
import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import { CodexNativeApiService } from "../../src/main/service.js";
import type { BadNetwork } from "./bad-network.js";
import { testCodexBin } from "./codex-version.js";
import {
  createApiKeyLogin,
  createChatGptLogin,
  createProviderHome,
  OfflineBackend,
  type OfflineBackendOptions,
  type ProviderTuning,
} from "./offline-backend/index.js";
import { makeTemporaryDirectory, refuseLeftovers, testLogger } from "./runtime-harness.js";

export interface ServiceHarnessOptions {
  /**
   * `chatgpt` (default): a ChatGPT login. `api-key`: a key, and the built-in provider. `provider`: a custom provider without a
   * login. `none`: nobody is logged in.
   */
  readonly login?: "chatgpt" | "api-key" | "provider" | "none";
  /** Codex's own retries and WebSockets; by default as Codex has them with a login, and off for `provider`. */
  readonly provider?: ProviderTuning;
  readonly backend?: OfflineBackendOptions;
  /** Of the ChatGPT account. Default: a person's for a bare account, an organisation's for a full one. */
  readonly planType?: string;
  /** Negative: the ChatGPT login has expired. */
  readonly accessTokenExpiresInSeconds?: number;
  /** Flags as `serve` takes them. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Between Codex and the model's routes. Default: none. */
  readonly network?: BadNetwork;
  /** Default: the tests' own, which is silent. */
  readonly logger?: Logger;
}

/** The ways from Codex to its backend: real logins have the first. */
export const transports: Readonly<Record<"websocket" | "sse", ServiceHarnessOptions>> = {
  websocket: { login: "chatgpt" },
  sse: { login: "provider" },
};

export interface ServiceHarness {
  readonly backend: OfflineBackend;
  readonly service: CodexNativeApiService;
  readonly url: string;
  /** The user's CODEX_HOME. */
  readonly userHome: string;
  readonly stateDir: string;
  /** An official client of the service's, without retries. */
  readonly client: OpenAI;
  /** Resolves when the service says that it is ready. */
  untilReady(): Promise<void>;
}

/** The whole service on a free port, with a real app-server and an offline backend behind it. */
export async function startServiceHarness(
  t: Pick<Test, "teardown">,
  harness: ServiceHarnessOptions = {},
): Promise<ServiceHarness> {
  const root = await makeTemporaryDirectory(t);
  const userHome = join(root, "codex");
  const stateDir = join(root, "state");
  const backend = await OfflineBackend.start(harness.backend);
  t.teardown(() => backend.close());
  const { provider: tuning } = harness;
  if (harness.login === "provider") await createProviderHome({ home: userHome, backend, ...tuning });
  else if (harness.login === "api-key") await createApiKeyLogin({ home: userHome, backend });
  else if (harness.login !== "none") {
    await createChatGptLogin({
      home: userHome,
      backend,
      ...(tuning === undefined ? {} : { provider: tuning }),
      ...(harness.planType !== undefined && { planType: harness.planType }),
      ...(harness.accessTokenExpiresInSeconds !== undefined && {
        accessTokenExpiresInSeconds: harness.accessTokenExpiresInSeconds,
      }),
    });
  }
  const environment = {
    ...backend.environment(),
    HOME: root,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: userHome,
    CODEX_NATIVE_API_STATE_DIR: stateDir,
    CODEX_NATIVE_API_PORT: "0",
    ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
    ...harness.env,
  };
  const { network, argv = [] } = harness;
  network?.leadTo(backend.origin);
  const through = network === undefined ? [] : leadThrough(network, harness);
  const loaded = loadConfig({ argv: [...through, ...argv], env: environment, machine: readMachine() });
  if (!loaded.ok) throw new Error(`bad test configuration: ${JSON.stringify(loaded.faults)}`);
  const logger = harness.logger ?? testLogger;
  const service = new CodexNativeApiService({ config: loaded.config, logger, environment });
  t.teardown(async () => {
    await service.destroy();
    await refuseLeftovers(root);
  });
  const { url } = await service.start();
  if (url === null) throw new Error("the service is disabled");
  const token = loaded.config.auth.token ?? "unused";
  return {
    backend,
    service,
    url,
    userHome,
    stateDir,
    client: new OpenAI({ apiKey: token, baseURL: `${url}/v1`, maxRetries: 0 }),
    untilReady: async () => {
      // Asking all the time would take a processor from what is awaited.
      await service.untilSettled();
      await pollUntil(async () => (await fetch(`${url}/readyz`)).status === 200);
    },
  };
}

function leadThrough({ origin }: BadNetwork, { login, provider }: ServiceHarnessOptions): readonly string[] {
  const hasProvider = login === "provider" || provider !== undefined;
  const key = hasProvider ? "model_providers.offline.base_url" : "openai_base_url";
  return ["--codex-config", `${key}="${origin}/v1"`];
}

/**
 * Asks until the answer is yes; fails after the deadline, which a machine with other work does not reach. For states of other
 * processes, which send no event.
 */
export async function pollUntil(isSo: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
