import { getEventListeners } from "node:events";
import t from "tap";
import { type LoggedEvents, ResponseEventLog } from "../../../src/main/continuation/response-event-log.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import { measureHeap } from "../../support/measure-heap.js";
import { rejection } from "./fixtures.js";

/** A log of events "e0.", "e1.", … */
function createLog(count: number, maxBytes = 100_000) {
  const log = new ResponseEventLog({ maxBytes });
  const append = () => log.append(`e${log.nextSequenceNumber}.`, log.nextSequenceNumber);
  for (let index = 0; index < count; index += 1) append();
  return { log, append };
}

/** A log of events of about 1 KB each, which begin with their number. */
function createFullLog(count: number, maxBytes: number) {
  const log = new ResponseEventLog({ maxBytes });
  const append = () => log.append(`${log.nextSequenceNumber} ${"x".repeat(1_000)}.`, log.nextSequenceNumber);
  for (let index = 0; index < count; index += 1) append();
  return { log, append };
}

function textOf({ bytes }: LoggedEvents): string {
  return Buffer.from(bytes).toString();
}

async function collect(events: AsyncIterable<LoggedEvents>): Promise<string> {
  let text = "";
  for await (const part of events) text += textOf(part);
  return text;
}

async function nextText(reader: AsyncIterator<LoggedEvents>): Promise<string | null> {
  const step = await reader.next();
  return step.done === true ? null : textOf(step.value);
}

/** Numbers of the events in the text of a log with large ones. */
function numbersIn(text: string): readonly number[] {
  return text
    .split(".")
    .slice(0, -1)
    .map((event) => Number.parseInt(event, 10));
}

const gone = new CodexNativeApiError("response_not_found", "deleted");

t.test("a closed log is read from any event on, to its end", async (t) => {
  const { log } = createLog(4);
  log.close();
  log.close();
  t.equal(await collect(log.readFrom(0)), "e0.e1.e2.e3.");
  t.equal(await collect(log.readFrom(2)), "e2.e3.");
  t.equal(await collect(log.readFrom(4)), "");
  t.equal(await collect(log.readFrom(99)), "");
});

t.test("a reader of a running log gets what is there, then what comes, and ends with it", async (t) => {
  const { log, append } = createLog(3);
  const reader = log.readFrom(1);
  const { value } = await reader.next();
  t.match({ text: textOf(value), nextNumber: value.nextNumber }, { text: "e1.e2.", nextNumber: 3 });
  const next = nextText(reader);
  append();
  append();
  t.equal(await next, "e3.e4.", "what came together is read together");
  const end = nextText(reader);
  log.close();
  t.equal(await end, null);
});

t.test("a reader ahead of the log gets nothing before its own position", async (t) => {
  const { log, append } = createLog(1);
  const rest = collect(log.readFrom(3));
  for (let index = 0; index < 4; index += 1) append();
  log.close();
  t.equal(await rest, "e3.e4.");
});

t.test("readers follow independently of each other", async (t) => {
  const { log, append } = createLog(2);
  const readers = [collect(log.readFrom(0)), collect(log.readFrom(1)), collect(log.readFrom(2))];
  append();
  log.close();
  t.strictSame(await Promise.all(readers), ["e0.e1.e2.", "e1.e2.", "e2."]);
});

t.test("events of any size are given out whole and in order", async (t) => {
  const log = new ResponseEventLog({ maxBytes: 50_000_000 });
  const events = Array.from(
    { length: 300 },
    (_, index) => `${index} ${"漢".repeat((index * 997) % 40_000)}.`,
  );
  for (const [index, event] of events.entries()) log.append(event, index);
  const parts: string[] = [];
  for await (const part of log.readFrom(0)) {
    parts.push(textOf(part));
    if (part.nextNumber === events.length) break;
  }
  t.ok(parts.join("") === events.join(""));
  t.ok(parts.every((part) => part.endsWith(".")));
});

t.test("beyond its bound the log drops its oldest events", async (t) => {
  const { log } = createFullLog(200, 64 * 1024);
  t.ok(log.bytes <= 64 * 1024, String(log.bytes));
  t.equal(log.nextSequenceNumber, 200);
  const first = log.firstSequenceNumber;
  t.ok(first > 130 && first < 165, `events from ${first} on are kept`);
  log.close();
  t.strictSame(
    numbersIn(await collect(log.readFrom(first))),
    Array.from({ length: 200 - first }, (_, index) => first + index),
  );
});

t.test("what is counted is what is taken: small events too, and a log that is closed", async (t) => {
  let counted = 0;
  const before = await measureHeap();
  const log = new ResponseEventLog({
    maxBytes: 20_000_000,
    onResize: (delta) => {
      counted += delta;
    },
  });
  for (let index = 0; index < 100_000; index += 1) log.append(`data: {"delta":"word ${index}"}\n\n`, index);
  const taken = (await measureHeap()) - before;
  t.equal(counted, log.bytes);
  t.ok(taken <= log.bytes * 1.1 && taken > log.bytes / 2, `${taken} bytes taken, ${log.bytes} counted`);
  log.close();
  t.ok(log.bytes <= counted + 1);
  t.equal(counted, log.bytes);
  log.discard(gone);
  t.equal(log.bytes, 0);
  t.equal(counted, 0);
});

t.test("a short log takes little", async (t) => {
  const { log } = createLog(3, 8_000_000);
  t.ok(log.bytes < 5_000, String(log.bytes));
  log.close();
  t.ok(log.bytes < 500, String(log.bytes));
});

t.test("a position that is dropped is refused at once", async (t) => {
  const { log } = createFullLog(200, 64 * 1024);
  const error = await rejection((async () => log.readFrom(1))());
  t.match(error, { code: "continuation_expired", status: 410, param: "starting_after" });
});

t.test("a reader that is too slow fails when it goes on", async (t) => {
  const { log, append } = createFullLog(3, 64 * 1024);
  const reader = log.readFrom(0);
  t.strictSame(numbersIn((await nextText(reader)) ?? ""), [0, 1, 2]);
  for (let index = 0; index < 100; index += 1) append();
  t.match(await rejection(reader.next()), { code: "continuation_expired" });
  t.match(await reader.next(), { done: true });
});

t.test("an event larger than the bound leaves nothing, and readers that are up to it fail", async (t) => {
  const { log, append } = createLog(2, 10_000);
  const waiting = log.readFrom(2).next();
  log.append("x".repeat(10_000), 2);
  t.match(await rejection(waiting), { code: "continuation_expired" });
  t.equal(log.bytes, 0);
  t.equal(log.firstSequenceNumber, 3);
  append();
  log.close();
  t.equal(await collect(log.readFrom(3)), "e3.");
});

t.test("the oldest are given back on request, also while the log is written", async (t) => {
  const { log, append } = createLog(2);
  t.equal(log.dropOldest(), true);
  t.equal(log.bytes, 0);
  t.equal(log.dropOldest(), false);
  append();
  log.close();
  t.equal(await collect(log.readFrom(2)), "e2.");
});

t.test("whoever hears that the log grew may drop what was just written", async (t) => {
  const log: ResponseEventLog = new ResponseEventLog({
    maxBytes: 100_000,
    onResize: (delta) => {
      if (delta > 0) log.dropOldest();
    },
  });
  const reader = log.readFrom(0);
  const next = reader.next();
  log.append("e0.", 0);
  t.match(await rejection(next), { code: "continuation_expired" });
  t.equal(log.firstSequenceNumber, 1);
});

t.test("a log that is discarded fails the readers that have not read it all, and no others", async (t) => {
  const { log } = createLog(3);
  const behind = log.readFrom(0);
  const waiting = log.readFrom(3);
  const end = waiting.next();
  await behind.next();
  log.close();
  t.match(await end, { done: true });
  log.discard(gone);
  t.match(await behind.next(), { done: true }, "it had read all there was");
  const { log: other } = createFullLog(200, 1_000_000);
  const slow = other.readFrom(0);
  await slow.next();
  other.discard(gone);
  t.equal(await rejection(slow.next()), gone);
  t.equal(await rejection((async () => other.readFrom(0))()), gone);
  t.equal(other.bytes, 0);
});

t.test("an aborted reader fails with the signal's reason, while it waits and before it begins", async (t) => {
  const { log } = createLog(1);
  const abort = new AbortController();
  const next = log.readFrom(1, abort.signal).next();
  const reason = new CodexNativeApiError("native_runtime_unavailable", "stopping");
  abort.abort(reason);
  t.equal(await rejection(next), reason);
  t.equal(await rejection(collect(log.readFrom(0, abort.signal))), reason);
});

t.test("a reader that waits again and again leaves no listener on its signal", async (t) => {
  const { log, append } = createLog(0);
  const { signal } = new AbortController();
  const reader = log.readFrom(0, signal);
  for (let index = 0; index < 20; index += 1) {
    const next = reader.next();
    t.equal(getEventListeners(signal, "abort").length, 1);
    append();
    await next;
  }
  t.equal(getEventListeners(signal, "abort").length, 0);
});

t.test("a reader that leaves takes nothing with it, and is not counted any more", async (t) => {
  const { log, append } = createLog(2);
  for await (const _events of log.readFrom(0)) {
    t.equal(log.readers, 1);
    break;
  }
  t.equal(log.readers, 0);
  append();
  log.close();
  t.equal(await collect(log.readFrom(0)), "e0.e1.e2.");
  t.equal(log.readers, 0);
});

t.test("events must follow one another, from 0 to the close", async (t) => {
  const log = new ResponseEventLog({ maxBytes: 10_000 });
  t.throws(() => log.append("e", 1), /comes next/);
  log.append("e", 0);
  t.throws(() => log.append("e", 0), /comes next/);
  t.throws(() => log.append("e", 2), /comes next/);
  log.close();
  t.throws(() => log.append("e", 1), /closed/);
});
