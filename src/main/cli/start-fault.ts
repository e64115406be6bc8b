/** Why a service could not start, for people: what is wrong and what to do. */
import type { CodexNativeApiConfig, ListenConfig } from "../config/types.js";
import { CodexNativeApiError } from "../errors.js";
import { checkStateDirectory } from "./doctor/check-state-directory.js";
import { exitCodes } from "./exit-codes.js";

interface StartFault {
  /** The system's code, or ours. */
  readonly code: string;
  readonly found: string;
  readonly advice: string;
  readonly exitCode: number;
}

/** One line: what is wrong, and what to do where more than that can be said. */
export function formatStartFault({ found, advice }: StartFault): string {
  return advice === "" ? found : `${found}; ${advice}`;
}

/** Long enough for a service on this machine that has much to do. */
const lookTimeoutMs = 2_000;

/** Null for what nobody foresaw. */
export async function describeStartFault(
  error: unknown,
  config: CodexNativeApiConfig,
): Promise<StartFault | null> {
  const code = listenFaultCode(error);
  if (code === "EADDRINUSE") return (await findOurOwn(config)) ?? describeListenFault(code, config.listen);
  if (code !== null) return describeListenFault(code, config.listen);
  if (!(error instanceof CodexNativeApiError) || error.code === "internal_error") return null;
  const state = await checkStateDirectory(config.codex.stateDir);
  const [found, advice] = state.status === "fail" ? [state.found, state.advice ?? ""] : [error.message, ""];
  return { code: error.code, found, advice, exitCode: exitCodes.failed };
}

/** What the system says of an address that cannot be listened at. */
export function describeListenFault(code: string, { host, port }: ListenConfig): StartFault {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const fault = (found: string, advice: string, exitCode: number) => ({ code, found, advice, exitCode });
  switch (code) {
    case "EADDRINUSE":
      return fault(
        `another program holds ${address}`,
        "stop it, or choose another port: --port",
        exitCodes.failed,
      );
    case "EACCES":
    case "EPERM":
      return fault(
        `you may not listen at ${address}`,
        "choose a port above 1023: --port",
        exitCodes.configuration,
      );
    case "EADDRNOTAVAIL":
      // Not `configuration`: the address of a network that comes up late is there at the next try.
      return fault(
        `${host} is no address of this machine`,
        "choose one of its own: --host 127.0.0.1",
        exitCodes.failed,
      );
    case "EAI_AGAIN":
      return fault(
        `the name ${host} cannot be looked up now`,
        "check the network's DNS, or name an address: --host 127.0.0.1",
        exitCodes.failed,
      );
    case "ENOTFOUND":
      return fault(
        `there is no host named ${host}`,
        "name an address of this machine: --host 127.0.0.1",
        exitCodes.configuration,
      );
    default:
      return fault(
        `${address} cannot be listened at (${code})`,
        "choose another: --host, --port",
        exitCodes.failed,
      );
  }
}

/** The likeliest program to hold this service's port is this service. */
async function findOurOwn(config: CodexNativeApiConfig): Promise<StartFault | null> {
  const [{ ServiceClient, serviceAddress }, { lookForService }] = await Promise.all([
    import("./service-client.js"),
    import("./service-report.js"),
  ]);
  const baseUrl = serviceAddress(config);
  if (baseUrl === null) return null;
  const client = new ServiceClient(baseUrl, config.auth.token);
  try {
    const { kind } = await lookForService(client, lookTimeoutMs);
    if (kind !== "service" && kind !== "refused") return null;
    return {
      code: "EADDRINUSE",
      found: `the service runs at ${baseUrl} already`,
      advice: "use that one, stop it first, or choose another port: --port",
      exitCode: exitCodes.failed,
    };
  } finally {
    await client.destroy();
  }
}

/** Of the listener's own errors; null for every other. */
function listenFaultCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return null;
  const { code, syscall } = error;
  const isListening = syscall === "listen" || syscall === "bind" || syscall === "getaddrinfo";
  return isListening && typeof code === "string" ? code : null;
}
