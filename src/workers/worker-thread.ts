import type { MessagePort } from "node:worker_threads";
import { AppServerConnection } from "./app-server/connection.js";
import type { ControlInput, ControlOutput } from "./contract/control-messages.js";
import type { AttachTask, TurnTask } from "./contract/tasks.js";
import type { TurnPortOutput } from "./contract/turn-messages.js";
import { WorkerReporter } from "./health/worker-reporter.js";
import { runNativeQuery } from "./native-queries.js";
import { classifyCallFailure } from "./turn/call-failure.js";
import { NativeTurn } from "./turn/native-turn.js";
import { unloadThread } from "./turn/unload-thread.js";

/** What one thread holds for its life: a connection to the app-server, a control port, and the turns under way. */
export class WorkerThread {
  readonly #controlPort: MessagePort;
  readonly #generation: number;
  readonly #workDirectory: string;
  readonly #connection: AppServerConnection;
  readonly #reporter: WorkerReporter;

  constructor(task: AttachTask) {
    this.#controlPort = task.controlPort;
    this.#generation = task.workerGeneration;
    this.#workDirectory = task.workDirectory;
    this.#reporter = new WorkerReporter({
      intervalMs: task.reportIntervalMs,
      send: (report) => this.#post({ type: "report", report }),
      reconnects: () => this.#connection.reconnects,
    });
    this.#connection = new AppServerConnection({
      clientName: "codex-native-api",
      clientVersion: task.clientVersion,
      countFault: this.#reporter.countFault,
      callbacks: {
        onStateChange: (change) => this.#post({ type: "connection", ...change }),
        onAccountNotice: (method, params) => this.#post({ type: "account_notice", method, params }),
        onChild: (pid) => this.#post({ type: "child", pid }),
      },
    });
  }

  start(): void {
    this.#controlPort.on("message", this.#onControl);
    this.#reporter.start();
  }

  async runTurn(task: TurnTask): Promise<void> {
    if (task.workerGeneration !== this.#generation) return refuseTurn(task.port);
    this.#reporter.turnStarted();
    try {
      const turn = new NativeTurn(task.assignment, task.port, {
        connection: this.#connection,
        workDirectory: this.#workDirectory,
        countFault: this.#reporter.countFault,
      });
      await turn.run();
    } finally {
      this.#reporter.turnEnded();
    }
  }

  readonly #onControl = (message: ControlInput): void => {
    switch (message.type) {
      case "connect":
        return this.#connection.connect(message.endpoint, message.appServerGeneration);
      case "disconnect":
        return void this.#connection.disconnect();
      case "release_thread":
        return void unloadThread(this.#connection, message.threadId, this.#reporter.countFault);
      case "status":
        return this.#postStatus();
      case "query":
        return void this.#answerQuery(message);
      case "close":
        return void this.#close();
    }
  };

  #postStatus(): void {
    const { state, appServerGeneration, codexVersion } = this.#connection;
    this.#post({ type: "connection", state, appServerGeneration, codexVersion, reason: null });
  }

  async #answerQuery(message: Extract<ControlInput, { readonly type: "query" }>): Promise<void> {
    const { queryId, query, timeoutMs } = message;
    try {
      const answer = await runNativeQuery(this.#connection, query, timeoutMs);
      this.#post({ type: "answer", queryId, answer });
    } catch (error) {
      this.#post({ type: "query_failed", queryId, error: classifyCallFailure(error) });
    }
  }

  async #close(): Promise<void> {
    this.#reporter.stop();
    await this.#connection.close();
    this.#post({ type: "closed" });
    this.#controlPort.off("message", this.#onControl);
    this.#controlPort.close();
  }

  #post(message: ControlOutput): void {
    this.#controlPort.postMessage(message);
  }
}

/** For a turn that was meant for a thread which died before it got there. */
export function refuseTurn(port: MessagePort): void {
  const refusal: TurnPortOutput = {
    type: "events",
    events: [
      {
        type: "turn.ended",
        outcome: {
          status: "failed",
          error: {
            code: "native_runtime_unavailable",
            message: "The worker thread that was to run the turn is gone.",
            infrastructure: true,
          },
        },
      },
    ],
  };
  port.postMessage(refusal);
  port.close();
}
