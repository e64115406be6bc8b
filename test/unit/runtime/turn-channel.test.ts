import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import t, { type Test } from "tap";
import { TurnChannel, type TurnEventHandler } from "../../../src/main/runtime/pool/turn-channel.js";
import { limits } from "../../../src/workers/contract/limits.js";
import type { TurnEvent, TurnPortInput } from "../../../src/workers/contract/turn-messages.js";

function openChannel(t: Test, onEvent: TurnEventHandler): { channel: TurnChannel; worker: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port2.close());
  return { channel: new TurnChannel(port1, onEvent), worker: port2 };
}

const delta = (text: string): TurnEvent => ({ type: "text.delta", itemId: "m", delta: text });
const ended: TurnEvent = { type: "turn.ended", outcome: { status: "completed" } };

t.test("events come in order, and the outcome after them", async (t) => {
  const seen: string[] = [];
  const { channel, worker } = openChannel(t, (event) => void seen.push(event.type));
  worker.postMessage({ type: "events", events: [delta("a"), delta("b")] });
  worker.postMessage({ type: "events", events: [delta("c"), ended] });
  t.same(await channel.leg, { status: "completed" });
  t.same(seen, ["text.delta", "text.delta", "text.delta"]);
});

t.test("a handler that holds an event back withholds credit until it lets go", async (t) => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { channel, worker } = openChannel(t, () => held);
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
  await channel.leg;
});

t.test("a worker that dies ends the turn, after what it had sent", async (t) => {
  const seen: string[] = [];
  const { channel, worker } = openChannel(t, async (event) => void seen.push(event.type));
  worker.postMessage({ type: "events", events: [delta("a")] });
  worker.close();
  const outcome = await channel.leg;
  t.match(outcome, { status: "failed", error: { code: "native_runtime_unavailable", infrastructure: true } });
  t.same(seen, ["text.delta"]);
});

t.test("a handler that throws cancels the turn and its error is kept", async (t) => {
  const failure = new Error("the reader broke");
  const { channel, worker } = openChannel(t, () => {
    throw failure;
  });
  const cancel = once(worker, "message");
  worker.postMessage({ type: "events", events: [delta("a")] });
  t.same(await channel.leg, { status: "cancelled" });
  t.same(await cancel, [{ type: "cancel" }]);
  t.equal(channel.handlerError, failure);
});

t.test("nothing is delivered after the end", async (t) => {
  const seen: string[] = [];
  const { channel, worker } = openChannel(t, (event) => void seen.push(event.type));
  channel.fail({ code: "turn_timeout", message: "too long" });
  worker.postMessage({ type: "events", events: [delta("late"), ended] });
  t.match(await channel.leg, { status: "failed", error: { code: "turn_timeout" } });
  t.same(seen, []);
});

t.test("a parked turn goes on with the outputs it was given", async (t) => {
  const seen: string[] = [];
  const { channel, worker } = openChannel(t, (event) => void seen.push(event.type));
  worker.postMessage({ type: "events", events: [delta("a"), { type: "turn.parked", callIds: ["c"] }] });
  t.same(await channel.leg, { status: "parked", callIds: ["c"] });
  const outputs = [{ callId: "c", parts: [{ type: "text", text: "out" }] }] as const;
  const leg = channel.resume(outputs);
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
  t.same(await leg, { status: "completed" });
  t.same(seen, ["text.delta", "text.delta"]);
});

t.test("a turn that dies while it is parked says so to whoever resumes it", async (t) => {
  const { channel, worker } = openChannel(t, () => {});
  worker.postMessage({ type: "events", events: [{ type: "turn.parked", callIds: ["c"] }] });
  await channel.leg;
  const closed = once(worker, "close");
  worker.close();
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  t.match(await channel.resume([]), { status: "failed", error: { infrastructure: true } });
});
