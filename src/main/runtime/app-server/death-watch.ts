import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits for the end of the pipe that only the supervisor holds, which comes however the supervisor ends, then asks the
 * app-server to end and, a second later, ends it with all it started: Codex first waits for turns, which nobody wants now.
 */
const script = 'read -r _; kill -TERM "$1"; sleep 1; kill -KILL "-$1"';
const closeTimeoutMs = 2_000;

export interface WatchedProcess {
  /** Leader of a process group of its own. */
  readonly pid: number;
  /** Its CODEX_HOME, by which the watch too is told to belong to it. */
  readonly codexHome: string;
}

/**
 * A small process beside an app-server that outlives the supervisor by as long as it takes to end the app-server. In unix
 * socket mode Codex does not notice that nobody is left: a host that is killed, crashes or calls `process.exit` would leave it
 * running. No listener of the host's process is needed for that, and none would see a SIGKILL.
 *
 * Where there is no shell (Windows, some containers) nothing watches, and the ledger ends the app-server at the next start.
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
      // A session of its own, so that what is sent to the host's group or terminal does not reach it.
      detached: true,
    });
    // Not started: see above. The pipe fails with it.
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.unref();
    return new DeathWatch(child);
  }

  /** Call when the app-server is gone: its pid may belong to another soon. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    const over = new AbortController();
    await Promise.race([gone, delay(closeTimeoutMs, undefined, { signal: over.signal }).catch(() => {})]);
    over.abort();
  }
}
