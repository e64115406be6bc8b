import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { AppServerConnection } from "./app-server/connection.js";
import type { AttachTask, ControlInput, ControlOutput, TurnTask } from "./contract/control-messages.js";
import type { TurnErrorData } from "./contract/errors.js";
import { LoopShare } from "./contract/pace.js";
import type { TurnPortInput, TurnPortOutput } from "./contract/turn-messages.js";
import { WorkerReporter } from "./health/worker-reporter.js";
import { runNativeQuery } from "./native-queries.js";
import { classifyCallFailure } from "./turn/call-failure.js";
import { type TurnContext, unloadThread } from "./turn/native-thread.js";
import { NativeTurn } from "./turn/native-turn.js";
import { WorkerConnections } from "./worker-connections.js";

/** One worker: its connections to app-servers, its control port, and its turns. */
export class WorkerThread {
  readonly #controlPort: MessagePort;
  readonly #generation: number;
  readonly #workDirectory: string;
  readonly #loopShare = new LoopShare();
  readonly #connections: WorkerConnections;
  readonly #reporter: WorkerReporter;

  constructor(task: AttachTask) {
    this.#controlPort = task.controlPort;
    this.#generation = task.workerGeneration;
    this.#workDirectory = task.workDirectory;
    this.#reporter = new WorkerReporter({
      intervalMs: task.reportIntervalMs,
      send: (report) => this.#post({ type: "report", report }),
      reconnects: () => this.#connections.reconnects,
      hangingCalls: () => this.#connections.hangingCalls,
      now: () => performance.now(),
    });
    this.#connections = new WorkerConnections({
      clientVersion: task.clientVersion,
      probeIdleMs: task.probeIdleMs,
      countFault: this.#reporter.countFault,
      post: (message) => this.#post(message),
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
      await this.#connections.hold((connection) => {
        return takeTurn(task.port, this.#contextOf(connection)).run();
      });
    } catch {
      this.#reporter.countFault("turn_not_begun");
      refuse(task.port, unreadable);
    } finally {
      this.#reporter.turnEnded();
    }
  }

  readonly #onControl = (message: ControlInput): void => {
    const { current } = this.#connections;
    switch (message.type) {
      case "connect":
        return this.#connections.connect(message.endpoint, message.appServerGeneration);
      case "disconnect":
        return void current.disconnect();
      case "release_thread":
        return void this.#releaseThread(current, message.threadId);
      case "prove":
        return this.#connections.prove(message.proof);
      case "query":
        return void this.#answerQuery(message);
      case "close":
        return void this.#close();
    }
  };

  #contextOf(connection: AppServerConnection): TurnContext {
    const { countFault } = this.#reporter;
    return { connection, workDirectory: this.#workDirectory, countFault, loopShare: this.#loopShare };
  }

  async #releaseThread(connection: AppServerConnection, threadId: string): Promise<void> {
    await unloadThread(connection, threadId, this.#reporter.countFault);
    this.#post({ type: "thread_released", threadId });
  }

  async #answerQuery(message: Extract<ControlInput, { readonly type: "query" }>): Promise<void> {
    const { queryId, query, timeoutMs } = message;
    try {
      const answer = await runNativeQuery(this.#contextOf(this.#connections.current), query, {
        timeoutMs,
        onOverdue: () => this.#post({ type: "query_overdue", queryId }),
      });
      this.#post({ type: "answer", queryId, answer });
    } catch (error) {
      this.#post({ type: "query_failed", queryId, error: classifyCallFailure(error) });
    }
  }

  async #close(): Promise<void> {
    this.#reporter.stop();
    await this.#connections.close();
    this.#post({ type: "closed" });
    this.#controlPort.off("message", this.#onControl);
    this.#controlPort.close();
  }

  #post(message: ControlOutput): void {
    this.#controlPort.postMessage(message);
  }
}

/** Takes the assignment, which the supervisor put into the port before it sent the port here. Throws without a valid one. */
function takeTurn(port: MessagePort, context: TurnContext): NativeTurn {
  const first: { readonly message: TurnPortInput } | undefined = receiveMessageOnPort(port);
  if (first?.message.type !== "assignment") throw new Error("A turn's port holds no assignment.");
  return new NativeTurn(first.message.assignment, port, context);
}

/** Refuses a turn that was assigned to a worker which died before the turn arrived. */
export function refuseTurn(port: MessagePort): void {
  refuse(port, {
    code: "native_runtime_unavailable",
    message: "The worker thread that was to run the turn is gone.",
    infrastructure: true,
  });
}

const unreadable: TurnErrorData = {
  code: "invalid_request",
  message: "The request is not of the shape that a turn has.",
};

function refuse(port: MessagePort, error: TurnErrorData): void {
  const refusal: TurnPortOutput = {
    type: "events",
    events: [{ type: "turn.ended", outcome: { status: "failed", error } }],
  };
  port.postMessage(refusal);
  port.close();
}
