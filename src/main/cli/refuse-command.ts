import { suggestName } from "../config/faults.js";
import type { CliContext } from "./cli-context.js";
import type { Command } from "./command.js";
import { refuse } from "./configured.js";
import { programName } from "./help.js";

/** There is no such command: says which was probably meant. */
export function refuseCommand(context: CliContext, name: string, commands: readonly Command[]): number {
  if (name.startsWith("-")) return refuse(context, `name a command first, such as: ${programName} serve`);
  const names = commands.map((command) => command.name);
  const suggestion = suggestName(name, names);
  const hint = suggestion === null ? `the commands are ${names.join(", ")}` : `did you mean ${suggestion}?`;
  return refuse(context, `there is no command ${JSON.stringify(name)}; ${hint}`);
}
