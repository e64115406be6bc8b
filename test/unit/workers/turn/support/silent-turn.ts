/** One turn of a worker's on an app-server that answers its calls and, by itself, says nothing of the turn. */
import { mock } from "node:test";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Test } from "tap";
import { LoopShare } from "../../../../../src/workers/contract/pace.js";
import type { TurnAssignment } from "../../../../../src/workers/contract/turn.js";
import type {
  TurnEvent,
  TurnOutcome,
  TurnPortInput,
  TurnPortNotice,
  TurnPortOutput,
} from "../../../../../src/workers/contract/turn-messages.js";
import { NativeTurn } from "../../../../../src/workers/turn/native-turn.js";
import {
  answerHandshake,
  type MemoryPeer,
  type ReceivedMessage,
} from "../../../../support/memory-transport.js";
import { packed } from "../../../../support/packed-items.js";
import { userMessage } from "../../../../support/runtime-harness.js";
import { ConnectionHarness } from "../../app-server/support/connection-harness.js";

export const minuteMs = 60_000;
export const limitMs = 15 * minuteMs;
const scope = { threadId: "thread", turnId: "turn" };

const assignment: TurnAssignment = {
  turnKey: "turn",
  thread: {
    form: "lean",
    isLite: false,
    modelCatalog: null,
    model: "deep-thinker",
    instructions: "",
    tools: [],
    webSearch: null,
    verbosity: null,
  },
  turn: { effort: "high", summary: null, serviceTier: null, outputSchema: null },
  items: packed(userMessage("one"), userMessage("two")),
  directives: [],
  nativeThread: { kind: "fresh" },
  followed: true,
  keepThread: false,
  idleTimeoutMs: limitMs,
};

/** What the app-server says when it is asked how the thread stands. */
type Standing = "active" | "idle" | "systemError" | "unknown" | "no answer";

/** Runs on mocked timers, which `pass` turns. */
export class SilentTurn {
  standing: Standing = "active";
  /** False: the app-server answers nothing any more. */
  answers = true;
  /** What `turn/interrupt` does. */
  interrupts: "end the turn" | "are taken" | "are refused" = "end the turn";
  /** False: `turn/start` is answered by `answerStart`. */
  answersStart: boolean;
  nowMs = 0;
  readonly faults: string[] = [];
  readonly calls: (string | undefined)[] = [];
  readonly events: TurnEvent[] = [];
  readonly #harness: ConnectionHarness;
  readonly #port: MessagePort;
  readonly #itsPort: MessagePort;

  private constructor(t: Test, answersStart: boolean) {
    this.answersStart = answersStart;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#itsPort = port2;
    t.teardown(() => port1.close());
    this.#harness = new ConnectionHarness(t, { now: () => this.nowMs });
    this.#harness.onReceived = (message, peer) => this.#answer(message, peer);
  }

  /** A turn that Codex has started, if `answersStart`, and of whose model nothing is heard. */
  static async start(t: Test, answersStart = true): Promise<SilentTurn> {
    const turn = new SilentTurn(t, answersStart);
    await turn.#harness.connect();
    turn.#port.on("message", (message: TurnPortOutput | TurnPortNotice) => {
      if (message.type === "events") turn.events.push(...message.events);
    });
    const context = {
      connection: turn.#harness.connection,
      workDirectory: "/nowhere",
      countFault: (name: string) => turn.faults.push(name),
      loopShare: new LoopShare(),
    };
    void new NativeTurn(assignment, turn.#itsPort, context).run();
    await turn.pass(1_000);
    return turn;
  }

  get outcome(): TurnOutcome | null {
    const last = this.events.at(-1);
    return last?.type === "turn.ended" ? last.outcome : null;
  }

  countCalls(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  answerStart: () => void = () => {};

  cancel(): void {
    this.#port.postMessage({ type: "cancel" } satisfies TurnPortInput);
  }

  tell(method: string, params: object): void {
    this.#harness.peer.send({ method, params: { ...scope, ...params } });
  }

  /** Lets time pass, up to the turn's end. The answer is how much passed. */
  async pass(ms: number): Promise<number> {
    const until = this.nowMs + ms;
    while (this.nowMs < until && this.outcome === null) {
      this.nowMs += 500;
      mock.timers.tick(500);
      await this.settle();
    }
    return ms - (until - this.nowMs);
  }

  /** What timers and messages set off crosses a port and a few promises. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #answer(message: ReceivedMessage, peer: MemoryPeer): void {
    this.calls.push(message.method);
    if (!this.answers) return;
    answerHandshake(message, peer);
    if (message.method === "turn/start" && !this.answersStart) {
      this.answerStart = () => peer.send({ id: message.id, ...this.#answerTo("turn/start") });
      return;
    }
    const answer = this.#answerTo(message.method);
    if (answer !== null) peer.send({ id: message.id, ...answer });
  }

  #answerTo(method: string | undefined): object | null {
    switch (method) {
      case "thread/start":
        return { result: { thread: { id: scope.threadId }, model: "deep-thinker" } };
      case "turn/start":
        return { result: { turn: { id: scope.turnId, status: "inProgress", error: null } } };
      case "thread/read":
        return this.#standing();
      case "thread/inject_items":
      case "thread/unsubscribe":
        return { result: {} };
      case "turn/interrupt":
        if (this.interrupts === "are refused") return { error: { code: -32600, message: "no such turn" } };
        if (this.interrupts === "end the turn") setImmediate(() => this.#complete("interrupted"));
        return { result: {} };
      default:
        return null;
    }
  }

  #standing(): object | null {
    if (this.standing === "no answer") return null;
    if (this.standing === "unknown") return { error: { code: -32600, message: "thread not loaded: thread" } };
    return { result: { thread: { id: scope.threadId, status: { type: this.standing } } } };
  }

  #complete(status: string): void {
    this.tell("turn/completed", { turn: { id: scope.turnId, status, error: null, items: [] } });
  }

  answerAtLast(): void {
    const content = [{ type: "output_text", text: "42", annotations: [] }];
    this.tell("rawResponseItem/completed", {
      item: { type: "message", id: "m", role: "assistant", content },
    });
    this.#complete("completed");
  }
}
