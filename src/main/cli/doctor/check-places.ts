/** Checks that need no running Codex: the binary, the port, and the way to the model backend. */
import { createServer } from "node:net";
import {
  compareToTested,
  newestTestedCodex,
  oldestTestedCodex,
} from "../../../workers/contract/codex-capabilities.js";
import { findCodexBinary } from "../../codex/binary/codex-binary.js";
import { findModelBackend } from "../../codex/home/codex-home.js";
import { inspectNetwork } from "../../codex/network/network-diagnosis.js";
import type { Environment } from "../../config/machine.js";
import type { CodexNativeApiConfig, ListenConfig } from "../../config/types.js";
import { CodexNativeApiError } from "../../errors.js";
import { type ChosenProxy, hideCredentials } from "../../outbound/outbound-route.js";
import type { Sighting } from "../service-report.js";
import { describeListenFault } from "../start-fault.js";
import { adviseToken } from "../with-service.js";
import { type Finding, fail, ok, warn } from "./finding.js";

const versionTimeoutMs = 10_000;

/**
 * Finds the binary, runs it, and compares its version with the tested ones. `running` is the version that the service runs; null where
 * none runs, or where the service did not start it.
 */
export async function checkBinary(
  configured: string | null,
  env: Environment,
  running: string | null,
  signal?: AbortSignal,
): Promise<Finding> {
  try {
    const options = { configured, env, timeoutMs: versionTimeoutMs, signal };
    const { path, version, source } = await findCodexBinary(options);
    const found = `${version}, ${path} (${places[source]})`;
    if (running !== null && running !== version)
      return warn("codex", `${found}; the service still runs ${running}`, "restart the service to use it");
    return judgeVersion(version, found);
  } catch (error) {
    const { message } = CodexNativeApiError.fromUnknown(error);
    return fail("codex", message, "npm install -g @openai/codex, or name the binary with --codex-bin");
  }
}

const places = { configured: "as configured", path: "on PATH", package: "the installed package's" } as const;

const versionAdvice = {
  older: `older than ${oldestTestedCodex}, the oldest tested version; update Codex`,
  newer: `newer than ${newestTestedCodex}, the newest tested version; it most likely works`,
  unknown: `not one of the tested versions, ${oldestTestedCodex} to ${newestTestedCodex}`,
} as const;

export function judgeVersion(version: string, found: string): Finding {
  const compared = compareToTested(version);
  return compared === "within" ? ok("codex", found) : warn("codex", found, versionAdvice[compared]);
}

/** Finds the service at its port, or a free port. */
export async function checkPort(config: CodexNativeApiConfig, sighting: Sighting): Promise<Finding> {
  switch (sighting.kind) {
    case "no_address":
      return ok("port", "the system picks a free one at each start");
    case "service":
      return ok("port", `the service runs at ${sighting.baseUrl}, version ${sighting.report.version}`);
    case "refused":
      return fail(
        "port",
        `the service at ${sighting.baseUrl} does not take the token given`,
        adviseToken(config),
      );
    case "stranger":
      return fail("port", `another program answers at ${sighting.baseUrl}`, "choose another port: --port");
    case "nobody": {
      const code = await tryToBind(config.listen);
      if (code === null) return ok("port", `${sighting.baseUrl} is free`);
      const { found, advice } = describeListenFault(code, config.listen);
      return fail("port", found, advice);
    }
  }
}

/** The system's error code; null if this process can listen there. */
function tryToBind({ host, port }: ListenConfig): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/**
 * Which proxy the way to the backend takes, and whether a tunnel and a TLS handshake succeed; sends no request. No finding where the backend is not known, or where somebody else starts the app-server.
 */
export async function checkNetwork(
  { codex, appServer }: CodexNativeApiConfig,
  env: Environment,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (appServer.kind !== "shared" && appServer.kind !== "stdio") return [];
  const where = { userCodexHome: codex.userHome, codexConfig: codex.config };
  // A configuration that cannot be read is a finding of its own.
  const target = await findModelBackend(where).catch(() => null);
  if (target === null || !URL.canParse(target)) return [];
  const { proxy, verdict } = await inspectNetwork(target, env, signal);
  const way = `${new URL(target).host} ${describeWay(proxy)}`;
  if (verdict === null) return [ok("network", `${way}: it answers`)];
  const say = verdict.isPartial ? warn : fail;
  return [say("network", `${way}: ${verdict.found}`, verdict.advice)];
}

/** With the environment of this shell, which an installed service may not have. */
function describeWay(proxy: ChosenProxy | null): string {
  return proxy === null ? "without a proxy" : `through ${hideCredentials(proxy.url)} (${proxy.variable})`;
}
