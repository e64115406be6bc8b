/** What the doctor finds without Codex's help: the binary and the port. */
import { createServer } from "node:net";
import {
  compareToTested,
  newestTestedCodex,
  oldestTestedCodex,
} from "../../../workers/contract/codex-capabilities.js";
import type { Environment } from "../../config/machine.js";
import type { CodexNativeApiConfig, ListenConfig } from "../../config/types.js";
import { CodexNativeApiError } from "../../errors.js";
import { findCodexBinary } from "../../runtime/app-server/codex-binary.js";
import type { Sighting } from "../service-report.js";
import { describeListenFault } from "../start-fault.js";
import { adviseToken } from "../with-service.js";
import { type Finding, fail, ok, warn } from "./finding.js";

const versionTimeoutMs = 10_000;

/**
 * Is Codex there, does it run, and was this version tried? `running` is the version that the service runs, null where none runs
 * or where it is not the service that starts it.
 */
export async function checkBinary(
  configured: string | null,
  env: Environment,
  running: string | null,
  signal?: AbortSignal,
): Promise<Finding> {
  try {
    const { path, version, source } = await findCodexBinary({
      configured,
      env,
      timeoutMs: versionTimeoutMs,
      signal,
    });
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

export function judgeVersion(version: string, found: string): Finding {
  switch (compareToTested(version)) {
    case "within":
      return ok("codex", found);
    case "older":
      return warn("codex", found, `older than ${oldestTestedCodex}, the oldest version tried; update Codex`);
    case "newer":
      return warn(
        "codex",
        found,
        `newer than ${newestTestedCodex}, the newest version tried; it most likely works`,
      );
    case "unknown":
      return warn(
        "codex",
        found,
        `its version is none that was tried (${oldestTestedCodex} to ${newestTestedCodex})`,
      );
  }
}

/** Is the service there, or could it be? */
export async function checkPort(
  config: CodexNativeApiConfig,
  baseUrl: string | null,
  sighting: Sighting | null,
): Promise<Finding> {
  if (baseUrl === null || sighting === null) return ok("port", "the system picks a free one at each start");
  switch (sighting.kind) {
    case "service":
      return ok("port", `the service runs at ${baseUrl}, version ${sighting.report.version}`);
    case "refused":
      return fail(
        "port",
        `the service runs at ${baseUrl} and does not take the token given`,
        adviseToken(config),
      );
    case "stranger":
      return fail("port", `another program answers at ${baseUrl}`, "choose another port: --port");
    case "nobody": {
      const code = await tryToBind(config.listen);
      if (code === null) return ok("port", `${baseUrl} is free`);
      const { found, advice } = describeListenFault(code, config.listen);
      return fail("port", found, advice);
    }
  }
}

/** The system's error code; null when it could be bound. */
function tryToBind({ host, port }: ListenConfig): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
