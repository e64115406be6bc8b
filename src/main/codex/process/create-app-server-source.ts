import type { AppServerTransport } from "../../config/codex-choices.js";
import type { CodexInstallation, OpenInstallation } from "../supervision/codex-installation.js";
import { type AppServerEvents, type AppServerSource, AttachedAppServer } from "./app-server-source.js";
import { AppServerSupervisor } from "./app-server-supervisor.js";
import type { RestartPolicyOptions } from "./restart-policy.js";
import { StdioAppServers } from "./stdio-app-servers.js";

const restart: RestartPolicyOptions = {
  maxRestarts: 10,
  windowMs: 60_000,
  baseDelayMs: 50,
  maxDelayMs: 5_000,
  now: () => performance.now(),
  random: Math.random,
};
const startTimeoutMs = 15_000;

export function createAppServerSource(
  transport: AppServerTransport,
  installation: CodexInstallation,
  { instance, ledger }: OpenInstallation,
  events: AppServerEvents,
): AppServerSource {
  switch (transport.kind) {
    case "shared":
      return new AppServerSupervisor({
        ...events,
        prepare: (_generation, previousFailure) => installation.prepare(previousFailure),
        socketPath: (generation) => instance.socketPath(generation),
        ledger,
        restart,
        startTimeoutMs,
      });
    case "stdio":
      return new StdioAppServers({ ...events, installation, restart });
    case "unix":
      return new AttachedAppServer({ kind: "unix", socketPath: transport.socketPath }, events);
    case "tcp":
      return new AttachedAppServer({ kind: "tcp", url: transport.url }, events);
  }
}

/** Replaces a shared source when Codex cannot have a socket: one worker, with its own app-server, runs all turns. */
export function createFallbackSource(
  shared: AppServerSource,
  installation: CodexInstallation,
  events: AppServerEvents,
): AppServerSource {
  const replacesShared = { generation: shared.health().generation };
  return new StdioAppServers({ ...events, installation, restart, replacesShared });
}
