/** Processes that keep cores busy, for as long as whoever started them lives. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface CpuLoad {
  readonly pids: readonly number[];
  /** Ends them all and waits for it. */
  stop(): Promise<void>;
}

/**
 * Spins in short spells and looks between two of them for the end of its input. Only the starter holds the other end of that
 * pipe, so a starter that is killed leaves no spinning process behind.
 */
const spin = `
process.stdin.on("end", () => process.exit()).resume();
const spell = () => { const end = performance.now() + 50; while (performance.now() < end); setImmediate(spell); };
spell();
process.stdout.write("spinning");
`;

export async function startCpuLoad(count: number): Promise<CpuLoad> {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ["--eval", spin], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const stop = async () => void (await Promise.all(children.map(kill)));
  try {
    await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
  } catch (error) {
    await stop();
    throw error;
  }
  return { pids: children.flatMap(({ pid }) => pid ?? []), stop };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
