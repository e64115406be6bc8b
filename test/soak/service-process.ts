/** The service as a process of its own, over an offline backend, with what it weighs and what it leaves behind. */
import { lstat, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { createDeferred, watchLimits } from "../../src/workers/contract/wait.js";
import { BadNetwork } from "../support/bad-network.js";
import { commandEnvironment, ServeProcess } from "../support/cli-harness.js";
import { createChatGptLogin, createProviderHome, OfflineBackend } from "../support/offline-backend/index.js";
import { findAppServersOf, findProcessesOf } from "../support/processes.js";

export interface Weight {
  readonly memoryBytes: number;
  readonly descriptors: number;
}

/** What it has written and not removed. */
export interface Kept {
  readonly files: number;
  readonly bytes: number;
}

/** On a machine with other work. */
const startMs = 120_000;

export interface ServiceEnd {
  readonly tookMs: number;
  readonly code: number | null;
  readonly left: readonly string[];
}

interface Parts {
  readonly backend: OfflineBackend;
  readonly network: BadNetwork;
  readonly url: string;
  readonly inspectorPort: number;
  readonly root: string;
  readonly process: ServeProcess;
  readonly ends: readonly (() => unknown)[];
}

export class ServiceProcess {
  readonly backend: OfflineBackend;
  /** Between Codex and the model's routes. */
  readonly network: BadNetwork;
  readonly url: string;
  /** Where Node's inspector listens once the process gets SIGUSR1. */
  readonly inspectorPort: number;
  readonly #root: string;
  readonly #process: ServeProcess;
  readonly #ends: readonly (() => unknown)[];
  #stopping: Promise<ServiceEnd> | null = null;

  private constructor(parts: Parts) {
    this.backend = parts.backend;
    this.network = parts.network;
    this.url = parts.url;
    this.inspectorPort = parts.inspectorPort;
    this.#root = parts.root;
    this.#process = parts.process;
    this.#ends = parts.ends;
  }

  static async start(login: "chatgpt" | "provider", argv: readonly string[] = []): Promise<ServiceProcess> {
    const root = await mkdtemp(join(tmpdir(), "cna-soak-"));
    const ends: (() => unknown)[] = [];
    const t = { teardown: (end: () => unknown) => void ends.push(() => end()) };
    const backend = await OfflineBackend.start({ maxRecorded: 0, unknownRoutes: "any" });
    const network = await BadNetwork.start(t);
    network.leadTo(backend.origin);
    const home = join(root, "codex");
    if (login === "provider") await createProviderHome({ home, backend });
    else await createChatGptLogin({ home, backend });
    const temporary = join(root, "tmp");
    await mkdir(temporary);
    const inspectorPort = await findFreePort();
    const environment = {
      ...commandEnvironment(root, backend),
      TMPDIR: temporary,
      NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectorPort}`,
      CODEX_NATIVE_API_LOG_FORMAT: "json",
      CODEX_NATIVE_API_LOG_LEVEL: process.env.SOAK_LOG_LEVEL ?? "info",
    };
    const base = login === "provider" ? "model_providers.offline.base_url" : "openai_base_url";
    const through = ["--codex-config", `${base}="${network.origin}/v1"`];
    const serve = new ServeProcess(t, environment, [...through, ...argv]);
    const { url } = await serve.waitFor("service.listening");
    const parts = { backend, network, url: String(url), inspectorPort, root, process: serve, ends };
    const service = new ServiceProcess(parts);
    const deadlineMs = performance.now() + startMs;
    while ((await fetch(`${service.url}/readyz`)).status !== 200) {
      if (performance.now() > deadlineMs) {
        await service.stop();
        throw new Error(`the service was not ready within ${startMs} ms`);
      }
      await pause(50);
    }
    serve.lines.length = 0;
    return service;
  }

  get pid(): number {
    const { pid } = this.#process.child;
    if (pid === undefined) throw new Error("the service has no process");
    return pid;
  }

  /** The user's CODEX_HOME. */
  get userHome(): string {
    return join(this.#root, "codex");
  }

  get isRunning(): boolean {
    return this.#process.child.exitCode === null && this.#process.child.signalCode === null;
  }

  /** Of its app-server; null while there is none. */
  async appServerPid(): Promise<number | null> {
    const [pid] = await findAppServersOf(this.#root);
    return pid ?? null;
  }

  async weigh(): Promise<Weight> {
    return weigh(this.#process.child.pid);
  }

  async weighAppServer(): Promise<Weight> {
    return weigh(await this.appServerPid());
  }

  /** A retired app-server ends after its own turns; two that stay are one too many. */
  async untilOneAppServer(timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while ((await findAppServersOf(this.#root)).length > 1 && performance.now() < deadlineMs)
      await pause(250);
  }

  /** Its processes, with their watches. */
  async countProcesses(): Promise<number> {
    return (await findProcessesOf(this.#root)).length;
  }

  /** In its state directory and in the folder for temporary files. */
  async weighFiles(): Promise<Kept> {
    const kept = { files: 0, bytes: 0 };
    for (const name of await this.#listFiles()) {
      const found = await lstat(name).catch(() => null);
      if (found === null || found.isDirectory()) continue;
      kept.files += 1;
      kept.bytes += found.size;
    }
    return kept;
  }

  /** The events of its log at level error since this was last called. What the log said before is dropped. */
  takeLoggedErrors(): readonly string[] {
    const lines = this.#process.lines.splice(0);
    return lines
      .filter(({ level }) => Number(level) >= 50)
      .map(({ event, msg }) => event ?? msg ?? "unnamed");
  }

  async #listFiles(): Promise<readonly string[]> {
    const folders = ["state", "tmp"].map((name) => join(this.#root, name));
    const names = await Promise.all(
      folders.map(async (folder) =>
        (await readdir(folder, { recursive: true }).catch(() => [])).map((name) => join(folder, name)),
      ),
    );
    return names.flat();
  }

  /** Stops it as a container runtime would; what then still runs, or is still there, is left behind. */
  stop(): Promise<ServiceEnd> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<ServiceEnd> {
    const beganMs = performance.now();
    // The network last: a service that stops still talks to it.
    for (const end of [...this.#ends].reverse()) await end();
    const { code } = await this.#process.exited;
    const tookMs = performance.now() - beganMs;
    await this.backend.close();
    const processes = await findProcessesOf(this.#root);
    const files = (await this.#listFiles())
      .map((name) => name.slice(this.#root.length + 1))
      .filter((name) => name.endsWith(".sock") || name.startsWith("tmp"));
    await removeTree(this.#root);
    return { tookMs, code, left: [...processes.map((pid) => `process ${pid}`), ...files] };
  }
}

async function weigh(pid: number | null | undefined): Promise<Weight> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { memoryBytes: kilobytes * 1024, descriptors: descriptors.length };
}

/** Ends at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const deadline = createDeferred<void>();
  watchLimits({ timeoutMs: ms, signal }, () => deadline.resolve());
  return deadline.promise;
}

/** Free at this moment. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
