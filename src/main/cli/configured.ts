/** For commands that read the configuration: the one in force, or every fault of it at once. */

import { type ConfigFault, formatFault } from "../config/faults.js";
import { type ConfigResult, loadConfig } from "../config/load-config.js";
import type { CliContext } from "./cli-context.js";
import type { CommandInput } from "./command.js";
import { exitCodes } from "./exit-codes.js";
import { programName } from "./help.js";
import { showSafely } from "./terminal.js";

export type LoadedConfig = Extract<ConfigResult, { readonly ok: true }>;

export async function withConfig(
  context: CliContext,
  { configArgv }: CommandInput,
  run: (loaded: LoadedConfig) => Promise<number> | number,
): Promise<number> {
  const loaded = loadConfig({ argv: configArgv, env: context.env, machine: context.machine });
  return loaded.ok ? run(loaded) : refuseFaults(context, loaded.faults, "the configuration");
}

export function refuseFaults(context: CliContext, faults: readonly ConfigFault[], where: string): number {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${formatFault(fault)}\n`);
  return refuse(context, `${count} in ${where}\n${lines.join("").trimEnd()}`);
}

/** Says what is wrong where errors go; the exit code says that the command line or the configuration is. */
export function refuse(context: CliContext, text: string, code: number = exitCodes.configuration): number {
  context.stderr.write(`${programName}: ${showSafely(text)}\n`);
  return code;
}

export function print(context: CliContext, text: string): number {
  context.stdout.write(text);
  return exitCodes.done;
}
