/** The doctor's checks in their order. */

import type { CodexNativeApiConfig } from "../../config/types.js";
import { findSocketDirectoryFault } from "../../runtime/app-server/codex-socket-directory.js";
import { measureDescriptorRoom, readDescriptorLimit } from "../../runtime/descriptor-limit.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../configured.js";
import { ServiceClient, serviceAddress } from "../service-client.js";
import { lookForService, type Sighting } from "../service-report.js";
import { checkBinary, checkPort } from "./check-places.js";
import { checkStateDirectory } from "./check-state-directory.js";
import { askCodex, type CodexFacts, factsOfService, judgeCodex } from "./codex-facts.js";
import { type Finding, ok, warn } from "./finding.js";
import { askerOfService, tryModels, withPrivateAsker } from "./try-models.js";

const lookTimeoutMs = 2_000;

interface ExamineOptions {
  /** Whether each model is asked for one small turn, which costs some of the plan. */
  readonly turns: boolean;
}

/** Codex is started only where what it needs was found; one that runs already is asked instead. */
export async function examine(
  context: CliContext,
  loaded: LoadedConfig,
  signal: AbortSignal,
  { turns }: ExamineOptions,
): Promise<readonly Finding[]> {
  const { config } = loaded;
  const baseUrl = serviceAddress(config);
  const sighting = baseUrl === null ? null : await look(baseUrl, config.auth.token);
  const binary = await checkBinary(config.codex.bin, context.env, runningVersion(config, sighting), signal);
  const state = await checkStateDirectory(config.codex.stateDir);
  const port = await checkPort(config, baseUrl, sighting);
  const places = [describeConfiguration(loaded), binary, state, port, ...(await checkFiles(config))];
  if (sighting?.kind === "service") {
    const judged = await judge(factsOfService(sighting.report), context);
    const tried = turns ? await tryService(baseUrl ?? "", config.auth.token, signal) : [];
    return [...places, ...judged, ...tried];
  }
  // A second app-server beside the service's would race it for the login's refresh token.
  const isElsewhere = sighting?.kind === "refused";
  if (isElsewhere || binary.status === "fail" || state.status === "fail" || signal.aborted) return places;
  const facts = await askCodex(context, loaded, signal);
  if (facts === null) return places;
  const findings = [...places, ...(await judge(facts, context))];
  if (!turns || facts.reason !== null) return findings;
  const tried = await withPrivateAsker(context, loaded, signal, (asker) => tryModels(asker, signal));
  return [...findings, ...(tried ?? [])];
}

async function tryService(
  baseUrl: string,
  token: string | null,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const client = new ServiceClient(baseUrl, token);
  try {
    return await tryModels(askerOfService(client), signal);
  } finally {
    await client.destroy();
  }
}

/** An app-server that the service is only attached to is of another binary. */
function runningVersion({ appServer }: CodexNativeApiConfig, sighting: Sighting | null): string | null {
  const isOwn = appServer.kind === "shared" || appServer.kind === "stdio";
  return isOwn && sighting?.kind === "service" ? sighting.report.native_runtime.codex_version : null;
}

async function judge(facts: CodexFacts, context: CliContext): Promise<readonly Finding[]> {
  const judged = judgeCodex(facts, context.wallClock());
  if (!facts.degraded.includes("shared_app_server")) return judged;
  const fault = await findSocketDirectoryFault();
  const found = "Codex cannot use its directory for sockets: one worker takes all turns";
  return [...judged, warn("sockets", found, `${fault ?? "see the log"} Then start the service again.`)];
}

/** Of this process, which stands for the one that `serve` would be. Nothing where the limit is not known. */
async function checkFiles({ http: { maxConnections } }: CodexNativeApiConfig): Promise<readonly Finding[]> {
  const limit = await readDescriptorLimit();
  const fault = limit === null ? null : measureDescriptorRoom(limit, maxConnections).fault;
  if (fault === null) return [];
  return [
    warn("open files", `${limit} may be open at once, too few for ${maxConnections} connections`, fault),
  ];
}

async function look(baseUrl: string, token: string | null): Promise<Sighting> {
  const client = new ServiceClient(baseUrl, token);
  try {
    return await lookForService(client, lookTimeoutMs);
  } finally {
    await client.destroy();
  }
}

function describeConfiguration({ config: { auth }, origins }: LoadedConfig): Finding {
  const given = [...origins.values()].filter(({ layer }) => layer !== "default").length;
  const tokens = auth.tokens.length + (auth.token === null ? 0 : 1);
  const access =
    tokens === 0
      ? "no token: every program of this machine may call"
      : `callers need a token (${tokens} set)`;
  return ok("configuration", `${given === 1 ? "1 setting" : `${given} settings`} given; ${access}`);
}
