/** The installed binary in a home of its own, with the offline backend behind it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Test } from "tap";
import type { AppServerEndpoint } from "../../../../../src/workers/contract/endpoint.js";
import { createProviderHome, OfflineBackend } from "../../../../support/offline-backend/index.js";
import { makeTemporaryDirectory } from "../../../../support/temporary-directory.js";
import { findInstalledCodex } from "./codex-binary.js";

export interface RealAppServer {
  readonly backend: OfflineBackend;
  readonly endpoint: AppServerEndpoint;
  /** The running process, once the endpoint is connected. Null for stdio before that. */
  pid: number | null;
  /** unix only: another process on the same socket. */
  restart(): Promise<void>;
}

export async function startRealAppServer(t: Test, kind: "unix" | "stdio"): Promise<RealAppServer> {
  const home = await makeTemporaryDirectory(t);
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  await createProviderHome({ home, backend });
  const command = findInstalledCodex();
  const env = { PATH: process.env.PATH ?? "", HOME: home, CODEX_HOME: home, ...backend.environment() };
  if (kind === "stdio") {
    const spec = { command, args: ["app-server"], cwd: home, env, stopStepMs: 1_000 };
    const restart = () => Promise.reject(new Error("a stdio child is the connection's own"));
    return { backend, endpoint: { kind, spawn: spec }, pid: null, restart };
  }
  const socketPath = join(home, "s");
  const children: ChildProcess[] = [];
  const listen = () => {
    // The app-server makes its socket by itself; the connection dials until it is there.
    const child = spawn(command, ["app-server", "--listen", `unix://${socketPath}`], {
      env,
      stdio: "ignore",
    });
    children.push(child);
    return child;
  };
  t.teardown(() => Promise.all(children.map(kill)));
  const server: RealAppServer = {
    backend,
    endpoint: { kind, socketPath },
    pid: listen().pid ?? null,
    async restart() {
      await Promise.all(children.splice(0).map(kill));
      server.pid = listen().pid ?? null;
    },
  };
  return server;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
