import t from "tap";
import { EntryRing } from "../../../src/page/data/entry-ring.js";
import { parseRoute, readCode, routeTo } from "../../../src/page/data/route.js";
import { SseParser } from "../../../src/page/data/sse-parser.js";
import { formatsOf } from "../../../src/page/texts/format.js";
import { preferredLanguage } from "../../../src/page/texts/language.js";
import { makeEntry } from "../../support/page-fixtures.js";

t.test("the ring keeps the newest, and drops those that have ended first", async (t) => {
  const ring = new EntryRing(3);
  ring.put(makeEntry({ id: "long", state: "running" }));
  for (const id of ["a", "b", "c"]) ring.put(makeEntry({ id }));
  t.strictSame(
    ring.list().map(({ id }) => id),
    ["c", "b", "long"],
  );
  t.equal(ring.list(), ring.list(), "the same list until something changes");
});

t.test("only running ones are bounded too", async (t) => {
  const ring = new EntryRing(2);
  for (const id of ["a", "b", "c"]) ring.put(makeEntry({ id, state: "running" }));
  t.strictSame(
    ring.list().map(({ id }) => id),
    ["c", "b"],
  );
});

t.test("late news take nothing back, from an event or from a list", async (t) => {
  const ring = new EntryRing(3);
  t.ok(ring.put(makeEntry()));
  t.notOk(ring.put(makeEntry({ state: "running" })));
  ring.fill([makeEntry({ state: "waiting" })]);
  t.equal(ring.list()[0]?.state, "ended");
});

t.test("a list is taken over in the order of time, within the bound", async (t) => {
  const ring = new EntryRing(3);
  ring.put(makeEntry({ id: "event", started_at_ms: 25 }));
  ring.fill([30, 20, 10].map((started_at_ms) => makeEntry({ id: `list ${started_at_ms}`, started_at_ms })));
  t.strictSame(
    ring.list().map(({ id }) => id),
    ["list 30", "event", "list 20"],
  );
});

t.test("events are read however they are cut", async (t) => {
  const text = ': comment\nevent: state\r\ndata: {"a":\ndata: 1}\n\ndata:plain\n\nevent: empty\n\n';
  const whole = new SseParser().push(text);
  t.strictSame(whole, [
    { event: "state", data: '{"a":\n1}' },
    { event: "message", data: "plain" },
  ]);
  const parser = new SseParser();
  t.strictSame(
    [...text].flatMap((character) => parser.push(character)),
    whole,
  );
});

t.test("an event without an end is refused", async (t) => {
  const parser = new SseParser();
  t.throws(() => {
    for (let pieces = 0; pieces < 100; pieces += 1) parser.push("x".repeat(100_000));
  });
});

t.test("routes are read as they were made, and odd ones are harmless", async (t) => {
  const address = routeTo("requests", { code: "a&b=c#d" }, "id/with?odd #signs");
  const { view, rest, query } = parseRoute(address);
  t.strictSame([view, rest, query.get("code")], ["requests", "id/with?odd #signs", "a&b=c#d"]);
  t.equal(parseRoute("#/%E0%A4%A/%E0%A4%A").rest, "%E0%A4%A");
  t.equal(parseRoute("").view, "");
  t.equal(readCode("#code=abc-_1"), "abc-_1");
  t.equal(readCode("#/now"), null);
});

t.test("times are short, and in the page's language", async (t) => {
  const en = formatsOf("en");
  t.strictSame(
    [en.duration(41.6), en.duration(999.9), en.duration(12_340), en.duration(125_000)],
    ["42ms", "1s", "12.3s", "2m 5s"],
  );
  t.strictSame(
    [en.span(0), en.span(3_600_000), en.span(93_784_000), en.span(200_000_000)],
    ["0s", "1h", "26h 3m", "2d 7h"],
  );
  t.strictSame(
    [en.percent(0), en.percent(0.0004), en.percent(0.05), en.percent(0.426)],
    ["0%", "0.04%", "5%", "43%"],
  );
  t.equal(en.fine(1.43), "1.4ms");
  t.equal(formatsOf("zh").duration(2_000), "2秒");
});

t.test("the first of the person's languages that there is, else English", async (t) => {
  t.equal(preferredLanguage(["fr", "zh-Hant-TW", "en"]), "zh");
  t.equal(preferredLanguage(["__proto__", "fr"]), "en");
  t.equal(preferredLanguage([]), "en");
});
