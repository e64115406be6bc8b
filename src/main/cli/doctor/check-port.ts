import { createServer } from "node:net";
import type { CodexNativeApiConfig, ListenConfig } from "../../config/types.js";
import type { Sighting } from "../service-report.js";
import { adviseToken } from "../with-service.js";
import { type Finding, fail, ok } from "./finding.js";

const check = "port";

/** Is the service there, or could it be? */
export async function checkPort(
  config: CodexNativeApiConfig,
  baseUrl: string | null,
  sighting: Sighting | null,
): Promise<Finding> {
  if (baseUrl === null || sighting === null) return ok(check, "the system picks a free one at each start");
  switch (sighting.kind) {
    case "service":
      return ok(check, `the service runs at ${baseUrl}, version ${sighting.report.version}`);
    case "refused":
      return fail(
        check,
        `the service runs at ${baseUrl} and does not take the token given`,
        adviseToken(config),
      );
    case "stranger":
      return fail(check, `another program answers at ${baseUrl}`, "choose another port: --port");
    case "nobody":
      return judgeBind(await tryToBind(config.listen), baseUrl);
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

function judgeBind(errorCode: string | null, baseUrl: string): Finding {
  switch (errorCode) {
    case null:
      return ok(check, `${baseUrl} is free`);
    case "EADDRINUSE":
      return fail(check, `another program holds ${baseUrl}`, "choose another port: --port");
    case "EACCES":
      return fail(check, `you may not listen at ${baseUrl}`, "choose a port above 1023: --port");
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return fail(check, `${baseUrl} is no address of this machine`, "choose another: --host 127.0.0.1");
    default:
      return fail(check, `${baseUrl} cannot be listened at (${errorCode})`, "choose another: --host, --port");
  }
}
