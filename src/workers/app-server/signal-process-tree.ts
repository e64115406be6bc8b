import type { ChildProcess } from "node:child_process";

/** Signals a child that leads a process group of its own, and whatever it started. */
export function signalProcessTree(child: ChildProcess, signalName: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-pid, signalName);
  } catch {
    // No groups on this platform, or the group is gone: the child alone, which ignores a signal to the dead.
    child.kill(signalName);
  }
}
