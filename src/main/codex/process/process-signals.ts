import { setTimeout as delay } from "node:timers/promises";
import { isStillRunning, type ProcessIdentity } from "./process-identity.js";

const pollMs = 20;

/** Signals a process, or with `group` the whole process group that it leads. Returns false if it could not be signalled. */
export function signalProcess(
  pid: number,
  signal: NodeJS.Signals,
  { group }: { readonly group: boolean } = { group: false },
): boolean {
  try {
    process.kill(group && process.platform !== "win32" ? -pid : pid, signal);
    return true;
  } catch {
    // ESRCH: it has ended. EPERM: it changed its user, and we may not signal it. The caller checks whether it ends.
    return false;
  }
}

/**
 * Polls until the process has ended, and resolves with whether it did in time. For a child, await its `exit` event instead.
 */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isStillRunning(identity)) {
    if (performance.now() >= deadline) return false;
    await delay(pollMs);
  }
  return true;
}
