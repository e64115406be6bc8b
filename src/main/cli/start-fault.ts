/** Why a service could not start, for people: the fault and what to do. */
import type { CodexNativeApiConfig, ListenConfig } from "../config/types.js";
import { CodexNativeApiError } from "../errors.js";
import { checkStateDirectory } from "./doctor/check-state-directory.js";
import { type ExitName, exitCodes } from "./exit-codes.js";

interface StartFault {
  /** The system's code, or ours. */
  readonly code: string;
  readonly found: string;
  /** Empty where there is none to give. */
  readonly advice: string;
  readonly exitCode: number;
}

/** One line: the fault and the advice, if there is any. */
export function formatStartFault({ found, advice }: StartFault): string {
  return advice === "" ? found : `${found}; ${advice}`;
}

/** Long enough for a busy service on this machine. */
const lookTimeoutMs = 2_000;

/** Null for an unexpected error. */
export async function describeStartFault(
  error: unknown,
  config: CodexNativeApiConfig,
): Promise<StartFault | null> {
  const code = listenFaultCode(error);
  if (code === "EADDRINUSE")
    return (await findRunningService(config)) ?? describeListenFault(code, config.listen);
  if (code !== null) return describeListenFault(code, config.listen);
  if (!(error instanceof CodexNativeApiError) || error.code === "internal_error") return null;
  const state = await checkStateDirectory(config.codex.stateDir);
  const [found, advice] = state.status === "fail" ? [state.found, state.advice ?? ""] : [error.message, ""];
  return { code: error.code, found, advice, exitCode: exitCodes.failed };
}

type ListenFault = readonly [found: string, advice: string, exit: ExitName];

const forbidden: ListenFault = [
  "you may not listen at ADDRESS",
  "choose a port above 1023: --port",
  "configuration",
];

/** By the system's code. */
const listenFaults: Readonly<Record<string, ListenFault>> = {
  EADDRINUSE: ["another program holds ADDRESS", "stop it, or choose another port: --port", "failed"],
  EACCES: forbidden,
  EPERM: forbidden,
  // Not `configuration`: a network that comes up late brings its address, and the next try succeeds.
  EADDRNOTAVAIL: ["HOST is no address of this machine", "choose one of its own: --host 127.0.0.1", "failed"],
  EAI_AGAIN: [
    "the name HOST cannot be looked up now",
    "check the network's DNS, or name an address: --host 127.0.0.1",
    "failed",
  ],
  ENOTFOUND: [
    "there is no host named HOST",
    "name an address of this machine: --host 127.0.0.1",
    "configuration",
  ],
};

/** The fault of an address that the system does not let this process listen at. */
export function describeListenFault(code: string, { host, port }: ListenConfig): StartFault {
  const other: ListenFault = [
    `cannot listen at ADDRESS (${code})`,
    "choose another: --host, --port",
    "failed",
  ];
  const [found, advice, exit] = listenFaults[code] ?? other;
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const where = found.replace("ADDRESS", address).replace("HOST", host);
  return { code, found: where, advice, exitCode: exitCodes[exit] };
}

/** The likeliest program to hold this service's port is this service. */
async function findRunningService(config: CodexNativeApiConfig): Promise<StartFault | null> {
  const { visitService } = await import("./service-report.js");
  return visitService(config, lookTimeoutMs, (sighting) =>
    sighting.kind === "service" || sighting.kind === "refused"
      ? {
          code: "EADDRINUSE",
          found: `the service runs at ${sighting.baseUrl} already`,
          advice: "use that one, stop it first, or choose another port: --port",
          exitCode: exitCodes.failed,
        }
      : null,
  );
}

/** The code of an error of the listener; null for any other error. */
function listenFaultCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return null;
  const { code, syscall } = error;
  const isListening = syscall === "listen" || syscall === "bind" || syscall === "getaddrinfo";
  return isListening && typeof code === "string" ? code : null;
}
