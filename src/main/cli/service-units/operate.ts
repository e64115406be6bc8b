/** Installs, removes and asks after the service, or says what that would mean. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../../runtime/app-server/private-files.js";
import type { CliContext } from "../cli-context.js";
import { print, refuse } from "../configured.js";
import { exitCodes } from "../exit-codes.js";
import {
  type LogRequest,
  type Program,
  type ServiceManager,
  type UnitFacts,
  unitMark,
} from "./service-manager.js";
import { hideCredentials } from "./shell-settings.js";

export interface Operation {
  readonly context: CliContext;
  readonly manager: ServiceManager;
  /** Says what would be done, and does nothing. */
  readonly isDry: boolean;
}

export async function install(operation: Operation, facts: UnitFacts): Promise<number> {
  const { context, manager, isDry } = operation;
  if (isDry) {
    const network = facts.network.map(([name, value]) => [name, hideCredentials(value)] as const);
    const shown = manager.renderUnit({ ...facts, network });
    return print(
      context,
      `# writes ${manager.unitPath}:\n${shown}\n# runs:\n${renderPrograms(manager.afterWriting)}`,
    );
  }
  if ((await inspectUnit(manager.unitPath)) === "another's") return refuseAnothers(operation);
  await writeUnit(manager.unitPath, manager.renderUnit(facts));
  const code = await runAll(operation, manager.afterWriting);
  if (code !== exitCodes.done) return code;
  const settings = manager.environmentPath === null ? "" : `Settings may go to ${manager.environmentPath}. `;
  return print(
    context,
    `Installed and started: ${manager.unitPath}\n${settings}${manager.hint}\nSee \`codex-native-api health\` and \`codex-native-api service logs\`.\n`,
  );
}

export async function uninstall(operation: Operation): Promise<number> {
  const { context, manager, isDry } = operation;
  if (isDry) {
    const steps = [
      `# runs:\n${renderPrograms(manager.beforeRemoving)}`,
      `# removes ${manager.unitPath}\n`,
      manager.afterRemoving.length === 0 ? "" : `# runs:\n${renderPrograms(manager.afterRemoving)}`,
    ];
    return print(context, steps.join(""));
  }
  const state = await inspectUnit(manager.unitPath);
  if (state === "none") return print(context, `Nothing is installed at ${manager.unitPath}.\n`);
  if (state === "another's") return refuseAnothers(operation);
  const stopped = await runAll(operation, manager.beforeRemoving);
  if (stopped !== exitCodes.done) return stopped;
  await removeUnit(manager.unitPath);
  const code = await runAll(operation, manager.afterRemoving);
  return code === exitCodes.done ? print(context, `Stopped and removed: ${manager.unitPath}\n`) : code;
}

export async function tellStatus({ context, manager, isDry }: Operation): Promise<number> {
  if (isDry) return print(context, renderPrograms([manager.status]));
  const end = await runOne(context, manager, manager.status);
  if (typeof end === "string") return refuse(context, end, exitCodes.failed);
  if (end === 0) return exitCodes.done;
  return manager.notRunningCodes.includes(end) ? exitCodes.notReady : exitCodes.failed;
}

export async function showLogs(operation: Operation, request: LogRequest): Promise<number> {
  const { context, manager, isDry } = operation;
  const reader = manager.readLogs(request);
  return isDry ? print(context, renderPrograms([reader])) : runAll(operation, [reader]);
}

async function runAll({ context, manager }: Operation, programs: readonly Program[]): Promise<number> {
  for (const step of programs) {
    const end = await runOne(context, manager, step);
    if (typeof end === "string") return refuse(context, end, exitCodes.failed);
    if (end !== 0 && !step.mayFail)
      return refuse(context, `\`${renderProgram(step)}\` ended with ${end}`, exitCodes.failed);
  }
  return exitCodes.done;
}

/** The exit code, or why there is none. */
async function runOne(context: CliContext, manager: ServiceManager, step: Program): Promise<number | string> {
  const end = await context.runProgram(step.command, step.arguments);
  if (end.outcome === "exited") return end.code;
  if (end.errorCode === "ENOENT")
    return `there is no ${step.command} on PATH: this system does not run services by ${manager.name}`;
  return `${step.command} cannot be run (${end.errorCode})`;
}

function refuseAnothers({ context, manager }: Operation): number {
  const text = `${manager.unitPath} was not written by this command; move it away first`;
  return refuse(context, text, exitCodes.failed);
}

function renderPrograms(programs: readonly Program[]): string {
  return programs.map((step) => `${renderProgram(step)}\n`).join("");
}

function renderProgram({ command, arguments: args }: Program): string {
  return [command, ...args].join(" ");
}

/** What lies at a unit's place. */
type UnitState = "none" | "ours" | "another's";

async function inspectUnit(path: string): Promise<UnitState> {
  try {
    return (await readFile(path, "utf8")).includes(unitMark) ? "ours" : "another's";
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "none";
    throw error;
  }
}

async function writeUnit(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // One of before may be open to others, and this one may hold a proxy's password.
  await chmod(path, 0o600).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  await writeFile(path, text, { mode: 0o600 });
}

async function removeUnit(path: string): Promise<void> {
  await rm(path, { force: true });
}
