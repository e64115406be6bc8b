import { getEventListeners } from "node:events";
import t from "tap";
import {
  type LoggedResponseEvent,
  ResponseEventLog,
} from "../../../src/main/continuation/response-event-log.js";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import { rejection } from "./fixtures.js";

/** A log of events "e0", "e1", …, two bytes each. */
function createLog(count: number, maxBytes = 1000) {
  const log = new ResponseEventLog({ maxBytes });
  const append = () => log.append(`e${log.nextSequenceNumber}`, log.nextSequenceNumber);
  for (let index = 0; index < count; index += 1) append();
  return { log, append };
}

async function collect(events: AsyncIterable<LoggedResponseEvent>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { event } of events) texts.push(event);
  return texts;
}

t.test("a closed log is read from any event on, to its end", async (t) => {
  const { log } = createLog(4);
  log.close();
  log.close();
  t.strictSame(await collect(log.readFrom(0)), ["e0", "e1", "e2", "e3"]);
  t.strictSame(await collect(log.readFrom(2)), ["e2", "e3"]);
  t.strictSame(await collect(log.readFrom(4)), []);
  t.strictSame(await collect(log.readFrom(99)), []);
  t.strictSame(await log.readFrom(3).next(), { done: false, value: { sequenceNumber: 3, event: "e3" } });
});

t.test("a reader of a running log gets what is there, then what comes, and ends with it", async (t) => {
  const { log, append } = createLog(3);
  const reader = log.readFrom(1);
  t.match(await reader.next(), { value: { event: "e1" } });
  t.match(await reader.next(), { value: { event: "e2" } });
  const next = reader.next();
  append();
  append();
  t.match(await next, { value: { sequenceNumber: 3, event: "e3" } });
  t.match(await reader.next(), { value: { event: "e4" } });
  const end = reader.next();
  log.close();
  t.match(await end, { done: true });
});

t.test("a reader ahead of the log gets nothing before its own position", async (t) => {
  const { log, append } = createLog(1);
  const rest = collect(log.readFrom(3));
  for (let index = 0; index < 4; index += 1) append();
  log.close();
  t.strictSame(await rest, ["e3", "e4"]);
});

t.test("readers follow independently of each other", async (t) => {
  const { log, append } = createLog(2);
  const readers = [collect(log.readFrom(0)), collect(log.readFrom(1)), collect(log.readFrom(2))];
  append();
  log.close();
  t.strictSame(await Promise.all(readers), [["e0", "e1", "e2"], ["e1", "e2"], ["e2"]]);
});

t.test("beyond its bound the log drops its oldest events", async (t) => {
  const { log } = createLog(5, 6);
  t.equal(log.bytes, 6);
  t.equal(log.firstSequenceNumber, 2);
  t.equal(log.nextSequenceNumber, 5);
  log.close();
  t.strictSame(await collect(log.readFrom(2)), ["e2", "e3", "e4"]);
});

t.test("a position that is dropped is refused at once", async (t) => {
  const { log } = createLog(5, 6);
  try {
    log.readFrom(1);
    t.fail("read");
  } catch (error) {
    t.ok(error instanceof CodexNativeApiError);
    t.match(error, { code: "continuation_expired", status: 410, param: "starting_after" });
  }
});

t.test("a reader that is too slow fails when it goes on", async (t) => {
  const { log, append } = createLog(3, 6);
  const reader = log.readFrom(0);
  t.match(await reader.next(), { value: { event: "e0" } });
  for (let index = 0; index < 3; index += 1) append();
  t.match(await rejection(reader.next()), { code: "continuation_expired" });
  t.match(await reader.next(), { done: true });
});

t.test("an event larger than the bound leaves nothing, and readers that are up to it fail", async (t) => {
  const { log, append } = createLog(2, 6);
  const waiting = log.readFrom(2).next();
  log.append("seven b", 2);
  t.match(await rejection(waiting), { code: "continuation_expired" });
  t.equal(log.bytes, 0);
  t.equal(log.firstSequenceNumber, 3);
  append();
  log.close();
  t.strictSame(await collect(log.readFrom(3)), ["e3"]);
});

t.test("bytes are counted as UTF-8", async (t) => {
  const log = new ResponseEventLog({ maxBytes: 100 });
  log.append("漢", 0);
  t.equal(log.bytes, 3);
});

t.test("an aborted reader ends, while it waits and before it begins", async (t) => {
  const { log } = createLog(1);
  const abort = new AbortController();
  const reader = log.readFrom(1, abort.signal);
  const next = reader.next();
  abort.abort();
  t.match(await next, { done: true });
  t.strictSame(await collect(log.readFrom(0, abort.signal)), []);
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

t.test("a reader that leaves takes nothing with it", async (t) => {
  const { log, append } = createLog(2);
  for await (const { event } of log.readFrom(0)) {
    if (event === "e0") break;
  }
  append();
  log.close();
  t.strictSame(await collect(log.readFrom(0)), ["e0", "e1", "e2"]);
});

t.test("events must follow one another, from 0 to the close", async (t) => {
  const log = new ResponseEventLog({ maxBytes: 100 });
  t.throws(() => log.append("e", 1), /comes next/);
  log.append("e", 0);
  t.throws(() => log.append("e", 0), /comes next/);
  t.throws(() => log.append("e", 2), /comes next/);
  log.close();
  t.throws(() => log.append("e", 1), /closed/);
});
