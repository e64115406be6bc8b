import t from "tap";
import type { ResponseEventLog } from "../../../src/main/continuation/response-event-log.js";
import { EventLogs, type EventLogsBounds } from "../../../src/main/exchange/event-logs.js";
import { measureHeap } from "../../support/measure-heap.js";
import { rejection } from "../continuation/fixtures.js";

const megabyte = 1024 * 1024;

function openLogs(count: number, bounds: Partial<EventLogsBounds> = {}) {
  const logs = new EventLogs(bounds);
  const opened = Array.from({ length: count }, (_, index) => {
    const log = logs.create();
    logs.add(`resp_${index}`, log);
    return log;
  });
  return { logs, opened };
}

function fill(log: ResponseEventLog, bytes: number, eventBytes = 1_000): void {
  const event = "x".repeat(eventBytes);
  for (let written = 0; written < bytes; written += eventBytes) log.append(event, log.nextSequenceNumber);
}

t.test("forty streams that run together take no more than one bound", async (t) => {
  const { logs, opened } = openLogs(40);
  const before = await measureHeap();
  let most = 0;
  for (let round = 0; round < 20; round += 1) {
    for (const log of opened) {
      fill(log, megabyte / 2);
      most = Math.max(most, logs.bytes);
    }
  }
  t.ok(most <= 64 * megabyte, `${most} bytes at most`);
  t.ok(most > 48 * megabyte, "and the room is used");
  t.equal(
    logs.bytes,
    opened.reduce((sum, log) => sum + log.bytes, 0),
  );
  const taken = (await measureHeap()) - before;
  t.ok(taken < 66 * megabyte, `${taken} bytes taken, of 400 MB that were written`);
});

t.test("a large stream gives way before small ones do", async (t) => {
  const { logs, opened } = openLogs(10, { maxBytes: 4 * megabyte, maxLogBytes: 3.9 * megabyte });
  const [large, ...small] = opened;
  if (large === undefined) throw new Error("no log");
  fill(large, 3.5 * megabyte);
  for (const log of small) fill(log, 100_000);
  t.ok(large.firstSequenceNumber > 0);
  for (const log of small) t.equal(log.firstSequenceNumber, 0);
  t.ok(logs.bytes <= 4 * megabyte);
});

t.test("what has ended and nobody reads goes before what runs, oldest first", async (t) => {
  const { logs, opened } = openLogs(4, { maxBytes: 4 * megabyte });
  const [first, second, third, running] = opened;
  if (!first || !second || !third || !running) throw new Error("no log");
  for (const log of [first, second, third]) {
    fill(log, megabyte);
    log.close();
  }
  const reader = first.readFrom(0);
  await reader.next();
  fill(running, 1.5 * megabyte);
  t.equal(logs.get("resp_0"), first, "it is being read");
  t.equal(logs.get("resp_1"), null);
  t.equal(logs.get("resp_2"), third);
  t.equal(running.firstSequenceNumber, 0);
  t.equal(second.bytes, 0);
  await reader.return?.();
});

t.test("logs of ended responses are bounded in number", async (t) => {
  const { logs, opened } = openLogs(3, { maxEnded: 3 });
  for (const log of opened.slice(0, 2)) log.close();
  logs.add("resp_new", logs.create());
  t.equal(logs.get("resp_0"), null);
  t.not(logs.get("resp_1"), null);
  t.not(logs.get("resp_2"), null);
});

t.test("whoever is behind in a log that is dropped, or deleted, hears why", async (t) => {
  const { logs, opened } = openLogs(2, { maxEnded: 1 });
  const [dropped, deleted] = opened;
  if (!dropped || !deleted) throw new Error("no log");
  for (const log of opened) {
    fill(log, 200_000);
    log.close();
  }
  logs.add("resp_new", logs.create());
  t.match(await rejection((async () => dropped.readFrom(0))()), {
    code: "continuation_expired",
    message: /no longer kept/,
  });
  const other = logs.create();
  logs.add("resp_other", other);
  fill(other, 200_000);
  const reader = other.readFrom(0);
  await reader.next();
  other.close();
  logs.delete("resp_other");
  t.match(await rejection(reader.next()), { code: "response_not_found" });
  t.equal(logs.bytes, 0);
});
