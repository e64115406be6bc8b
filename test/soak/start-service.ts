import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { pino } from "pino";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { loadConfig } from "../../src/main/config/load-config.js";
import { readMachine } from "../../src/main/config/machine.js";
import { CodexNativeApiService } from "../../src/main/service.js";
import { commandEnvironment } from "../support/cli-harness.js";
import { createChatGptLogin, OfflineBackend } from "../support/offline-backend/index.js";

export interface SoakService {
  readonly root: string;
  readonly userHome: string;
  readonly backend: OfflineBackend;
  readonly service: CodexNativeApiService;
  readonly client: OpenAI;
  /** Stops everything and removes its files. */
  close(): Promise<void>;
}

/** The service in this process, ready, over an offline backend that records nothing. */
export async function startSoakService(): Promise<SoakService> {
  const root = await mkdtemp(join(tmpdir(), "cna-soak-"));
  const backend = await OfflineBackend.start({ maxRecorded: 0, unknownRoutes: "any" });
  const environment = commandEnvironment(root, backend);
  const userHome = environment.CODEX_HOME;
  await createChatGptLogin({ home: userHome, backend });
  const loaded = loadConfig({ argv: [], env: environment, machine: readMachine() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const logger = pino({ level: process.env.SOAK_LOG_LEVEL ?? "silent" });
  const service = new CodexNativeApiService({ config: loaded.config, logger, environment });
  const { url } = await service.start();
  while ((await fetch(`${url}/readyz`)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const client = new OpenAI({ apiKey: "unused", baseURL: `${url}/v1`, maxRetries: 0 });
  const close = async () => {
    await service.stop();
    await backend.close();
    await removeTree(root);
  };
  return { root, userHome, backend, service, client, close };
}
