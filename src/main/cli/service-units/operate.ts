/** Installs, removes and inspects the service, or shows the steps without taking them. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../../codex/home/private-files.js";
import { hideCredentials } from "../../outbound/outbound-route.js";
import type { CliContext } from "../cli-context.js";
import { exitCodes } from "../exit-codes.js";
import { CommandRefusal, print } from "../outcome.js";
import {
  type LogRequest,
  type Program,
  type ServiceManager,
  type UnitFacts,
  unitMark,
} from "./service-manager.js";

export interface Operation {
  readonly context: CliContext;
  readonly manager: ServiceManager;
  /** Only shows the steps. */
  readonly isDry: boolean;
}

export async function install(operation: Operation, facts: UnitFacts): Promise<number> {
  const { context, manager, isDry } = operation;
  const { unitPath, environmentPath, hint } = manager;
  if (isDry) {
    const network = facts.network.map(([name, value]) => [name, hideCredentials(value)] as const);
    const shown = manager.renderUnit({ ...facts, network });
    return print(context, `# writes ${unitPath}:\n${shown}\n${renderPrograms(manager.afterWriting)}`);
  }
  await findOurUnit(manager);
  await writeUnit(unitPath, manager.renderUnit(facts));
  await runAll(operation, manager.afterWriting);
  const settings = environmentPath === null ? "" : `Settings may go to ${environmentPath}. `;
  return print(
    context,
    `Installed and started: ${unitPath}\n${settings}${hint}\nSee \`codex-native-api health\` and \`codex-native-api service logs\`.\n`,
  );
}

export async function uninstall(operation: Operation): Promise<number> {
  const { context, manager, isDry } = operation;
  const { unitPath, beforeRemoving, afterRemoving } = manager;
  if (isDry) {
    const last = afterRemoving.length === 0 ? "" : renderPrograms(afterRemoving);
    return print(context, `${renderPrograms(beforeRemoving)}# removes ${unitPath}\n${last}`);
  }
  if (!(await findOurUnit(manager))) return print(context, `Nothing is installed at ${unitPath}.\n`);
  await runAll(operation, beforeRemoving);
  await rm(unitPath, { force: true });
  await runAll(operation, afterRemoving);
  return print(context, `Stopped and removed: ${unitPath}\n`);
}

export async function showStatus({ context, manager, isDry }: Operation): Promise<number> {
  if (isDry) return print(context, `${renderProgram(manager.status)}\n`);
  const code = await runOne(context, manager, manager.status);
  if (code === 0) return exitCodes.done;
  return manager.notRunningCodes.includes(code) ? exitCodes.notReady : exitCodes.failed;
}

export async function showLogs(operation: Operation, request: LogRequest): Promise<number> {
  const { context, manager, isDry } = operation;
  const reader = manager.readLogs(request);
  if (isDry) return print(context, `${renderProgram(reader)}\n`);
  await runAll(operation, [reader]);
  return exitCodes.done;
}

async function runAll({ context, manager }: Operation, programs: readonly Program[]): Promise<void> {
  for (const step of programs) {
    const code = await runOne(context, manager, step);
    if (code !== 0 && !step.mayFail)
      throw new CommandRefusal(`\`${renderProgram(step)}\` ended with ${code}`, exitCodes.failed);
  }
}

/** The exit code of the program. */
async function runOne(context: CliContext, manager: ServiceManager, step: Program): Promise<number> {
  const end = await context.runProgram(step.command, step.arguments);
  if (end.outcome === "exited") return end.code;
  const problem =
    end.errorCode === "ENOENT"
      ? `there is no ${step.command} on PATH: this system does not run services by ${manager.name}`
      : `${step.command} cannot be run (${end.errorCode})`;
  throw new CommandRefusal(problem, exitCodes.failed);
}

function renderPrograms(programs: readonly Program[]): string {
  return `# runs:\n${programs.map((step) => `${renderProgram(step)}\n`).join("")}`;
}

function renderProgram({ command, arguments: args }: Program): string {
  return [command, ...args].join(" ");
}

/** Whether our unit is installed. Throws where another file is in its place. */
async function findOurUnit({ unitPath }: ServiceManager): Promise<boolean> {
  const text = await readFile(unitPath, "utf8").catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  });
  if (text === null || text.includes(unitMark)) return text !== null;
  const problem = `${unitPath} was not written by this command; move it away first`;
  throw new CommandRefusal(problem, exitCodes.failed);
}

async function writeUnit(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // An earlier unit may be open to others, and this one may hold a proxy's password.
  await chmod(path, 0o600).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  await writeFile(path, text, { mode: 0o600 });
}
