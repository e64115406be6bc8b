import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { testCodexBin } from "./codex-version.js";
import { createChatGptLogin, OfflineBackend } from "./offline-backend/index.js";
import { makeTemporaryDirectory, refuseLeftovers } from "./runtime-harness.js";

export const cliPath = fileURLToPath(new URL("../../src/main/cli.js", import.meta.url));

/** What `npm run test:node` tells the Nodes that tests start with an environment of their own; no variable in any other run. */
export const givenNodeOptions: { readonly NODE_OPTIONS?: string } =
  process.env.TEST_NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS: process.env.TEST_NODE_OPTIONS };

export interface LogLine {
  readonly event?: string;
  readonly msg?: string;
  readonly [key: string]: unknown;
}

/** A directory of its own, a backend, and a Codex home that is logged in there. */
export async function prepareLogin(t: Pick<Test, "teardown">) {
  const root = await makeTemporaryDirectory(t);
  t.teardown(() => refuseLeftovers(root));
  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  const userHome = join(root, "codex");
  await createChatGptLogin({ home: userHome, backend });
  return { root, backend, userHome };
}

/** What a command in that directory sees: its own state, and port 0, so that there is no service to be asked. */
export function commandEnvironment(root: string, backend: OfflineBackend) {
  return {
    ...backend.environment(),
    HOME: root,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: join(root, "codex"),
    CODEX_NATIVE_API_STATE_DIR: join(root, "state"),
    CODEX_NATIVE_API_PORT: "0",
  };
}

/** What a command needs. */
export async function prepareCommand(t: Pick<Test, "teardown">) {
  const prepared = await prepareLogin(t);
  const environment = commandEnvironment(prepared.root, prepared.backend);
  return { ...prepared, environment, stateDir: environment.CODEX_NATIVE_API_STATE_DIR };
}

/** `codex-native-api serve` as a process of its own. */
export class ServeProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #waiting = new Set<() => void>();

  constructor(
    t: Pick<Test, "teardown">,
    environment: Readonly<Record<string, string>>,
    argv: readonly string[] = [],
    /** A service manager's, which gets no variable but those of `environment`. */
    managed: { readonly command: readonly string[]; readonly cwd: string } | null = null,
  ) {
    const [path = "", ...rest] = managed?.command ?? [process.execPath, cliPath, "serve"];
    this.child = spawn(path, [...rest, ...argv], {
      ...(managed !== null && { cwd: managed.cwd }),
      env: {
        ...(managed === null && testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
        ...(managed === null && givenNodeOptions),
        ...environment,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.exited = once(this.child, "exit").then(([code, signal]) => ({ code, signal }));
    if (this.child.stdout !== null) {
      createInterface({ input: this.child.stdout }).on("line", (line) => this.#receive(line));
    }
    t.teardown(async () => {
      // Killed outright it would leave its app-server to the next start, and a test has none.
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => this.child.kill("SIGKILL"), 20_000);
      await this.exited;
      clearTimeout(timer);
    });
  }

  /** The first log line of this event, old or to come. */
  async waitFor(event: string, timeoutMs = 60_000): Promise<LogLine> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const line = this.lines.find((candidate) => candidate.event === event);
      if (line !== undefined) return line;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no ${event} in the log: ${JSON.stringify(this.lines)}`);
      await this.#nextLine(leftMs);
    }
  }

  #nextLine(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  #receive(line: string): void {
    this.lines.push(JSON.parse(line));
    for (const wake of [...this.#waiting]) wake();
  }
}

export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Any other command as a process of its own. */
export class CommandProcess {
  readonly child: ChildProcess;
  /** Settles once the process and its pipes are closed. */
  readonly ended: Promise<CommandEnd>;
  readonly #texts = { stdout: "", stderr: "" };
  readonly #waiting = new Set<() => void>();

  constructor(
    t: Pick<Test, "teardown">,
    environment: Readonly<Record<string, string>>,
    argv: readonly string[],
    input: string | null = null,
  ) {
    this.child = spawn(process.execPath, [cliPath, ...argv], {
      env: {
        ...(testCodexBin !== null && { CODEX_NATIVE_API_CODEX_BIN: testCodexBin }),
        ...givenNodeOptions,
        ...environment,
      },
      stdio: [input === null ? "ignore" : "pipe", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const) {
      this.child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this.#texts[name] += text;
        for (const wake of [...this.#waiting]) wake();
      });
    }
    this.child.stdin?.end(input);
    this.ended = once(this.child, "close").then(([code]) => ({ code, ...this.#texts }));
    t.teardown(async () => {
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => this.child.kill("SIGKILL"), 20_000);
      await this.ended;
      clearTimeout(timer);
    });
  }

  /** Resolves with the match once standard output holds it; rejects when the process ends without. */
  async untilPrinted(pattern: RegExp): Promise<RegExpExecArray> {
    const isOver = this.ended.then(() => true);
    for (;;) {
      const match = pattern.exec(this.#texts.stdout);
      if (match !== null) return match;
      const more = new Promise<boolean>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve(false);
        };
        this.#waiting.add(wake);
      });
      if (await Promise.race([isOver, more]))
        throw new Error(`ended without ${pattern}: ${JSON.stringify(this.#texts)}`);
    }
  }
}

/** Runs a command to its end. */
export function runCommandProcess(
  t: Pick<Test, "teardown">,
  environment: Readonly<Record<string, string>>,
  argv: readonly string[],
  input: string | null = null,
): Promise<CommandEnd> {
  return new CommandProcess(t, environment, argv, input).ended;
}
