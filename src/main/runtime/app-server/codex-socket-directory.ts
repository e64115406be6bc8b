import { access, constants, lstat } from "node:fs/promises";
import { CodexNativeApiError } from "../../errors.js";

/** Codex's own directory of sockets: it honours no variable, TMPDIR included. Seen in 0.160 to 0.171 on Linux. */
const parent = "/tmp";

/** What Codex says as it ends. The last three come where the directory cannot be made. */
const refusals =
  /app-server socket directory|Read-only file system|Permission denied|No space left on device/;

/**
 * Codex will listen on no unix socket, since its own directory for them belongs to another user, is open to others, or cannot
 * be made. Starting it again does not help; a process for each worker, which needs no socket, does.
 */
export class SocketDirectoryRefused extends CodexNativeApiError {
  /** What is wrong and what to do, with the path: for the log and the doctor. */
  readonly fault: string;

  constructor(fault: string) {
    super(
      "native_runtime_unavailable",
      "Codex cannot use its directory for sockets; `codex-native-api doctor` says why.",
    );
    this.fault = fault;
  }
}

/** Whether an app-server that ended while it started, with these last words, did so for its socket directory. */
export async function readSocketRefusal(stderrTail: string): Promise<SocketDirectoryRefused | null> {
  if (!refusals.test(stderrTail)) return null;
  const fault = await findSocketDirectoryFault();
  if (fault !== null) return new SocketDirectoryRefused(fault);
  // Its own word, where we do not see why: elsewhere the directory may be another.
  return /app-server socket directory/.test(stderrTail)
    ? new SocketDirectoryRefused("Codex says that its socket directory is not private to this user.")
    : null;
}

/** Why Codex will not use its directory for sockets, and what to do; null where nothing is seen to be wrong. */
export async function findSocketDirectoryFault(): Promise<string | null> {
  const uid = process.getuid?.();
  if (process.platform !== "linux" || uid === undefined) return null;
  const path = `${parent}/codex-daemon-${uid}`;
  const found = await lstat(path).catch(() => null);
  if (found === null) {
    const canBeMade = await access(parent, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return canBeMade ? null : `Codex keeps its sockets in ${path}, and this user may not write to ${parent}.`;
  }
  const remove = `Remove it (as root, if need be); Codex makes it again.`;
  if (!found.isDirectory()) return `${path}, where Codex keeps its sockets, is no directory. ${remove}`;
  if (found.uid !== uid)
    return `${path}, where Codex keeps its sockets, belongs to another user (uid ${found.uid}). ${remove}`;
  const mode = found.mode & 0o7777;
  return mode === 0o700
    ? null
    : `${path}, where Codex keeps its sockets, has mode ${mode.toString(8)} and must have 700: chmod 700 ${path}`;
}
