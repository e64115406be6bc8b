/** Runs one command line: takes it apart into flags, operands and configuration, and calls the command. */
import { parseArgs } from "node:util";
import { type ConfigFault, refuseName } from "../config/faults.js";
import { loadConfig } from "../config/load-config.js";
import { allOptions } from "../config/options.js";
import { packageVersion } from "../version.js";
import type { CliContext } from "./cli-context.js";
import type { Command, CommandFlag, CommandInput } from "./command.js";
import { commands, refuseCommand } from "./commands.js";
import { print, refuse, refuseFaults } from "./configured.js";
import { exitCodes } from "./exit-codes.js";
import { renderCommandHelp, renderOverview } from "./help.js";

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

interface CommandLineRead extends Omit<CommandInput, "commands"> {
  readonly faults: readonly ConfigFault[];
}

type OptionToken = Extract<NonNullable<ReturnType<typeof tokenize>>[number], { kind: "option" }>;

/** Values of configuration flags are not looked at here: `loadConfig` does, with those of the other sources. */
function readCommandLine(argv: readonly string[], command: Command): CommandLineRead {
  const own = new Map(command.flags.map((flag) => [flag.name, flag]));
  const configFlags = command.options === null ? [] : allOptions.flatMap(({ flag }) => flag ?? []);
  const maxOperands = command.operands?.max ?? 0;
  const flags = new Map<string, string | true>();
  const operands: string[] = [];
  const configArgv: string[] = [];
  const faults: ConfigFault[] = [];
  const refusedAt = new Set<number>();
  let followsUnknown = false;
  for (const token of tokenize(argv, command)) {
    const isExpected = !followsUnknown;
    followsUnknown = false;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      // What stands behind an unknown flag is most likely its value: one fault is enough.
      if (operands.length < maxOperands) operands.push(token.value);
      else if (isExpected) faults.push(refuseOperand(token.value));
      continue;
    }
    const flag = own.get(token.name);
    if (flag !== undefined) faults.push(...takeFlag(flag, token, flags));
    else if (configFlags.includes(token.name)) configArgv.push(...asWritten(argv, token));
    else {
      // `-5 apples` is read as one flag a letter; it was written as one thing.
      if (!refusedAt.has(token.index))
        faults.push(refuseFlag(argv[token.index] ?? token.rawName, command, [...own.keys(), ...configFlags]));
      refusedAt.add(token.index);
      followsUnknown = token.inlineValue !== true;
    }
  }
  return { flags, operands, configArgv, faults: [...faults, ...refuseChoice(command, operands)] };
}

/** Whether help is asked for, behind `--` excepted: there it is text. */
function asksFor(argv: readonly string[], ...names: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some((argument) => names.includes(argument));
}

/** Not strict, because strict parsing stops at the first fault. */
function tokenize(argv: readonly string[], command: Command) {
  const own = command.flags.map(
    ({ name, placeholder }) => [name, { type: placeholder === null ? "boolean" : "string" }] as const,
  );
  const config = allOptions.flatMap(({ flag }) =>
    flag === null ? [] : [[flag, { type: "string", multiple: true }] as const],
  );
  const options = Object.fromEntries([...config, ...own]);
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

function takeFlag(
  flag: CommandFlag,
  token: OptionToken,
  flags: Map<string, string | true>,
): readonly ConfigFault[] {
  const source = `--${flag.name}`;
  const refuse = (problem: string) => [{ source, given: null, problem }];
  if (flags.has(flag.name)) return refuse("is given more than once");
  if (flag.placeholder === null) {
    if (token.value !== undefined) return refuse("takes no value");
    flags.set(flag.name, true);
    return [];
  }
  // `--model --json` is a forgotten value; `--model=--json` says that it is meant.
  if (token.value === undefined || (!token.inlineValue && token.value.startsWith("-")))
    return refuse(`needs a value: ${flag.placeholder}`);
  flags.set(flag.name, token.value);
  return [];
}

function refuseFlag(written: string, command: Command, known: readonly string[]): ConfigFault {
  const [name = written] = written.split("=", 1);
  const flags = known.map((flag) => `--${flag}`);
  const fault = refuseName(name, "flag", name, flags);
  const takesText = command.operands !== null && command.operands.choices === null;
  if (!takesText || fault.problem.includes("did you mean")) return fault;
  return { ...fault, problem: `${fault.problem}; a text that begins with - goes behind --` };
}

function asWritten(argv: readonly string[], { index, value, inlineValue }: OptionToken): readonly string[] {
  return argv.slice(index, index + (value !== undefined && inlineValue === false ? 2 : 1));
}

function refuseOperand(value: string): ConfigFault {
  const problem = "is one argument too many; put quotes around a text with spaces";
  return { source: JSON.stringify(value), given: null, problem };
}

function refuseChoice(command: Command, operands: readonly string[]): readonly ConfigFault[] {
  const choices = command.operands?.choices?.map(({ name }) => name) ?? null;
  if (choices === null) return [];
  const [given] = operands;
  if (given === undefined) {
    if (command.operands?.shown.startsWith("[")) return [];
    return [{ source: command.name, given: null, problem: `say which: ${choices.join(", ")}` }];
  }
  if (choices.includes(given)) return [];
  const fault = refuseName(given, `${command.name} command`, given, choices);
  const hint = fault.problem.includes("did you mean") ? "" : `; it takes ${choices.join(", ")}`;
  return [{ ...fault, problem: `${fault.problem}${hint}` }];
}
