/** How a command ends: what it prints, and its exit code. */
import { isJsonObject } from "../../workers/contract/json.js";
import { type ConfigFault, faultAt, formatFault } from "../config/faults.js";
import { CodexNativeApiError, errorKinds, isErrorCode } from "../errors.js";
import type { CliContext } from "./cli-context.js";
import { exitCodes } from "./exit-codes.js";
import { programName } from "./help.js";
import type { ServiceAnswer } from "./service-client.js";
import { showSafely } from "./terminal.js";

/** Thrown to end a command, from anywhere inside it: the message goes to standard error. */
export class CommandRefusal extends Error {
  override readonly name = "CommandRefusal";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.configuration) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ends a command because of one of its own flags. */
export function refusalOfFlag(name: string, problem: string): CommandRefusal {
  return refusalOfFaults([faultAt(`--${name}`, problem)], "the command line");
}

/** Ends a command with all faults of its command line or configuration. */
export function refusalOfFaults(faults: readonly ConfigFault[], where: string): CommandRefusal {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${formatFault(fault)}`);
  return new CommandRefusal([`${count} in ${where}`, ...lines].join("\n"));
}

/** Prints a line to standard error. */
export function note(context: CliContext, text: string): void {
  context.stderr.write(`${programName}: ${showSafely(text)}\n`);
}

export function print(context: CliContext, text: string): number {
  context.stdout.write(text);
  return exitCodes.done;
}

export function printJson(context: CliContext, value: unknown): number {
  return print(context, `${JSON.stringify(value, null, 2)}\n`);
}

/** Ends a command as the code of an error says; null where it has no code. */
export function refusalOf(code: string | null, message: string): CommandRefusal {
  return new CommandRefusal(code === null ? message : `${message} (${code})`, exitCodeOf(code));
}

/** Ends a command with the error in an answer of the service. */
export function refusalOfAnswer({ status, body }: ServiceAnswer): CommandRefusal {
  const { code, message } = isJsonObject(body?.error) ? body.error : {};
  const text = typeof message === "string" ? message : `the service answered ${status}`;
  return refusalOf(typeof code === "string" ? code : null, text);
}

/** Ends a command with any error. Without a code of its own an error is a failure. */
export function refusalOfError(error: unknown): CommandRefusal {
  if (error instanceof CommandRefusal) return error;
  if (error instanceof CodexNativeApiError) return refusalOf(error.code, error.message);
  return refusalOf(null, error instanceof Error ? error.message : String(error));
}

/** Monitors tell these from a failure, since a later attempt may succeed. */
const notReady: readonly string[] = ["native_login_required", "native_runtime_unavailable"];

function exitCodeOf(code: string | null): number {
  if (code === null || !isErrorCode(code)) return exitCodes.failed;
  if (notReady.includes(code)) return exitCodes.notReady;
  const { status } = errorKinds[code];
  // The output of a model may be invalid too, which is no fault of the command line.
  const isOurs = (/^(invalid|unsupported)_/.test(code) && status < 500) || code === "model_not_found";
  return isOurs || status === 401 ? exitCodes.configuration : exitCodes.failed;
}
