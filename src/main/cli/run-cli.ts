import { describeConfig } from "../config/describe-config.js";
import type { Environment } from "../config/directories.js";
import { type ConfigFault, formatFault } from "../config/faults.js";
import { type ConfigResult, loadConfig } from "../config/load-config.js";
import type { Machine } from "../config/machine.js";
import { suggestName } from "../config/suggest-name.js";
import { createLogger } from "../observability/logger.js";
import { packageVersion } from "../version.js";
import { exitCodes } from "./exit-codes.js";
import { renderHelp } from "./help.js";
import { type CreateService, type ProcessEvents, serve } from "./serve.js";

export type { ProcessEvents };

interface TextOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Everything the commands need of the process they run in. */
export interface CliContext {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly machine: Machine;
  readonly events: ProcessEvents;
  readonly createService: CreateService;
  /** Ends the process; called once a served service is down. */
  readonly exit: (code: number) => void;
}

const commands = ["serve", "config"] as const;

/** Runs one command line and gives its exit code. */
export async function runCli(context: CliContext): Promise<number> {
  const [command, ...rest] = context.argv;
  if (hasFlag(context.argv, "--help", "-h")) return print(context, renderHelp());
  if (hasFlag(context.argv, "--version", "-v")) return print(context, `${packageVersion}\n`);
  if (command === undefined) return refuseUsage(context, renderHelp());
  if (command === "serve") return runServe(context, rest);
  if (command === "config") return runConfig(context, rest);
  return refuseUsage(context, describeUnknownCommand(command));
}

async function runServe(context: CliContext, argv: readonly string[]): Promise<number> {
  const loaded = loadConfig({ ...context, argv });
  if (!loaded.ok) return refuseConfig(context, loaded.faults);
  const { config } = loaded;
  const isText =
    config.logFormat === "text" || (config.logFormat === "auto" && context.stdout.isTTY === true);
  const logger = createLogger({ level: config.logLevel, format: isText ? "text" : "json" });
  const code = await serve({ config, logger, events: context.events, createService: context.createService });
  context.exit(code);
  return code;
}

function runConfig(context: CliContext, argv: readonly string[]): number {
  const loaded = loadConfig({ ...context, argv });
  return loaded.ok ? print(context, renderConfig(loaded)) : refuseConfig(context, loaded.faults);
}

function renderConfig({ config, origins }: Extract<ConfigResult, { ok: true }>): string {
  const rows = describeConfig(config, origins);
  const lines = rows.map(({ key, value, origin }) => {
    return `${key} = ${value}  (${origin.layer === "default" ? "default" : origin.name})`;
  });
  return `${lines.join("\n")}\n`;
}

function refuseConfig(context: CliContext, faults: readonly ConfigFault[]): number {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${formatFault(fault)}\n`);
  return refuseUsage(context, `codex-native-api: ${count} in the configuration\n${lines.join("")}`);
}

function describeUnknownCommand(command: string): string {
  if (command.startsWith("-"))
    return "codex-native-api: name a command first, such as: codex-native-api serve\n";
  const suggestion = suggestName(command, commands);
  const hint =
    suggestion === null ? `the commands are ${commands.join(" and ")}` : `did you mean ${suggestion}?`;
  return `codex-native-api: there is no command ${JSON.stringify(command)}; ${hint}\n`;
}

function print(context: CliContext, text: string): number {
  context.stdout.write(text);
  return exitCodes.done;
}

function refuseUsage(context: CliContext, text: string): number {
  context.stderr.write(text);
  return exitCodes.configuration;
}

function hasFlag(argv: readonly string[], ...names: readonly string[]): boolean {
  return argv.some((argument) => names.includes(argument));
}
