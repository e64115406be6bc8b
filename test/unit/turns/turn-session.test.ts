import { once } from "node:events";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import t, { type Test } from "tap";
import type { IsolatedTurnHandlers } from "../../../src/main/runtime/types.js";
import { unboundedRoom } from "../../../src/main/turns/admission/admission.js";
import { type SegmentOutcome, TurnSession } from "../../../src/main/turns/turn-session.js";
import { limits } from "../../../src/workers/contract/limits.js";
import type { TurnEvent, TurnPortInput } from "../../../src/workers/contract/turn-messages.js";

type Handler = NonNullable<IsolatedTurnHandlers["onEvent"]>;

const permit = { waitedMs: 0, refusals: 0, deadlineAtMs: undefined, seat: unboundedRoom.enter("m") };

/** A session whose worker is the test, and the outcome of its first segment. */
function openSession(t: Test, onEvent: Handler, { timeoutMs = 60_000 } = {}) {
  let worker: MessagePort | undefined;
  const pool = {
    run: (_threadId: number, task: { readonly port: MessagePort }) => {
      worker = task.port;
      return new Promise(() => {});
    },
  };
  const session = new TurnSession(pool as never, {
    assignment: { turnKey: "turn", items: [], thread: { form: "lean" } } as never,
    slot: { threadId: 1, generation: 1, activeTurns: 0 } as never,
    target: {} as never,
    effort: null,
    request: { owner: null, caller: "a" },
    permit,
    timeoutMs,
    onLeftGate: () => {},
    onNotice: () => {},
    onRoom: () => {},
  });
  if (worker === undefined) throw new Error("The session gave its worker no port.");
  const port = worker;
  t.teardown(() => port.close());
  t.match(receiveMessageOnPort(port), { message: { type: "assignment" } });
  const result = session.run({ onEvent });
  const outcome: Promise<SegmentOutcome> = result.then((ended) => ended.outcome);
  return { session, worker: port, result, outcome };
}

const delta = (text: string): TurnEvent => ({ type: "text.delta", itemId: "m", delta: text });
const ended: TurnEvent = { type: "turn.ended", outcome: { status: "completed" } };

t.test("events come in order, and the outcome after them", async (t) => {
  const seen: string[] = [];
  const { outcome, worker } = openSession(t, (event) => void seen.push(event.type));
  worker.postMessage({ type: "events", events: [delta("a"), delta("b")] });
  worker.postMessage({ type: "events", events: [delta("c"), ended] });
  t.same(await outcome, { status: "completed" });
  t.same(seen, ["text.delta", "text.delta", "text.delta"]);
});

t.test("a handler that holds an event back withholds credit until it lets go", async (t) => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { outcome, worker } = openSession(t, () => held);
  const batches = limits.turnCreditBatches / 4;
  for (let batch = 0; batch < batches; batch += 1) {
    worker.postMessage({ type: "events", events: [delta("a")] });
  }
  const credit = once(worker, "message");
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(receiveMessageOnPort(worker), undefined);
  letGo();
  const [message]: TurnPortInput[] = await credit;
  t.same(message, { type: "credit", batches });
  worker.postMessage({ type: "events", events: [ended] });
  await outcome;
});

t.test("a worker that dies ends the turn, after what it had sent", async (t) => {
  const seen: string[] = [];
  const { outcome, worker } = openSession(t, async (event) => void seen.push(event.type));
  worker.postMessage({ type: "events", events: [delta("a")] });
  worker.close();
  t.match(await outcome, {
    status: "failed",
    error: { code: "native_runtime_unavailable", infrastructure: true },
  });
  t.same(seen, ["text.delta"]);
});

t.test("a handler that throws cancels the turn and its error is kept", async (t) => {
  const failure = new Error("the reader broke");
  const { outcome, result, worker } = openSession(t, () => {
    throw failure;
  });
  const cancel = once(worker, "message");
  worker.postMessage({ type: "events", events: [delta("a")] });
  t.same(await outcome, { status: "cancelled" });
  t.same(await cancel, [{ type: "cancel" }]);
  t.equal((await result).handlerError, failure);
});

t.test("nothing is delivered after the end", async (t) => {
  const seen: string[] = [];
  const onEvent: Handler = (event) => void seen.push(event.type);
  const { outcome, worker } = openSession(t, onEvent, { timeoutMs: 0 });
  t.match(await outcome, { status: "failed", error: { code: "turn_timeout" } });
  worker.postMessage({ type: "events", events: [delta("late"), ended] });
  await new Promise((resolve) => setImmediate(resolve));
  t.same(seen, []);
});

t.test("a parked turn goes on with the outputs it was given", async (t) => {
  const seen: string[] = [];
  const onEvent: Handler = (event) => void seen.push(event.type);
  const { session, outcome, worker } = openSession(t, onEvent);
  worker.postMessage({ type: "events", events: [delta("a"), { type: "turn.parked", callIds: ["c"] }] });
  t.same(await outcome, { status: "parked", callIds: ["c"] });
  const outputs = [{ callId: "c", parts: [{ type: "text", text: "out" }] }] as const;
  const resumed = session.resume(outputs, { onEvent }, permit);
  const messages: TurnPortInput[] = [];
  for (
    let message = receiveMessageOnPort(worker);
    message !== undefined;
    message = receiveMessageOnPort(worker)
  ) {
    messages.push(message.message);
  }
  t.same(messages.at(-1), { type: "tool_outputs", outputs });
  worker.postMessage({ type: "events", events: [delta("b"), ended] });
  t.same((await resumed).outcome, { status: "completed" });
  t.same(seen, ["text.delta", "text.delta"]);
});

t.test("resuming a turn that died while it was parked reports that", async (t) => {
  const { session, outcome, worker } = openSession(t, () => {});
  worker.postMessage({ type: "events", events: [{ type: "turn.parked", callIds: ["c"] }] });
  await outcome;
  const closed = once(worker, "close");
  worker.close();
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  const { outcome: resumed } = await session.resume([], {}, permit);
  t.match(resumed, { status: "failed", error: { infrastructure: true } });
});
