import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { AppServerProcess } from "../../src/main/codex/process/app-server-process.js";
import { CodexInstallation } from "../../src/main/codex/supervision/codex-installation.js";
import type { SpawnSpec } from "../../src/workers/contract/endpoint.js";
import { testCodexBin } from "../../test/support/codex-version.js";
import { FloorClient, type FloorOptions as FloorClientOptions, leanThread } from "../contestants/floor.js";
import { openSocketWire, openStdioWire } from "../contestants/floor-wires.js";
import type { Resources } from "./resources.js";
import { stopProcess } from "./stop-process.js";

type FloorPrompt = FloorClientOptions["prompt"];

const startTimeoutMs = 30_000;
const stopStepMs = 3_000;

export interface FloorOptions {
  readonly stateDir: string;
  readonly userHome: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly model: string;
}

/**
 * App-servers for the floor. They are made ready by the service's own code: the same binary, arguments, environment, derived
 * catalog and own CODEX_HOME; only nobody supervises them.
 */
export class FloorAppServers {
  readonly #resources: Resources;
  readonly #installation: CodexInstallation;
  readonly #model: string;

  private constructor(resources: Resources, installation: CodexInstallation, model: string) {
    this.#resources = resources;
    this.#installation = installation;
    this.#model = model;
  }

  static async open(resources: Resources, options: FloorOptions): Promise<FloorAppServers> {
    const installation = new CodexInstallation(
      {
        bin: testCodexBin,
        homeMode: "isolated",
        userHome: options.userHome,
        stateDir: options.stateDir,
        config: {},
        profile: "lean",
        environment: options.environment,
        silenceLimitMs: 900_000,
        stopStepMs,
      },
      "0.0.0-bench",
      pino({ level: "silent" }),
    );
    await resources.defer("floor's home", () => installation.close());
    await installation.open();
    return new FloorAppServers(resources, installation, options.model);
  }

  /** One that listens on a unix socket, as the service's own does. */
  async startOnSocket(prompt: FloorPrompt = "input"): Promise<FloorClient> {
    const { instance, ledger } = await this.#installation.open();
    const spec = await this.#installation.prepare(null);
    const socketPath = instance.socketPath(prompt === "input" ? 1 : 2);
    const server = new AppServerProcess({ spawn: spec, socketPath, ledger, startTimeoutMs });
    await this.#resources.defer("floor's app-server", () => server.close());
    await server.start();
    const wire = await openSocketWire(socketPath, startTimeoutMs);
    const name = prompt === "input" ? "floor, unix socket" : "floor, unix socket, injecting";
    return this.#connect({ name, wire, appServerPid: server.pid, prompt }, instance.work);
  }

  async startOnStdio(): Promise<FloorClient> {
    const { instance } = await this.#installation.open();
    const child = await this.#spawnOnStdio(await this.#installation.prepare(null));
    return this.#connect(
      { name: "floor, stdio", wire: openStdioWire(child), appServerPid: child.pid ?? null, prompt: "input" },
      instance.work,
    );
  }

  async #spawnOnStdio(spec: SpawnSpec): Promise<ChildProcess> {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: spec.env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    await this.#resources.defer("floor's app-server on stdio", () => stopProcess(child, stopStepMs));
    await once(child, "spawn");
    return child;
  }

  async #connect(options: Omit<FloorClientOptions, "thread">, workDirectory: string): Promise<FloorClient> {
    const thread = leanThread(this.#model, workDirectory);
    const client = await FloorClient.connect({ ...options, thread });
    await this.#resources.defer(options.name, () => client.close());
    return client;
  }
}
