import { loadConfig } from "../config/load-config.js";
import { packageVersion } from "../version.js";
import type { CliContext } from "./cli-context.js";
import type { Command, CommandInput } from "./command.js";
import { asksFor, readCommandLine } from "./command-line.js";
import { commands } from "./commands.js";
import { print, refuse, refuseFaults } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import { renderCommandHelp, renderOverview } from "./help.js";
import { refuseCommand } from "./refuse-command.js";

export type { CliContext } from "./cli-context.js";
export type { ProcessEvents } from "./serve.js";

/** Runs one command line and gives its exit code. */
export async function runCli(context: CliContext): Promise<number> {
  const [name, ...rest] = context.argv;
  const command = commands.find((candidate) => candidate.name === name);
  if (asksFor(context.argv, "--help", "-h"))
    return print(context, command === undefined ? renderOverview(commands) : renderCommandHelp(command));
  if (asksFor(context.argv, "--version", "-v")) return print(context, `${packageVersion}\n`);
  if (name === undefined) {
    context.stderr.write(renderOverview(commands));
    return exitCodes.configuration;
  }
  return command === undefined ? refuseCommand(context, name, commands) : runCommand(context, command, rest);
}

async function runCommand(context: CliContext, command: Command, argv: readonly string[]): Promise<number> {
  const { faults, ...read } = readCommandLine(argv, command);
  if (faults.length === 0) return runToItsEnd(context, command, { ...read, commands });
  if (command.options === null) return refuseFaults(context, faults, "the command line");
  // All faults at once, wherever they are.
  const loaded = loadConfig({ argv: read.configArgv, env: context.env, machine: context.machine });
  return refuseFaults(context, [...faults, ...(loaded.ok ? [] : loaded.faults)], "the configuration");
}

/** What nobody foresaw is one line for people, too: a stack would tell them nothing. */
async function runToItsEnd(context: CliContext, command: Command, input: CommandInput): Promise<number> {
  try {
    return await command.run(context, input);
  } catch (error) {
    return refuse(context, error instanceof Error ? error.message : String(error), exitCodes.failed);
  }
}
