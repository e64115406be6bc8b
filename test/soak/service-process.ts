/** The service as a process of its own, over an offline backend, with what it weighs and what it leaves behind. */
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { commandEnvironment, ServeProcess } from "../support/cli-harness.js";
import { createChatGptLogin, createProviderHome, OfflineBackend } from "../support/offline-backend/index.js";
import { findAppServersOf, findProcessesOf } from "../support/processes.js";

export interface Weight {
  readonly memoryBytes: number;
  readonly descriptors: number;
}

export class ServiceProcess {
  readonly backend: OfflineBackend;
  readonly url: string;
  readonly #root: string;
  readonly #process: ServeProcess;
  readonly #ends: readonly (() => unknown)[];

  private constructor(parts: {
    readonly backend: OfflineBackend;
    readonly url: string;
    readonly root: string;
    readonly process: ServeProcess;
    readonly ends: readonly (() => unknown)[];
  }) {
    this.backend = parts.backend;
    this.url = parts.url;
    this.#root = parts.root;
    this.#process = parts.process;
    this.#ends = parts.ends;
  }

  static async start(login: "chatgpt" | "provider"): Promise<ServiceProcess> {
    const root = await mkdtemp(join(tmpdir(), "cna-soak-"));
    const backend = await OfflineBackend.start({ maxRecorded: 0, unknownRoutes: "any" });
    const home = join(root, "codex");
    if (login === "provider") await createProviderHome({ home, backend });
    else await createChatGptLogin({ home, backend });
    const ends: (() => unknown)[] = [];
    const environment = {
      ...commandEnvironment(root, backend),
      CODEX_NATIVE_API_LOG_FORMAT: "json",
      CODEX_NATIVE_API_LOG_LEVEL: process.env.SOAK_LOG_LEVEL ?? "info",
    };
    const serve = new ServeProcess({ teardown: (end) => void ends.push(() => end()) }, environment);
    const { url } = await serve.waitFor("service.listening");
    const service = new ServiceProcess({ backend, url: String(url), root, process: serve, ends });
    while ((await fetch(`${service.url}/readyz`)).status !== 200) await pause(50);
    return service;
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

  /** Stops it as a container runtime would; what then still runs, or is still there, is left behind. */
  async stop(): Promise<{
    readonly tookMs: number;
    readonly code: number | null;
    readonly left: readonly string[];
  }> {
    const beganMs = performance.now();
    for (const end of this.#ends) await end();
    const { code } = await this.#process.exited;
    const tookMs = performance.now() - beganMs;
    await this.backend.close();
    const processes = await findProcessesOf(this.#root);
    const sockets = (await readdir(join(this.#root, "state"), { recursive: true })).filter((name) =>
      name.endsWith(".sock"),
    );
    await removeTree(this.#root);
    return { tookMs, code, left: [...processes.map((pid) => `process ${pid}`), ...sockets] };
  }
}

async function weigh(pid: number | null | undefined): Promise<Weight> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { memoryBytes: kilobytes * 1024, descriptors: descriptors.length };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
