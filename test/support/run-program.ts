/** Programs that clients are: started with an environment of their own, from which nothing leaves this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { settlesWithin } from "../../src/workers/contract/wait.js";

/** Whatever goes elsewhere than to this machine goes to a proxy that does not exist. */
const deadProxy = "http://127.0.0.1:9";

/** What programs see of the environment: nothing of the user's. */
export function offlineEnvironment(home: string): Readonly<Record<string, string>> {
  return {
    HOME: home,
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    ...Object.fromEntries(
      ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].map((name) => [name, deadProxy]),
    ),
    no_proxy: "127.0.0.1,localhost",
    NO_PROXY: "127.0.0.1,localhost",
    DO_NOT_TRACK: "1",
    CI: "1",
  };
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Above what any of them prints. */
const maxOutputCharacters = 4 * 1024 * 1024;

/**
 * Runs the program until it ends. After `timeoutMs`, and on an abort, it and all that it has started are ended, as by a terminal that
 * is closed; what it has left running when it ends, too. `code` is -1 where it was ended so.
 */
export async function runProgram(
  [program, ...args]: readonly [string, ...(readonly string[])],
  { timeoutMs = 120_000, signal, cwd, env }: ProgramOptions,
): Promise<Run> {
  // A group of its own: launchers start the program proper, which would outlive them.
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const all = { text: "" };
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      if (all.text.length < maxOutputCharacters) all.text += text;
    });
    return all;
  });
  const end = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, how);
    } catch {
      // Nothing of it is left.
    }
  };
  const leave = () => end("SIGTERM");
  const timer = setTimeout(() => end("SIGKILL"), timeoutMs);
  signal?.addEventListener("abort", leave);
  try {
    const closed = once(child, "close");
    const [code] = await once(child, "exit");
    end("SIGKILL");
    await settlesWithin(closed, 2_000);
    return {
      code: typeof code === "number" ? code : -1,
      stdout: stdout?.text ?? "",
      stderr: stderr?.text ?? "",
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}
