/** The doctor's checks in their order. */
import { findSocketDirectoryFault } from "../../codex/process/codex-socket-directory.js";
import { measureDescriptorRoom, readDescriptorLimit } from "../../codex/process/descriptor-limit.js";
import { formatFault } from "../../config/faults.js";
import type { CodexNativeApiConfig } from "../../config/types.js";
import { findUselessRoots } from "../../readable-files/readable-files.js";
import { askerOfRuntime, askerOfService } from "../ask/asker.js";
import { noProgress } from "../ask/progress.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../command.js";
import { withPrivateRuntime } from "../interruption.js";
import { type Sighting, visitService } from "../service-report.js";
import { checkBinary, checkNetwork, checkPort } from "./check-places.js";
import { checkStateDirectory } from "./check-state-directory.js";
import { askCodex, type CodexFacts, factsOfFailedStart, factsOfService, judgeCodex } from "./codex-facts.js";
import { type Finding, ok, warn } from "./finding.js";
import { tryModels } from "./try-models.js";

const lookTimeoutMs = 2_000;

interface ExamineOptions {
  readonly context: CliContext;
  readonly loaded: LoadedConfig;
  readonly signal: AbortSignal;
  /** Whether to ask each model for one small turn, which uses the plan. */
  readonly turns: boolean;
}

/** Asks the running service. Where none runs, starts Codex, but only if the checks before found what it needs. */
export function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  return visitService(options.loaded.config, lookTimeoutMs, (sighting) => examineWith(sighting, options));
}

async function examineWith(sighting: Sighting, options: ExamineOptions): Promise<readonly Finding[]> {
  const { context, loaded, signal, turns } = options;
  const { config } = loaded;
  const binary = await checkBinary(config.codex.bin, context.env, runningVersion(config, sighting), signal);
  const state = await checkStateDirectory(config.codex.stateDir);
  const port = await checkPort(config, sighting);
  const places = [
    describeConfiguration(loaded),
    ...describeWarnings(loaded),
    binary,
    state,
    port,
    ...(await checkFiles(config)),
    ...(await checkRoots(config)),
    ...(await checkNetwork(config, context.env, signal)),
  ];
  if (sighting.kind === "service") {
    const judged = await judge(factsOfService(sighting.report), context);
    const tried = turns
      ? await tryModels(askerOfService(sighting, { context, progress: noProgress }), signal)
      : [];
    return [...places, ...judged, ...tried];
  }
  // A second app-server beside the service's would race it for the login's refresh token.
  const isElsewhere = sighting.kind === "refused";
  if (isElsewhere || binary.status === "fail" || state.status === "fail" || signal.aborted) return places;
  return [...places, ...(await examineCodex(options))];
}

/** Starts the runtime that `serve` would start, once, and stops it. No findings where the signal aborts before anything is known. */
async function examineCodex({ context, loaded, signal, turns }: ExamineOptions): Promise<readonly Finding[]> {
  try {
    const found = await withPrivateRuntime(context, loaded, signal, async (runtime, readiness) => {
      const facts = await askCodex(runtime, readiness, signal);
      if (facts === null) return [];
      const judged = await judge(facts, context);
      if (!turns || facts.reason !== null) return judged;
      return [
        ...judged,
        ...(await tryModels(askerOfRuntime(runtime, loaded, { context, progress: noProgress }), signal)),
      ];
    });
    return found ?? [];
  } catch (error) {
    return judge(factsOfFailedStart(error), context);
  }
}

/** Null for an app-server that the service is only attached to, since that has another binary. */
function runningVersion({ appServer }: CodexNativeApiConfig, sighting: Sighting): string | null {
  const isOwn = appServer.kind === "shared" || appServer.kind === "stdio";
  return isOwn && sighting.kind === "service" ? sighting.report.native_runtime.codex_version : null;
}

async function judge(facts: CodexFacts, context: CliContext): Promise<readonly Finding[]> {
  const judged = judgeCodex(facts, context.wallClock());
  if (!facts.degraded.includes("shared_app_server")) return judged;
  const fault = await findSocketDirectoryFault();
  const found = "Codex cannot use its directory for sockets: one worker takes all turns";
  return [...judged, warn("sockets", found, `${fault ?? "see the log"} Then start the service again.`)];
}

/** Checks the limit of this process, which that of `serve` would share. No finding where the limit is unknown. */
async function checkFiles({ http: { maxConnections } }: CodexNativeApiConfig): Promise<readonly Finding[]> {
  const limit = await readDescriptorLimit();
  const fault = limit === null ? null : measureDescriptorRoom(limit, maxConnections).fault;
  if (fault === null) return [];
  return [warn("open files", `the limit of ${limit} is too low for ${maxConnections} connections`, fault)];
}

/** Files for chat bridges. No finding where all is well, or there are no folders. */
async function checkRoots({ turns: { readableRoots } }: CodexNativeApiConfig): Promise<readonly Finding[]> {
  const advice = "Correct turns.readableRoots, or make the folder.";
  return (await findUselessRoots(readableRoots)).map((problem) => warn("file roots", problem, advice));
}

function describeWarnings({ warnings }: LoadedConfig): readonly Finding[] {
  const advice = "Remove them from the environment, once nothing else reads them.";
  return warnings.map((warning) => warn("variables", formatFault(warning), advice));
}

function describeConfiguration({ config: { auth }, origins }: LoadedConfig): Finding {
  const given = [...origins.values()].filter(({ layer }) => layer !== "default").length;
  const tokens = auth.tokens.length + (auth.token === null ? 0 : 1);
  const access =
    tokens === 0
      ? "no token: every program on this machine may call"
      : `callers need a token (${tokens} set)`;
  return ok("configuration", `${given === 1 ? "1 setting" : `${given} settings`} given; ${access}`);
}
