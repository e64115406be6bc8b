/** A command of the newcomer's that runs on, as a process group of its own: npx is its parent, and a terminal's Ctrl-C reaches both. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createDeferred, waitWithin } from "../../src/workers/contract/wait.js";

interface StepEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 120_000;

export class StepProcess {
  readonly ended: Promise<StepEnd>;
  readonly #child: ChildProcess;
  readonly #texts = { stdout: "", stderr: "" };
  #more = createDeferred<void>();

  constructor(command: string, argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const name of ["stdout", "stderr"] as const) {
      this.#child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this.#texts[name] += text;
        this.#more.resolve();
        this.#more = createDeferred();
      });
    }
    const closed = once(this.#child, "close").then(([code]) => ({ code, ...this.#texts }));
    this.ended = waitWithin(closed, { timeoutMs }, () => {
      this.#signal("SIGKILL");
      throw new Error(`${argv.join(" ")} did not end: ${JSON.stringify(this.#texts)}`);
    });
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    this.#signal("SIGINT");
  }

  /** Resolves with the match once standard output holds it; rejects when the process ends without. */
  async untilPrinted(pattern: RegExp): Promise<RegExpExecArray> {
    const isOver = this.ended.then(() => true);
    for (;;) {
      const match = pattern.exec(this.#texts.stdout);
      if (match !== null) return match;
      if (await Promise.race([isOver, this.#more.promise.then(() => false)]))
        throw new Error(`ended without ${pattern}: ${JSON.stringify(this.#texts)}`);
    }
  }

  #signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
  }
}
