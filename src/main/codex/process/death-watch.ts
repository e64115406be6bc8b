import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { settlesWithin } from "../../../workers/contract/wait.js";

/**
 * Reads from a pipe that only the supervisor holds. The pipe closes however the supervisor ends; the script then sends the
 * app-server SIGTERM, and a second later SIGKILL to its whole process group: Codex would otherwise wait for its turns, whose
 * results have no reader any more.
 */
const script = 'read -r _; kill -TERM "$1"; sleep 1; kill -KILL "-$1"';
const closeTimeoutMs = 2_000;

export interface WatchedProcess {
  /** Leader of a process group of its own. */
  readonly pid: number;
  /** Its CODEX_HOME. The watch gets it too, so that its environment shows whose it is. */
  readonly codexHome: string;
}

/**
 * A small process that ends an app-server when the supervisor ends. On a unix socket Codex does not notice that its
 * supervisor is gone: without the watch, a host that is killed, crashes or calls `process.exit` would leave it running. A
 * listener in the host's process could not do this, since it would not see a SIGKILL.
 *
 * Where no shell can run (Windows, some containers) there is no watch; the next start ends the app-server by the pid ledger.
 */
export class DeathWatch {
  readonly #child: ChildProcess;
  #closing: Promise<void> | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start({ pid, codexHome }: WatchedProcess): DeathWatch {
    const child = spawn("/bin/sh", ["-c", script, "codex-native-api-watch", String(pid)], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", CODEX_HOME: codexHome },
      stdio: ["pipe", "ignore", "ignore"],
      // In a session of its own, so that signals to the host's process group or terminal do not reach it.
      detached: true,
    });
    // Without a shell there is no watch (see the class comment); writing to the pipe then fails too.
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.unref();
    return new DeathWatch(child);
  }

  /** Ends the watch. Call as soon as the app-server has exited: the system may reuse its pid. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await settlesWithin(gone, closeTimeoutMs);
  }
}
