import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Contestant, TurnClock, type TurnSample, turnDeadlineMs } from "./contestant.js";

export interface CodexExecOptions {
  readonly codexPath: string;
  readonly model: string;
  readonly workDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** `codex exec` for every turn. The binary itself, without the launcher in front of it that npm installs. */
export class CodexExecContestant implements Contestant {
  readonly name = "codex exec";
  readonly servicePid = null;
  readonly appServerPid = null;
  readonly #options: CodexExecOptions;

  constructor(options: CodexExecOptions) {
    this.#options = options;
  }

  async runTurn(prompt: string): Promise<TurnSample> {
    const { codexPath, model, workDirectory, environment } = this.#options;
    const clock = new TurnClock();
    const child = promisify(execFile)(
      codexPath,
      ["exec", "--skip-git-repo-check", "--sandbox", "read-only", "--model", model, prompt],
      { cwd: workDirectory, env: { ...environment }, timeout: turnDeadlineMs, killSignal: "SIGKILL" },
    );
    // It waits for the end of a piped standard input.
    child.child.stdin?.end();
    clock.noteWhole((await child).stdout.trim());
    return clock.finish();
  }
}
