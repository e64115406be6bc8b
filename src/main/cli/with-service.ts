/** For commands that need the running service: finds it, or says what is there instead and what to do. */
import type { CodexNativeApiConfig } from "../config/types.js";
import type { CliContext } from "./cli-context.js";
import { refuse } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import type { ServiceClient } from "./service-client.js";
import type { Sighting } from "./service-report.js";

export type FoundService = Extract<Sighting, { readonly kind: "service" }>;

const noAddress = "port 0 lets the service pick one at each start; name the port that it logged, with --port";

export async function withService(
  context: CliContext,
  config: CodexNativeApiConfig,
  timeoutMs: number,
  run: (client: ServiceClient, found: FoundService) => Promise<number> | number,
): Promise<number> {
  // Loaded late: help and completion need no HTTP client, and a shell waits for them.
  const [{ ServiceClient, serviceAddress }, { lookForService }] = await Promise.all([
    import("./service-client.js"),
    import("./service-report.js"),
  ]);
  const baseUrl = serviceAddress(config);
  if (baseUrl === null) return refuse(context, noAddress);
  const client = new ServiceClient(baseUrl, config.auth.token);
  try {
    const sighting = await lookForService(client, timeoutMs);
    if (sighting.kind === "service") return await run(client, sighting);
    return refuseSighting(context, sighting, baseUrl, config);
  } finally {
    await client.destroy();
  }
}

export function refuseSighting(
  context: CliContext,
  sighting: Exclude<Sighting, FoundService>,
  baseUrl: string,
  config: CodexNativeApiConfig,
): number {
  const text = describeSighting(sighting, baseUrl, config);
  return refuse(context, text, sighting.kind === "refused" ? exitCodes.configuration : exitCodes.notReady);
}

function describeSighting(
  sighting: Exclude<Sighting, FoundService>,
  baseUrl: string,
  config: CodexNativeApiConfig,
): string {
  switch (sighting.kind) {
    case "refused":
      return `the service at ${baseUrl} does not take the token given; ${adviseToken(config)}`;
    case "stranger":
      return `what answers at ${baseUrl} is another program; name the service's port with --port`;
    case "nobody":
      return (
        `no service at ${baseUrl}: ${sighting.reason}; start one with \`codex-native-api serve\`, or name its ` +
        "place with --host and --port"
      );
  }
}

/** Named tokens are kept as digests: there is none to send. */
export function adviseToken({ auth }: CodexNativeApiConfig): string {
  return auth.token === null && auth.tokens.length > 0
    ? "the configuration has named tokens only, which belong to callers; set auth.token beside them for these commands"
    : "give the one it runs with, by --auth-token-file or CODEX_NATIVE_API_AUTH_TOKEN";
}
