import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { findProcessesOf } from "../../test/support/processes.js";
import { HttpContestant } from "../contestants/service-http.js";
import { OpenAiContestant } from "../contestants/service-openai.js";
import { BackendProcess } from "./backend-process.js";
import { FloorAppServers } from "./floor-app-server.js";
import type { Resources } from "./resources.js";
import { ServiceProcess } from "./service-process.js";

/** An offline backend in a process of its own, and a directory with a login that points at it. */
export interface Ground {
  readonly directory: string;
  readonly backend: BackendProcess;
  /** The user's CODEX_HOME. */
  readonly userHome: string;
  /** For every process that is started here: nothing of the machine's own takes part. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `roundTripMs`: how far away the backend is. Default: no network at all. */
export async function layGround(resources: Resources, roundTripMs?: number): Promise<Ground> {
  const directory = await mkdtemp(join(tmpdir(), "cna-bench-"));
  await resources.defer("temporary directory", () => removeTree(directory));
  await resources.defer("check for processes left behind", async () => {
    const left = await findProcessesOf(directory);
    // Ours: they have this run's own directory in their environment.
    for (const pid of left) process.kill(pid, "SIGKILL");
    if (left.length > 0) throw new Error(`left behind and killed: ${left.join(", ")}`);
  });
  const backend = await BackendProcess.start(resources);
  if (roundTripMs !== undefined) await backend.setRoundTrip(roundTripMs);
  const userHome = join(directory, "codex");
  await backend.createLogin(userHome);
  const environment = { ...backend.environment, HOME: directory, PATH: "/usr/bin:/bin" };
  return { directory, backend, userHome, environment };
}

/**
 * For scenarios of many turns at once: how many the account takes is taken as known, since the floor asks no account either. What it is
 * like to find out is measured by `npm run bench -- plan`.
 */
export const boundlessAccount = ["--upstream-limit", "1000", "--upstream-connections", "1000"] as const;

/** The service, compiled, on the ground. */
export async function startService(
  resources: Resources,
  ground: Ground,
  name = "service",
  argv: readonly string[] = [],
): Promise<ServiceProcess> {
  const directory = join(ground.directory, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { userHome, environment } = ground;
  return ServiceProcess.start(resources, { directory, userHome, environment, argv });
}

export async function openFloor(
  resources: Resources,
  ground: Ground,
  service: ServiceProcess,
): Promise<FloorAppServers> {
  const { userHome, environment } = ground;
  const model = await service.readDefaultModel();
  return FloorAppServers.open(resources, {
    stateDir: join(ground.directory, "floor"),
    userHome,
    environment,
    model,
  });
}

/** The four ways to call the service. */
export async function callService(resources: Resources, service: ServiceProcess) {
  const appServerPid = await service.readAppServerPid();
  const options = { url: service.url, servicePid: service.pid, appServerPid };
  const json = new HttpContestant(options, "JSON");
  await resources.defer("HTTP client", () => json.close());
  const sse = new HttpContestant(options, "SSE");
  await resources.defer("HTTP client", () => sse.close());
  return {
    json,
    sse,
    openAiJson: new OpenAiContestant(options, "JSON"),
    openAiSse: new OpenAiContestant(options, "SSE"),
  };
}
