/** Plays an app-server that says, loses and breaks what a generated history has, against one turn of a worker's. */
import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import type { Test } from "tap";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import type { TurnAssignment } from "../../../src/workers/contract/turn.js";
import type {
  TurnEvent,
  TurnPortInput,
  TurnPortNotice,
  TurnPortOutput,
} from "../../../src/workers/contract/turn-messages.js";
import { NativeTurn } from "../../../src/workers/turn/native-turn.js";
import { answerHandshake, type MemoryPeer, type ReceivedMessage } from "../../support/memory-transport.js";
import { packed } from "../../support/packed-items.js";
import { userMessage } from "../../support/runtime-harness.js";
import { ConnectionHarness } from "../../unit/workers/app-server/support/connection-harness.js";
import { anyDisturbedAnswer } from "./turn-notifications.js";

const assignment: TurnAssignment = {
  turnKey: "turn",
  thread: {
    form: "lean",
    isLite: false,
    modelCatalog: null,
    model: "gpt-fake",
    instructions: "",
    tools: [{ name: "lookup", description: "", parameters: { type: "object" } }],
    webSearch: null,
    verbosity: null,
  },
  turn: { effort: null, summary: null, serviceTier: null, outputSchema: null },
  items: packed(userMessage("one"), userMessage("two")),
  directives: [],
  nativeThread: { kind: "fresh" },
  followed: true,
  keepThread: false,
  // Nothing here waits for it: each history has an end.
  idleTimeoutMs: 60_000,
};

const happenings = [
  "the caller cancels",
  "the caller answers",
  "the caller's port closes",
  "the wire breaks",
  "the thread closes",
  "another turn completes",
  "a declared call is asked for",
  "an unknown call is asked for",
  "completed",
  "failed",
  "interrupted",
  "odd",
] as const;
type Happening = (typeof happenings)[number];

/** A turn with what Codex says of it and what else happens, from the answer to `turn/start` on. */
export const anyHistory = fc.record({
  answer: anyDisturbedAnswer,
  /** Each before the notification of that number. */
  happenings: fc.array(fc.tuple(fc.nat(20), fc.constantFrom(...happenings)), { maxLength: 4 }),
  /** How many notifications come before the answer to `turn/start`. */
  early: fc.nat(6),
  refused: fc.constantFrom(
    ...[null, null, null, null, null],
    "thread/start",
    "thread/inject_items",
    "turn/start",
    "turn/interrupt",
  ),
});
export type History = typeof anyHistory extends fc.Arbitrary<infer Made> ? Made : never;

/** More than any answer's notifications, so that all of them are told. */
const allNotifications = 100;

/** One connection, as a worker has it, whose app-server plays one history after the other. */
export class NativeTurnPlayer {
  readonly #harness: ConnectionHarness;
  #script: (message: ReceivedMessage, peer: MemoryPeer) => void = () => {};
  #turns = 0;

  private constructor(t: Test) {
    this.#harness = new ConnectionHarness(t);
    this.#harness.onReceived = (message, peer) => {
      answerHandshake(message, peer);
      this.#script(message, peer);
    };
  }

  static async start(t: Test): Promise<NativeTurnPlayer> {
    const player = new NativeTurnPlayer(t);
    await player.#harness.connect();
    return player;
  }

  /** What the supervisor has of the turn, and whether it hung up on it. Resolves once the worker is done with the turn. */
  async play(history: History): Promise<{ readonly events: readonly TurnEvent[]; readonly left: boolean }> {
    const { connection } = this.#harness;
    await connection.whenReady({ timeoutMs: 10_000 });
    const { port1: ours, port2: its } = new MessageChannel();
    const events: TurnEvent[] = [];
    ours.on("message", (message: TurnPortOutput | TurnPortNotice) => {
      if (message.type !== "events") return;
      events.push(...message.events);
      ours.postMessage({ type: "credit", batches: 1 } satisfies TurnPortInput);
    });
    const closed = once(ours, "close");
    const number = this.#turns++;
    const scene = new Scene(this.#harness, history, ours, {
      threadId: `thread-${number}`,
      turnId: `turn-${number}`,
    });
    this.#script = (message, peer) => scene.answer(message, peer);
    const context = {
      connection,
      workDirectory: "/nowhere",
      countFault: () => {},
      loopShare: new LoopShare(),
    };
    await new NativeTurn(assignment, its, context).run();
    await closed;
    return { events, left: scene.left };
  }
}

class Scene {
  /** Whether the supervisor closed its port. */
  left = false;
  readonly #harness: ConnectionHarness;
  readonly #history: History;
  readonly #port: { postMessage(input: TurnPortInput): void; close(): void };
  readonly #ids: { readonly threadId: string; readonly turnId: string };

  constructor(
    harness: ConnectionHarness,
    history: History,
    port: { postMessage(input: TurnPortInput): void; close(): void },
    ids: { readonly threadId: string; readonly turnId: string },
  ) {
    this.#harness = harness;
    this.#history = history;
    this.#port = port;
    this.#ids = ids;
  }

  answer({ id, method }: ReceivedMessage, peer: MemoryPeer): void {
    const { refused, early } = this.#history;
    if (id === undefined || method === undefined || method === "initialize") return;
    if (method === refused) return peer.send({ id, error: { code: -32_600, message: "refused" } });
    if (method === "thread/start")
      return peer.send({ id, result: { thread: { id: this.#ids.threadId }, model: "gpt-fake" } });
    if (method !== "turn/start") {
      peer.send({ id, result: { status: "unsubscribed" } });
      if (method === "turn/interrupt") this.#complete("interrupted");
      return;
    }
    this.#tell(0, early);
    peer.send({ id, result: { turn: { id: this.#ids.turnId, status: "inProgress" } } });
    // In later turns of the loop, as over a wire, so that both sides have their say.
    setImmediate(() => {
      this.#tell(early, allNotifications);
      setImmediate(() => this.#complete("completed"));
    });
  }

  #tell(from: number, to: number): void {
    const { answer, happenings: given } = this.#history;
    for (let index = from; index < to; index += 1) {
      for (const [at, happening] of given) if (at === index) this.#happen(happening);
      const told = answer.told[index];
      if (told !== undefined) this.#notify(told.method, { ...this.#ids, ...told.params });
    }
  }

  #happen(happening: Happening): void {
    switch (happening) {
      case "the caller cancels":
        return this.#port.postMessage({ type: "cancel" });
      case "the caller answers":
        return this.#port.postMessage({ type: "tool_outputs", outputs: [] });
      case "the caller's port closes":
        this.left = true;
        return this.#port.close();
      case "the wire breaks":
        return this.#harness.peer.hangUp(new Error("gone"));
      case "the thread closes":
        return this.#notify("thread/closed", { threadId: this.#ids.threadId });
      case "another turn completes":
        return this.#complete("completed", "another");
      case "a declared call is asked for":
        return this.#ask("call_0");
      case "an unknown call is asked for":
        return this.#ask("call_99");
      default:
        return this.#complete(happening);
    }
  }

  #complete(status: string, id = this.#ids.turnId): void {
    const turn = { id, status, error: null, items: [] };
    this.#notify("turn/completed", { threadId: this.#ids.threadId, turn });
  }

  #ask(callId: string): void {
    const params = { ...this.#ids, callId, tool: "lookup", namespace: null, arguments: {} };
    this.#harness.peer.send({ id: `ask-${callId}`, method: "item/tool/call", params });
  }

  #notify(method: string, params: object): void {
    this.#harness.peer.send({ method, params });
  }
}
