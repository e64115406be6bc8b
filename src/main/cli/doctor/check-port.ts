import { createServer } from "node:net";
import type { CodexNativeApiConfig, ListenConfig } from "../../config/types.js";
import type { Sighting } from "../service-report.js";
import { describeListenFault } from "../start-fault.js";
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
    case "nobody": {
      const code = await tryToBind(config.listen);
      if (code === null) return ok(check, `${baseUrl} is free`);
      const { found, advice } = describeListenFault(code, config.listen);
      return fail(check, found, advice);
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
