/** Runs a service from start to a signal, and decides the exit code. */
import { createDeferred, settlesWithin, waitWithin } from "../../workers/contract/wait.js";
import { formatFault } from "../config/faults.js";
import { type ConfigResult, loadConfig } from "../config/load-config.js";
import { allOptions } from "../config/options.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import { createLogger, type Logger } from "../observability/logger.js";
import type { CreateService, ProcessEvents, ServableService } from "./cli-context.js";
import type { ConfiguredCommand } from "./command.js";
import { exitCodes } from "./exit-codes.js";
import { describeStartFault, formatStartFault } from "./start-fault.js";

interface ServeOptions {
  readonly config: CodexNativeApiConfig;
  readonly logger: Logger;
  readonly events: ProcessEvents;
  readonly createService: CreateService;
  /** Reads the configuration again, from the same sources. */
  readonly readConfig: () => ConfigResult;
}

/** Why the service must end. */
type Ending =
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "crash"; readonly error: unknown }
  | { readonly kind: "start_failed"; readonly error: unknown };

/** For closing the listener, the workers and the app-server after the drain, even one that hangs. */
const stopMarginMs = 3_000;

/** Longest time for a stop by force. The death watches end child processes that outlive it. */
const destroyDeadlineMs = 800;

/** Longest time from the signal to the end of the process. */
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
    // The endings are used up, so that no signal would stop the service any more.
    await service.destroy().catch(() => {});
    throw error;
  }
}

async function serveToTheEnd(
  service: ServableService,
  [first, second]: Endings,
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
  logger.info({ event: "service.signal", signal: ending.signal }, "stopping; a second signal stops at once");
  const drained = service.stop().then(
    () => "drained",
    (error: unknown) => {
      logger.error({ event: "service.stop_failed", err: error }, "the service did not stop cleanly");
      return "stop_failed";
    },
  );
  const cutShort = second.then((again) => {
    if (again.kind !== "signal")
      logger.fatal({ event: "service.crash", err: again.error }, "crashed while stopping");
    return again.kind;
  });
  const limits = { timeoutMs: config.shutdownGraceMs + stopMarginMs };
  const outcome = await waitWithin(Promise.race([drained, cutShort]), limits, () => "deadline");
  if (outcome === "drained") return exitCodes.done;
  logger.warn({ event: "service.destroy", reason: outcome }, "stopping at once");
  await destroyService(service, logger);
  return exitCodes.failed;
}

/** Logs one line with advice, where there is any; a stack only for an unexpected error. */
async function logEnding(
  { kind, error }: Exclude<Ending, { readonly kind: "signal" }>,
  config: CodexNativeApiConfig,
  logger: Logger,
): Promise<number> {
  const event = `service.${kind}`;
  const fault = kind === "start_failed" ? await describeStartFault(error, config) : null;
  if (fault === null) {
    logger.fatal({ event, err: error }, "unexpected error; the service ends");
    return exitCodes.failed;
  }
  const { code, exitCode } = fault;
  logger.fatal({ event, code }, `not started: ${formatStartFault(fault)}`);
  logger.debug({ event: "service.start_fault", err: error }, "the error behind the failed start");
  return exitCode;
}

/** The first and the second reason to end; later ones change nothing. */
type Endings = readonly [first: Promise<Ending>, second: Promise<Ending>];

function watchEndings(events: ProcessEvents): Endings {
  const [first, second] = [createDeferred<Ending>(), createDeferred<Ending>()];
  const free = [first, second];
  const end = (ending: Ending): void => free.shift()?.resolve(ending);
  events.onSignal((signal) => end({ kind: "signal", signal }));
  events.onHangup((isTerminalGone) => {
    if (isTerminalGone) end({ kind: "signal", signal: "SIGHUP" });
  });
  events.onCrash((error) => end({ kind: "crash", error }));
  return [first.promise, second.promise];
}

/** Reloads all or nothing: with a fault anywhere the configuration stays as it is. Never rejects. */
async function reloadService(service: ServableService, { logger, readConfig }: ServeOptions): Promise<void> {
  const event = "service.reload_refused";
  const loaded = readConfig();
  if (!loaded.ok) {
    const faults = loaded.faults.map(formatFault);
    logger.error({ event, faults }, "not reloaded: the configuration has faults");
    return;
  }
  try {
    // `enabled` is for hosts: `serve` always serves.
    await service.reload({ ...loaded.config, enabled: true });
    logger.level = loaded.config.logLevel;
  } catch (error) {
    logger.error({ event, err: error }, "not reloaded: the service refused the configuration");
  }
}

async function destroyService(service: ServableService, logger: Logger): Promise<void> {
  const destroyed = service.destroy().catch((error: unknown) => {
    logger.error({ event: "service.destroy_failed", err: error }, "the service could not be ended");
  });
  await settlesWithin(destroyed, destroyDeadlineMs);
}

export const serveCommand: ConfiguredCommand = {
  name: "serve",
  summary: "run the service until Ctrl-C or SIGTERM",
  details: [
    "Flags without a command mean serve. Listens at once and logs codex.ready when turns can run. The first Ctrl-C or SIGTERM lets the turns in flight end; " +
      "a second one stops at once.",
    "SIGHUP reads the configuration and its files again, and applies the values that need no restart: tokens, log level, " +
      "allowed hosts and origins, and limits. If its terminal closes, it stops as with SIGTERM.",
  ],
  flags: [],
  operands: null,
  options: allOptions,
  examples: ["serve", "serve --port 8080 --auth-token-file ~/.config/codex-native-api/token"],
  exits: ["done", "failed", "configuration"],
  run: async (context, input, { config, warnings }) => {
    const isText =
      config.logFormat === "text" || (config.logFormat === "auto" && context.stdout.isTTY === true);
    const logger = createLogger({ level: config.logLevel, format: isText ? "text" : "json" });
    if (warnings.length > 0) {
      const texts = warnings.map(formatFault);
      logger.warn({ event: "config.without_effect", warnings: texts }, texts.join("; "));
    }
    const { events, createService, env, machine } = context;
    const readConfig = () => loadConfig({ argv: input.configArgv, env, machine });
    const code = await serve({ config, logger, events, createService, readConfig });
    context.exit(code);
    return code;
  },
};
