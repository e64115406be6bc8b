/** For commands that need the running service: finds it, or throws what answers instead and what to do. */
import type { CodexNativeApiConfig } from "../config/types.js";
import { exitCodes } from "./exit-codes.js";
import { CommandRefusal } from "./outcome.js";
import type { Sighting } from "./service-report.js";

export type FoundService = Extract<Sighting, { readonly kind: "service" }>;

export async function withService(
  config: CodexNativeApiConfig,
  timeoutMs: number,
  run: (found: FoundService) => Promise<number> | number,
): Promise<number> {
  // Loaded late: help and completion need no HTTP client, and a shell waits for them.
  const { visitService } = await import("./service-report.js");
  return visitService(config, timeoutMs, (sighting) => {
    if (sighting.kind !== "service") throw refusalOfSighting(sighting, config);
    return run(sighting);
  });
}

export function refusalOfSighting(
  sighting: Exclude<Sighting, FoundService>,
  config: CodexNativeApiConfig,
): CommandRefusal {
  const { configuration, notReady } = exitCodes;
  switch (sighting.kind) {
    case "no_address":
      return new CommandRefusal(noAddress, configuration);
    case "refused":
      return new CommandRefusal(
        `the service at ${sighting.baseUrl} does not take the token given; ${adviseToken(config)}`,
        configuration,
      );
    case "stranger":
      return new CommandRefusal(
        `another program answers at ${sighting.baseUrl}; name the service's port with --port`,
        notReady,
      );
    case "nobody":
      return new CommandRefusal(
        `no service at ${sighting.baseUrl}: ${sighting.reason}; ${startOne}`,
        notReady,
      );
  }
}

const noAddress =
  "with port 0 the service picks a port at each start; name the port that it logged, with --port";
const startOne = "start one with `codex-native-api serve`, or name its address with --host and --port";

/** The configuration holds only digests of named tokens, so that there is none to send. */
export function adviseToken({ auth }: CodexNativeApiConfig): string {
  return auth.token === null && auth.tokens.length > 0
    ? "the configuration has named tokens only, which belong to callers; also set auth.token for these commands"
    : "give the service's token with --auth-token-file or CODEX_NATIVE_API_AUTH_TOKEN";
}
