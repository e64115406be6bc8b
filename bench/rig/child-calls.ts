import { type ChildProcess, fork } from "node:child_process";
import type { Resources } from "./resources.js";
import { stopProcess } from "./stop-process.js";

interface Call {
  readonly id: number;
  readonly command: unknown;
}

type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };

interface Waiting<A> {
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
}

export interface ChildOptions {
  readonly what: string;
  /** A compiled module that ends in `serveCalls`. */
  readonly module: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Drops what it prints. */
  readonly quiet?: boolean;
}

const stopGraceMs = 5_000;

/** Typed calls to a module in a process of its own. */
export class ChildCalls<C, A> {
  readonly #what: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting<A>>();
  #lastId = 0;

  private constructor({ what, module, env, quiet }: ChildOptions) {
    this.#what = what;
    const stdio = ["ignore", "ignore", quiet === true ? "ignore" : "inherit", "ipc"] as const;
    this.#child = fork(module, { stdio: [...stdio], execArgv: [], ...(env === undefined ? {} : { env }) });
    this.#child.on("message", (answer: Answer) => this.#settle(answer));
    this.#child.on("error", (error) => this.#abandon(error));
    this.#child.once("exit", () => this.#abandon(new Error(`${what} ended`)));
  }

  /** Does not wait for the child: calls do. */
  static async start<C, A>(resources: Resources, options: ChildOptions): Promise<ChildCalls<C, A>> {
    const calls = new ChildCalls<C, A>(options);
    await resources.defer(options.what, () => stopProcess(calls.#child, stopGraceMs));
    return calls;
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  ask(command: C, timeoutMs: number): Promise<A> {
    const call: Call = { id: ++this.#lastId, command };
    let timer: NodeJS.Timeout | undefined;
    return new Promise<A>((resolve, reject) => {
      const late = new Error(`${this.#what} did not answer within ${timeoutMs} ms`);
      timer = setTimeout(() => reject(late), timeoutMs);
      this.#waiting.set(call.id, { resolve, reject });
      if (!this.#child.connected) reject(new Error(`${this.#what} is gone`));
      else this.#child.send(call, (error) => error !== null && reject(error));
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(call.id);
    });
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    // The other side of this file sent it, with the type that both were given.
    if (answer.ok) waiting?.resolve(answer.value as A);
    else waiting?.reject(new Error(answer.message));
  }

  #abandon(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** The other side: answers calls until told to end, or until nobody is there any more to ask. */
export function serveCalls<C, A>(options: {
  readonly obey: (command: C) => Promise<A>;
  readonly close: () => Promise<unknown>;
}): void {
  process.on("message", ({ id, command }: Call) => {
    const reply = (answer: Answer) => process.connected && process.send?.(answer);
    options.obey(command as C).then(
      (value) => reply({ id, ok: true, value }),
      (error: unknown) =>
        reply({ id, ok: false, message: error instanceof Error ? error.message : String(error) }),
    );
  });
  const end = () => {
    options.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once("SIGTERM", end);
  // Also when the benchmark was killed: nobody else would end this process.
  process.once("disconnect", end);
}
