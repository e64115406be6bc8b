import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { testCodexBin } from "../../test/support/codex-version.js";
import type { Resources } from "./resources.js";
import { stopProcess } from "./stop-process.js";

const cliPath = fileURLToPath(new URL("../../../dist/main/cli.js", import.meta.url));
const startTimeoutMs = 60_000;
/** The service lets turns end for ten seconds, and then stops what it started. */
const stopGraceMs = 40_000;
const pollIntervalMs = 5;

export interface ServiceProcessOptions {
  /** Keeps the state directory and the log. */
  readonly directory: string;
  readonly userHome: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
}

/** `codex-native-api serve` as published and as a user runs it: default settings, log to a file. */
export class ServiceProcess {
  readonly url: string;
  readonly execToListeningMs: number;
  readonly execToReadyMs: number;
  readonly #child: ChildProcess;
  readonly #logPath: string;

  private constructor(
    child: ChildProcess,
    logPath: string,
    url: string,
    listeningMs: number,
    readyMs: number,
  ) {
    this.#child = child;
    this.#logPath = logPath;
    this.url = url;
    this.execToListeningMs = listeningMs;
    this.execToReadyMs = readyMs;
  }

  static async start(resources: Resources, options: ServiceProcessOptions): Promise<ServiceProcess> {
    const logPath = join(options.directory, "service.log");
    const log = await open(logPath, "w");
    const startMs = performance.now();
    const child = spawn(process.execPath, [cliPath, "serve", ...(options.argv ?? [])], {
      env: {
        ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
        ...options.environment,
        CODEX_HOME: options.userHome,
        CODEX_NATIVE_API_STATE_DIR: join(options.directory, "state"),
        CODEX_NATIVE_API_PORT: "0",
      },
      stdio: ["ignore", log.fd, log.fd],
    });
    await resources.defer("service", () => stopProcess(child, stopGraceMs));
    await Promise.all([once(child, "spawn"), log.close()]);
    const deadlineMs = startMs + startTimeoutMs;
    const url = await poll(child, deadlineMs, async () => readListeningUrl(await readFile(logPath, "utf8")));
    const listeningMs = performance.now() - startMs;
    await poll(child, deadlineMs, async () => ((await statusOf(`${url}/readyz`)) === 200 ? true : null));
    return new ServiceProcess(child, logPath, url, listeningMs, performance.now() - startMs);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** What `/v1/health` says of the runtime. */
  async readRuntimeHealth(): Promise<JsonObject> {
    const { body } = await request(`${this.url}/v1/health`);
    const health: unknown = await body.json();
    const runtime = isJsonObject(health) ? health.native_runtime : null;
    return isJsonObject(runtime) ? runtime : {};
  }

  /** The lines of its log about this event. */
  async readLog(event: string): Promise<readonly JsonObject[]> {
    const lines = (await readFile(this.#logPath, "utf8")).split("\n");
    return lines
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line): unknown => JSON.parse(line))
      .filter(isJsonObject);
  }

  /** The process that the service runs its turns on. */
  async readAppServerPid(): Promise<number | null> {
    const appServer = (await this.readRuntimeHealth()).app_server;
    return isJsonObject(appServer) && typeof appServer.pid === "number" ? appServer.pid : null;
  }

  /** The model that a request without one gets. */
  async readDefaultModel(): Promise<string> {
    const { body } = await request(`${this.url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "Which model is this?", store: false }),
    });
    const response: unknown = await body.json();
    if (!isJsonObject(response) || typeof response.model !== "string") {
      throw new Error(`the first turn failed: ${JSON.stringify(response).slice(0, 300)}`);
    }
    return response.model;
  }
}

async function poll<T>(child: ChildProcess, deadlineMs: number, ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error("the service ended at its start");
    if (performance.now() > deadlineMs) throw new Error(`the service was not ready in ${startTimeoutMs} ms`);
    await sleep(pollIntervalMs);
  }
}

function readListeningUrl(log: string): string | null {
  return /"event":"service.listening","url":"([^"]+)"/.exec(log)?.[1] ?? null;
}

async function statusOf(url: string): Promise<number> {
  const { statusCode, body } = await request(url);
  await body.dump();
  return statusCode;
}
