import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import t, { type Test } from "tap";
import { limits } from "../../../../src/workers/contract/limits.js";
import type { TurnEvent, TurnPortOutput } from "../../../../src/workers/contract/turn-messages.js";
import { TurnOutbox } from "../../../../src/workers/turn/turn-outbox.js";

function openOutbox(t: Test, onOverflow = () => {}): { outbox: TurnOutbox; reader: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  return { outbox: new TurnOutbox(port1, { followed: true, onOverflow }), reader: port2 };
}

const delta = (text: string, itemId = "m"): TurnEvent => ({ type: "text.delta", itemId, delta: text });
const ended: TurnEvent = { type: "turn.ended", outcome: { status: "completed" } };

const nextTurnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

async function useUpCredit(outbox: TurnOutbox, reader: MessagePort): Promise<void> {
  for (let batch = 0; batch < limits.turnCreditBatches; batch += 1) {
    outbox.push(delta("x"));
    await once(reader, "message");
  }
}

t.test("what one turn of the event loop brought goes in one message", async (t) => {
  const { outbox, reader } = openOutbox(t);
  outbox.push(delta("a"));
  outbox.push(delta("b"));
  const [message]: TurnPortOutput[] = await once(reader, "message");
  t.same(message?.events, [delta("a"), delta("b")]);
});

t.test("without credit deltas of an item are joined, and credit sends them", async (t) => {
  const { outbox, reader } = openOutbox(t);
  await useUpCredit(outbox, reader);
  for (const text of ["a", "b", "c"]) outbox.push(delta(text));
  outbox.push(delta("d", "other"));
  await nextTurnOfTheLoop();
  t.equal(receiveMessageOnPort(reader), undefined);
  outbox.addCredit(1);
  const [message]: TurnPortOutput[] = await once(reader, "message");
  t.same(message?.events, [delta("abc"), delta("d", "other")]);
});

t.test("the terminal event needs no credit and comes last", async (t) => {
  const { outbox, reader } = openOutbox(t);
  await useUpCredit(outbox, reader);
  outbox.push(delta("rest"));
  outbox.push(ended);
  outbox.push(delta("too late"));
  const [message]: TurnPortOutput[] = await once(reader, "message");
  t.same(message?.events, [delta("rest"), ended]);
});

t.test("a reader that takes nothing makes the outbox overflow at its bound", async (t) => {
  let overflowed = false;
  const { outbox, reader } = openOutbox(t, () => {
    overflowed = true;
  });
  await useUpCredit(outbox, reader);
  const megabyte = "x".repeat(1024 * 1024);
  for (let sent = 0; sent <= limits.maxTurnBacklogBytes; sent += megabyte.length)
    outbox.push(delta(megabyte));
  t.ok(overflowed);
});

t.test(
  "where nobody follows, deltas are joined and come few at a time; the end waits for nothing",
  async (t) => {
    const { port1, port2: reader } = new MessageChannel();
    t.teardown(() => port1.close());
    const outbox = new TurnOutbox(port1, { followed: false, onOverflow: () => {} });
    outbox.push(delta("first"));
    const [first]: TurnPortOutput[] = await once(reader, "message");
    t.same(first?.events, [delta("first")]);
    for (const text of ["a", "b", "c"]) {
      outbox.push(delta(text));
      await nextTurnOfTheLoop();
    }
    t.equal(receiveMessageOnPort(reader), undefined);
    outbox.push(ended);
    const [rest]: TurnPortOutput[] = await once(reader, "message");
    t.same(rest?.events, [delta("abc"), ended]);
  },
);
