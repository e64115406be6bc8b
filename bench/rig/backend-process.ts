import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type {
  BackendCall,
  BackendCommand,
  BackendMessage,
  ReplyPlan,
  RequestSummary,
} from "./backend-messages.js";
import type { Resources } from "./resources.js";
import { stopProcess } from "./stop-process.js";

const startTimeoutMs = 20_000;
const answerTimeoutMs = 20_000;
const stopGraceMs = 5_000;

interface Waiting {
  readonly resolve: (requests: readonly RequestSummary[]) => void;
  readonly reject: (error: Error) => void;
}

/** The offline backend in a process of its own. */
export class BackendProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #environment: Readonly<Record<string, string>> = {};
  #lastId = 0;

  private constructor() {
    this.#child = fork(fileURLToPath(new URL("./backend-main.js", import.meta.url)), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    this.#child.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the offline backend ended"));
      this.#waiting.clear();
    });
  }

  static async start(resources: Resources): Promise<BackendProcess> {
    const backend = new BackendProcess();
    await resources.defer("offline backend", () => backend.#stop());
    await backend.#untilListening();
    return backend;
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** What a Codex process must have in its environment. */
  get environment(): Readonly<Record<string, string>> {
    return this.#environment;
  }

  async setReply(plan: ReplyPlan): Promise<void> {
    await this.#ask({ type: "reply", plan });
  }

  async createLogin(home: string): Promise<void> {
    await this.#ask({ type: "login", home });
  }

  /** The model requests made while `action` ran; of many the last ones. */
  async recordRequests(action: () => Promise<unknown>): Promise<readonly RequestSummary[]> {
    await this.#ask({ type: "forget" });
    await action();
    return this.#ask({ type: "requests" });
  }

  async #untilListening(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error("the offline backend did not start")), startTimeoutMs);
      this.#child.once("exit", () => reject(new Error("the offline backend ended at its start")));
      this.#child.on("message", (message: BackendMessage) => {
        if (message.type === "listening") {
          this.#environment = message.environment;
          resolve();
        } else this.#settle(message);
      });
    }).finally(() => clearTimeout(timer));
  }

  #settle(message: Exclude<BackendMessage, { type: "listening" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.requests);
    else waiting?.reject(new Error(message.message));
  }

  async #ask(command: BackendCommand): Promise<readonly RequestSummary[]> {
    const call: BackendCall = { id: ++this.#lastId, command };
    let timer: NodeJS.Timeout | undefined;
    return new Promise<readonly RequestSummary[]>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer to ${command.type}`)), answerTimeoutMs);
      this.#waiting.set(call.id, { resolve, reject });
      this.#child.send(call, (error) => {
        if (error !== null) reject(error);
      });
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(call.id);
    });
  }

  async #stop(): Promise<void> {
    await stopProcess(this.#child, stopGraceMs);
  }
}
