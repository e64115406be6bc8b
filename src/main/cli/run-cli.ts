/** Runs one command line: splits it into flags, operands and configuration, and calls the command. */
import { type ConfigFault, faultAt, refuseName } from "../config/faults.js";
import { loadConfig } from "../config/load-config.js";
import { allOptions } from "../config/options.js";
import { type CommandLineToken, readValue, refuseFlag, tokenize } from "../config/text-layers.js";
import { packageVersion } from "../version.js";
import type { CliContext } from "./cli-context.js";
import type { Command, CommandFlag } from "./command.js";
import { commands, refusalOfCommand } from "./commands.js";
import { exitCodes } from "./exit-codes.js";
import { renderCommandHelp, renderOverview } from "./help.js";
import { note, print, refusalOfError, refusalOfFaults } from "./outcome.js";
import { serveCommand } from "./serve.js";

/** Runs one command line and gives its exit code. */
export async function runCli(context: CliContext): Promise<number> {
  try {
    return await runCommandLine(context);
  } catch (error) {
    // People get one line even for an unexpected error, since a stack would not help them.
    const { message, exitCode } = refusalOfError(error);
    note(context, message);
    return exitCode;
  }
}

async function runCommandLine(context: CliContext): Promise<number> {
  const [name, ...rest] = context.argv;
  const command = commands.find((candidate) => candidate.name === name);
  if (asksFor(context.argv, "--help", "-h"))
    return print(context, command === undefined ? renderOverview(commands) : renderCommandHelp(command));
  if (asksFor(context.argv, "--version", "-v")) return print(context, `${packageVersion}\n`);
  if (name === undefined) {
    context.stderr.write(renderOverview(commands));
    return exitCodes.configuration;
  }
  // Flags without a command are those of `serve`.
  if (command === undefined && name.startsWith("-")) return runCommand(context, serveCommand, context.argv);
  if (command === undefined) throw refusalOfCommand(name, commands);
  return runCommand(context, command, rest);
}

async function runCommand(context: CliContext, command: Command, argv: readonly string[]): Promise<number> {
  const { faults, ...read } = readCommandLine(argv, command);
  const input = { ...read, commands };
  if (command.options === null) {
    if (faults.length > 0) throw refusalOfFaults(faults, "the command line");
    return command.run(context, input);
  }
  const loaded = loadConfig({ argv: read.configArgv, env: context.env, machine: context.machine });
  // Reports the faults of all sources at once.
  if (faults.length > 0 || !loaded.ok)
    throw refusalOfFaults([...faults, ...(loaded.ok ? [] : loaded.faults)], "the configuration");
  return command.run(context, input, loaded);
}

/** Leaves the values of configuration flags to `loadConfig`, which checks them together with the other sources. */
function readCommandLine(argv: readonly string[], command: Command) {
  const own = new Map(command.flags.map((flag) => [flag.name, flag]));
  const configFlags = command.options === null ? [] : allOptions.flatMap(({ flag }) => flag ?? []);
  const switches = command.flags.flatMap(({ name, placeholder }) => (placeholder === null ? name : []));
  const textFlags = [...allOptions.flatMap(({ flag }) => flag ?? []), ...own.keys()];
  const maxOperands = command.operands?.max ?? 0;
  const flags = new Map<string, string | true>();
  const operands: string[] = [];
  const configArgv: string[] = [];
  const faults: ConfigFault[] = [];
  const refusedAt = new Set<number>();
  let followsUnknown = false;
  for (const token of tokenize(argv, textFlags, switches)) {
    const isExpected = !followsUnknown;
    followsUnknown = false;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      // An argument behind an unknown flag is most likely its value: one fault is enough.
      const isCommand = commands.some(({ name }) => name === token.value);
      if (operands.length < maxOperands) operands.push(token.value);
      else if (isCommand) faults.push(faultAt(JSON.stringify(token.value), isLateCommand));
      else if (isExpected) faults.push(faultAt(JSON.stringify(token.value), tooMany));
      continue;
    }
    const flag = own.get(token.name);
    if (flag !== undefined) {
      const problem = takeFlag(flag, token, flags);
      if (problem !== null) faults.push(faultAt(`--${flag.name}`, problem));
    } else if (configFlags.includes(token.name)) {
      const isTwoWords = token.value !== undefined && token.inlineValue === false;
      configArgv.push(...argv.slice(token.index, token.index + (isTwoWords ? 2 : 1)));
    } else {
      // The parser reads `-5 apples` as one flag for each letter, but the user wrote one argument.
      if (!refusedAt.has(token.index))
        faults.push(
          refuseUnknown(argv[token.index] ?? token.rawName, command, [...own.keys(), ...configFlags]),
        );
      refusedAt.add(token.index);
      followsUnknown = token.inlineValue !== true;
    }
  }
  return { flags, operands, configArgv, faults: [...faults, ...refuseChoice(command, operands)] };
}

const tooMany = "is one argument too many; put quotes around a text with spaces";
const isLateCommand = "is a command, which goes before all flags";

/** Whether the command line asks for help. Behind `--` the same words are text. */
function asksFor(argv: readonly string[], ...names: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some((argument) => names.includes(argument));
}

/** The problem, or null. */
function takeFlag(
  { name, placeholder }: CommandFlag,
  token: Extract<CommandLineToken, { kind: "option" }>,
  flags: Map<string, string | true>,
): string | null {
  if (flags.has(name)) return "is given more than once";
  const value = placeholder === null ? true : readValue(token);
  if (value === true && token.value !== undefined) return "takes no value";
  if (value === undefined) return `needs a value: ${placeholder}`;
  flags.set(name, value);
  return null;
}

function refuseUnknown(written: string, command: Command, known: readonly string[]): ConfigFault {
  const fault = refuseFlag(written.split("=", 1)[0] ?? written, known);
  const takesText = command.operands !== null && command.operands.choices === null;
  return takesText ? addHint(fault, "a text that begins with - goes behind --") : fault;
}

function refuseChoice({ name, operands }: Command, [given]: readonly string[]): readonly ConfigFault[] {
  const choices = operands?.choices?.map((choice) => choice.name) ?? null;
  if (choices === null || (given !== undefined && choices.includes(given))) return [];
  if (given === undefined) return [faultAt(name, `needs one of: ${choices.join(", ")}`)];
  return [addHint(refuseName(given, `${name} command`, given, choices), `it takes ${choices.join(", ")}`)];
}

/** Adds the hint where the fault has no better one. */
function addHint(fault: ConfigFault, hint: string): ConfigFault {
  return fault.problem.includes("did you mean") ? fault : { ...fault, problem: `${fault.problem}; ${hint}` };
}
