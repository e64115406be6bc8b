import { setTimeout as delay } from "node:timers/promises";
import { isStillRunning, type ProcessIdentity } from "./process-identity.js";

const pollMs = 20;

/** Answers false when there is nobody to signal. With `group`, the whole group of which it is the leader. */
export function signalProcess(
  pid: number,
  signal: NodeJS.Signals,
  { group }: { readonly group: boolean } = { group: false },
): boolean {
  try {
    process.kill(group && process.platform !== "win32" ? -pid : pid, signal);
    return true;
  } catch {
    // ESRCH: gone. EPERM: it changed its user and is not ours to end. Either way the caller sees whether it goes.
    return false;
  }
}

/** For processes that are not children of ours: those are awaited by their `exit` event. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isStillRunning(identity)) {
    if (performance.now() >= deadline) return false;
    await delay(pollMs);
  }
  return true;
}
