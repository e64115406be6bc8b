/** Minutes of silence on a clock that runs as fast as the test turns it. */
import { mock } from "node:test";
import { MessageChannel } from "node:worker_threads";
import t, { type Test } from "tap";
import { LoopShare } from "../../../../src/workers/contract/pace.js";
import type { TurnAssignment } from "../../../../src/workers/contract/turn.js";
import type {
  TurnEvent,
  TurnOutcome,
  TurnPortNotice,
  TurnPortOutput,
} from "../../../../src/workers/contract/turn-messages.js";
import { NativeTurn } from "../../../../src/workers/turn/native-turn.js";
import { answerHandshake, type MemoryPeer, type ReceivedMessage } from "../../../support/memory-transport.js";
import { packed } from "../../../support/packed-items.js";
import { userMessage } from "../../../support/runtime-harness.js";
import { ConnectionHarness } from "../app-server/support/connection-harness.js";

mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
t.teardown(() => mock.timers.reset());

const minuteMs = 60_000;
const limitMs = 15 * minuteMs;
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

class SilentTurn {
  standing: Standing = "active";
  /** False: the app-server answers nothing any more. */
  answers = true;
  nowMs = 0;
  readonly calls: (string | undefined)[] = [];
  readonly events: TurnEvent[] = [];
  readonly #harness: ConnectionHarness;

  private constructor(t: Test) {
    this.#harness = new ConnectionHarness(t, { now: () => this.nowMs });
    this.#harness.onReceived = (message, peer) => this.#answer(message, peer);
  }

  /** A turn that Codex has taken on, and of whose model nothing is heard. */
  static async start(t: Test): Promise<SilentTurn> {
    const turn = new SilentTurn(t);
    await turn.#harness.connect();
    const { port1: ours, port2: its } = new MessageChannel();
    t.teardown(() => ours.close());
    ours.on("message", (message: TurnPortOutput | TurnPortNotice) => {
      if (message.type === "events") turn.events.push(...message.events);
    });
    const context = {
      connection: turn.#harness.connection,
      workDirectory: "/nowhere",
      countFault: () => {},
      loopShare: new LoopShare(),
    };
    void new NativeTurn(assignment, its, context).run();
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

  tell(method: string, params: object): void {
    this.#harness.peer.send({ method, params: { ...scope, ...params } });
  }

  /** Lets time pass, up to the turn's end. The answer is how much passed. */
  async pass(ms: number): Promise<number> {
    const until = this.nowMs + ms;
    while (this.nowMs < until && this.outcome === null) {
      this.nowMs += 500;
      mock.timers.tick(500);
      // What the timers set off crosses a port and a few promises.
      for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    return ms - (until - this.nowMs);
  }

  #answer(message: ReceivedMessage, peer: MemoryPeer): void {
    this.calls.push(message.method);
    if (!this.answers) return;
    answerHandshake(message, peer);
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
        setImmediate(() => this.#complete("interrupted"));
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

t.test("a model that is silent for ten minutes is waited for, and its answer arrives", async (t) => {
  const turn = await SilentTurn.start(t);
  await turn.pass(10 * minuteMs);
  t.equal(turn.outcome, null);
  t.equal(turn.countCalls("thread/read"), 20, "Codex was asked every half minute");
  turn.answerAtLast();
  await turn.pass(1_000);
  t.strictSame(turn.outcome, { status: "completed" });
  t.equal(turn.countCalls("turn/interrupt"), 0);
});

t.test("silence up to the limit ends the turn, though Codex runs it", async (t) => {
  const turn = await SilentTurn.start(t);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(Math.abs(passedMs - limitMs) < 5_000, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled", message: /900000 ms/ } });
  t.equal(turn.countCalls("turn/interrupt"), 1);
});

t.test("each word begins the silence anew, and Codex's word that it asks again does not", async (t) => {
  const turn = await SilentTurn.start(t);
  await turn.pass(10 * minuteMs);
  turn.tell("item/started", { item: { type: "agentMessage", id: "m", text: "" } });
  for (let minute = 0; minute < 14; minute += 1) {
    const error = { message: "Reconnecting... 2/5", codexErrorInfo: "other", additionalDetails: null };
    turn.tell("error", { error, willRetry: true });
    await turn.pass(minuteMs);
  }
  t.equal(turn.outcome, null);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(passedMs < 2 * minuteMs, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled" } });
});

for (const standing of ["idle", "systemError", "unknown"] as const) {
  t.test(`a silent turn that Codex does not run (${standing}) ends within a minute`, async (t) => {
    const turn = await SilentTurn.start(t);
    await turn.pass(5 * minuteMs);
    turn.standing = standing;
    const passedMs = await turn.pass(60 * minuteMs);
    t.ok(passedMs < minuteMs, `${passedMs} ms`);
    t.match(turn.outcome, {
      status: "failed",
      error: { code: "turn_stalled", message: /stopped running the turn/ },
    });
  });
}

t.test("a turn whose end comes just after Codex said that it is over completes", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.standing = "idle";
  while (turn.countCalls("thread/read") === 0) await turn.pass(500);
  turn.answerAtLast();
  await turn.pass(1_000);
  t.strictSame(turn.outcome, { status: "completed" });
});

t.test(
  "a silent turn on a connection that answers nothing ends within a minute, to be run again",
  async (t) => {
    const turn = await SilentTurn.start(t);
    await turn.pass(5 * minuteMs);
    turn.answers = false;
    const passedMs = await turn.pass(60 * minuteMs);
    t.ok(passedMs < minuteMs, `${passedMs} ms`);
    t.match(turn.outcome, {
      status: "failed",
      error: { code: "native_runtime_unavailable", infrastructure: true },
    });
  },
);

t.test("where Codex answers all but this question, the turn goes on to its limit", async (t) => {
  const turn = await SilentTurn.start(t);
  turn.standing = "no answer";
  await turn.pass(10 * minuteMs);
  t.equal(turn.outcome, null);
  const passedMs = await turn.pass(60 * minuteMs);
  t.ok(passedMs > 4 * minuteMs && passedMs < 6 * minuteMs, `${passedMs} ms`);
  t.match(turn.outcome, { status: "failed", error: { code: "turn_stalled" } });
});
