import { access, constants, lstat } from "node:fs/promises";
import { CodexNativeApiError } from "../../errors.js";

/** Codex keeps its socket directory here and ignores every variable, TMPDIR included. Seen in 0.160 to 0.171 on Linux. */
const parent = "/tmp";

/** What Codex prints before it exits. The last three appear when it cannot create the directory. */
const refusals =
  /app-server socket directory|Read-only file system|Permission denied|No space left on device/;

/**
 * Codex refuses to listen on any unix socket, because its socket directory belongs to another user, is open to others, or
 * cannot be created. A restart does not help; an app-server on stdio does, since it needs no socket.
 */
export class SocketDirectoryRefused extends CodexNativeApiError {
  /** What is wrong and how to fix it, with the path: for the log and `doctor`. */
  readonly fault: string;

  constructor(fault: string) {
    super(
      "native_runtime_unavailable",
      "Codex cannot use its socket directory. Run `codex-native-api doctor` to see why.",
    );
    this.fault = fault;
  }
}

/** Tells from its stderr whether an app-server ended during its start because of the socket directory; null if not. */
export async function readSocketRefusal(stderrTail: string): Promise<SocketDirectoryRefused | null> {
  if (!refusals.test(stderrTail)) return null;
  const fault = await findSocketDirectoryFault();
  if (fault !== null) return new SocketDirectoryRefused(fault);
  // We see no fault, but Codex names the directory: on other systems it may be another one.
  return /app-server socket directory/.test(stderrTail)
    ? new SocketDirectoryRefused("Codex says that its socket directory is not private to this user.")
    : null;
}

/** Says why Codex will not use its socket directory, and how to fix it; null if it finds no fault. */
export async function findSocketDirectoryFault(): Promise<string | null> {
  const uid = process.getuid?.();
  if (process.platform !== "linux" || uid === undefined) return null;
  const path = `${parent}/codex-daemon-${uid}`;
  const found = await lstat(path).catch(() => null);
  if (found === null) {
    const canCreate = await access(parent, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return canCreate ? null : `Codex keeps its sockets in ${path}, and this user may not write to ${parent}.`;
  }
  const remove = `Remove it, as root if necessary; Codex creates it again.`;
  if (!found.isDirectory()) return `${path}, where Codex keeps its sockets, is not a directory. ${remove}`;
  if (found.uid !== uid)
    return `${path}, where Codex keeps its sockets, belongs to another user (uid ${found.uid}). ${remove}`;
  const mode = found.mode & 0o7777;
  return mode === 0o700
    ? null
    : `${path}, where Codex keeps its sockets, has mode ${mode.toString(8)} and must have 700: chmod 700 ${path}`;
}
