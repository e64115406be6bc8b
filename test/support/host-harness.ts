/** What a host program needs to embed the service: a login of its own, settings, and an environment. */
import { join } from "node:path";
import type { Test } from "tap";
import {
  type CodexNativeApiConfig,
  CodexNativeApiService,
  type CodexNativeApiServiceOptions,
  type CodexNativeApiSettings,
  createConfig,
} from "../../src/main/index.js";
import { testCodexBin } from "./codex-version.js";
import { createChatGptLogin, type LoginOptions, OfflineBackend } from "./offline-backend/index.js";
import { makeTemporaryDirectory, refuseLeftovers, testLogger } from "./runtime-harness.js";

export interface HostHarness {
  readonly root: string;
  readonly backend: OfflineBackend;
  /** The user's CODEX_HOME. */
  readonly userHome: string;
  /** One worker on a free port, with state and login of this harness. */
  readonly settings: CodexNativeApiSettings;
  readonly environment: Readonly<Record<string, string>>;
}

/** Nothing is started but the backend. */
export async function prepareHost(
  t: Pick<Test, "teardown">,
  login: Partial<LoginOptions> = {},
): Promise<HostHarness> {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  const userHome = join(root, "codex");
  await createChatGptLogin({ home: userHome, backend, ...login });
  const codex = { userHome, stateDir: join(root, "state"), bin: testCodexBin ?? undefined };
  return {
    root,
    backend,
    userHome,
    settings: { listen: { port: 0 }, workers: 1, shutdownGraceMs: 2_000, codex },
    environment: { ...backend.environment(), HOME: root, PATH: "/usr/bin:/bin" },
  };
}

/** A service as a host makes it, not started; it is destroyed with the test. */
export function embedService(
  t: Pick<Test, "teardown">,
  host: HostHarness,
  settings: CodexNativeApiSettings = {},
  options: Partial<CodexNativeApiServiceOptions> = {},
): CodexNativeApiService {
  const config = configOf({ ...host.settings, ...settings });
  const { environment } = host;
  const service = new CodexNativeApiService({ config, environment, logger: testLogger, ...options });
  t.teardown(() => service.destroy());
  return service;
}

function configOf(settings: CodexNativeApiSettings): CodexNativeApiConfig {
  const created = createConfig(settings);
  if (!created.ok) throw new Error(JSON.stringify(created.faults));
  return created.config;
}

/** One request to `/v1/responses` of a running service. */
export async function askService(
  { baseUrl }: CodexNativeApiService,
  body: object,
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const answer = await fetch(`${baseUrl}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
}
