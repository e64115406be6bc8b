/** Runs a service from start to a signal, and decides the exit code. */

import { settlesWithin, waitWithin } from "../../workers/contract/wait.js";
import { formatFault } from "../config/faults.js";
import { type ConfigResult, loadConfig } from "../config/load-config.js";
import { allOptions } from "../config/options.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import { createLogger, type Logger } from "../observability/logger.js";
import type { CreateService, ProcessEvents, ServableService } from "./cli-context.js";
import type { Command } from "./command.js";
import { withConfig } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import { describeStartFault, formatStartFault } from "./start-fault.js";

interface ServeOptions {
  readonly config: CodexNativeApiConfig;
  readonly logger: Logger;
  readonly events: ProcessEvents;
  readonly createService: CreateService;
  /** Reads the configuration anew, from where it was read first. */
  readonly readConfig: () => ConfigResult;
}

/** Why the service has to go. */
type Ending =
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "crash"; readonly error: unknown }
  | { readonly kind: "start_failed"; readonly error: unknown };

/** Beyond the drain itself: closing the listener, the workers and the app-server, be it one that hangs. */
const stopMarginMs = 3_000;

/** What a stop by force may take. Child processes that outlive it are ended by their watches. */
const destroyDeadlineMs = 800;

/** How long a stop may take in all before the process has to be gone. */
export function stopBudgetMs({ shutdownGraceMs }: Pick<CodexNativeApiConfig, "shutdownGraceMs">): number {
  return shutdownGraceMs + stopMarginMs + destroyDeadlineMs;
}

export async function serve(options: ServeOptions): Promise<number> {
  const { config, logger, events, createService } = options;
  const endings = watchEndings(events);
  const service = await createService({ config, logger });
  try {
    return await serveToTheEnd(service, endings, options);
  } catch (error) {
    // Nobody would stop it any more: the endings were heard.
    await service.destroy().catch(() => {});
    throw error;
  }
}

async function serveToTheEnd(
  service: ServableService,
  { first, second }: Endings,
  options: ServeOptions,
): Promise<number> {
  const { config, logger, events } = options;
  events.onHangup((isTerminalGone) => {
    if (!isTerminalGone) void reloadService(service, options);
  });
  const started = service.start().then(
    () => first,
    (error: unknown): Ending => ({ kind: "start_failed", error }),
  );
  const ending = await Promise.race([started, first]);
  if (ending.kind !== "signal") {
    const exitCode = await logEnding(ending, config, logger);
    await destroyService(service, logger);
    return exitCode;
  }
  logger.info({ event: "service.signal", signal: ending.signal }, "stopping; once more to stop at once");
  const drained = stopService(service, logger).then((isClean) => (isClean ? "drained" : "stop_failed"));
  const hurried = second.then((again) => describeHurry(again, logger));
  const limits = { timeoutMs: config.shutdownGraceMs + stopMarginMs };
  const outcome = await waitWithin(Promise.race([drained, hurried]), limits, () => "deadline");
  if (outcome === "drained") return exitCodes.done;
  logger.warn({ event: "service.destroy", reason: outcome }, "stopping at once");
  await destroyService(service, logger);
  return exitCodes.failed;
}

/** One line that says what to do, where that is known; a stack only where nobody foresaw it. */
async function logEnding(
  { kind, error }: Exclude<Ending, { readonly kind: "signal" }>,
  config: CodexNativeApiConfig,
  logger: Logger,
): Promise<number> {
  const event = `service.${kind}`;
  const fault = kind === "start_failed" ? await describeStartFault(error, config) : null;
  if (fault === null) {
    logger.fatal({ event, err: error }, "the service cannot go on");
    return exitCodes.failed;
  }
  const { code, exitCode } = fault;
  logger.fatal({ event, code }, `not started: ${formatStartFault(fault)}`);
  logger.debug({ event: "service.start_fault", err: error }, "what the start failed with");
  return exitCode;
}

/** The first and the second reason to end; later ones change nothing. */
interface Endings {
  readonly first: Promise<Ending>;
  readonly second: Promise<Ending>;
}

function watchEndings(events: ProcessEvents): Endings {
  const settle: ((ending: Ending) => void)[] = [];
  const first = new Promise<Ending>((resolve) => settle.push(resolve));
  const second = new Promise<Ending>((resolve) => settle.push(resolve));
  events.onSignal((signal) => settle.shift()?.({ kind: "signal", signal }));
  events.onHangup((isTerminalGone) => {
    if (isTerminalGone) settle.shift()?.({ kind: "signal", signal: "SIGHUP" });
  });
  events.onCrash((error) => settle.shift()?.({ kind: "crash", error }));
  return { first, second };
}

/** All or nothing: with a fault anywhere the service goes on as it is. Never rejects. */
async function reloadService(service: ServableService, { logger, readConfig }: ServeOptions): Promise<void> {
  const loaded = readConfig();
  if (!loaded.ok) {
    const faults = loaded.faults.map(formatFault);
    logger.error(
      { event: "service.reload_refused", faults },
      "nothing was changed: the configuration has faults",
    );
    return;
  }
  try {
    // `enabled` is for hosts: whoever says `serve` wants it served.
    await service.reload({ ...loaded.config, enabled: true });
    logger.level = loaded.config.logLevel;
  } catch (error) {
    logger.error({ event: "service.reload_refused", err: error }, "nothing was changed");
  }
}

function describeHurry(ending: Ending, logger: Logger): string {
  if (ending.kind !== "signal")
    logger.fatal({ event: "service.crash", err: ending.error }, "crashed while stopping");
  return ending.kind;
}

async function stopService(service: ServableService, logger: Logger): Promise<boolean> {
  try {
    await service.stop();
    return true;
  } catch (error) {
    logger.error({ event: "service.stop_failed", err: error }, "the service did not stop cleanly");
    return false;
  }
}

async function destroyService(service: ServableService, logger: Logger): Promise<void> {
  const destroyed = service.destroy().catch((error: unknown) => {
    logger.error({ event: "service.destroy_failed", err: error }, "the service could not be ended");
  });
  await settlesWithin(destroyed, destroyDeadlineMs);
}

export const serveCommand: Command = {
  name: "serve",
  summary: "run the service until Ctrl-C or SIGTERM",
  details: [
    "Listens at once and says codex.ready when turns can run. The first Ctrl-C or SIGTERM lets the turns in flight end; " +
      "a second one stops at once.",
    "SIGHUP reads the configuration anew, the files it names included, and applies what needs no restart: tokens, log level, " +
      "allowed hosts and origins, and limits. Where the terminal that it runs in is closed, it stops as by SIGTERM.",
  ],
  flags: [],
  operands: null,
  options: allOptions,
  examples: ["serve", "serve --port 8080 --auth-token-file ~/.config/codex-native-api/token"],
  exits: ["done", "failed", "configuration"],
  run: (context, input) =>
    withConfig(context, input, async ({ config }) => {
      const isText =
        config.logFormat === "text" || (config.logFormat === "auto" && context.stdout.isTTY === true);
      const logger = createLogger({ level: config.logLevel, format: isText ? "text" : "json" });
      const { events, createService, env, machine } = context;
      const readConfig = () => loadConfig({ argv: input.configArgv, env, machine });
      const code = await serve({ config, logger, events, createService, readConfig });
      context.exit(code);
      return code;
    }),
};
