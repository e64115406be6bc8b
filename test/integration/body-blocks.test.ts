/**
 * What a body costs the callers beside its own: for every shape, in every field, the event loop is never blocked for longer than
 * three times as long as by one plain text of the same length, and memory that was taken is given back.
 */
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { fields, shapes } from "../fuzz/support/body-texts.js";
import { BodySender, type SentBody } from "../support/body-sender.js";
import { type HttpFixture, serveFake } from "../support/http-fixture.js";
import { LoopWatch } from "../support/loop-watch.js";
import { measureHeap, measureLive } from "../support/measure-heap.js";

// On a machine with other work it takes its time; what is measured does not depend on that.
t.setTimeout(900_000);

const mebibyte = 1024 * 1024;
const timesPlain = 3;
/** Below this no ratio is looked at: what the system counts of a thread's time comes in steps of up to 4 ms. */
const floorMs = 15;
/** A shape that took too long is tried again, and its best counts: the machine may have had its own reasons. */
const maxRounds = 8;

async function serveLarge(t: Test): Promise<HttpFixture> {
  const registry = new InMemoryCodexNativeApiContinuationRegistry({ maxEntries: 0 });
  const fixture = await serveFake(t, { maxBodyBytes: 34 * mebibyte, registry });
  // What a test could look at later would be kept.
  fixture.runtime.keepsTurns = false;
  return fixture;
}

/** Longest block while the body is sent and answered, the best of at least so many rounds. */
async function measureBlock(
  sender: BodySender,
  body: SentBody,
  { rounds, limitMs }: { readonly rounds: number; readonly limitMs: number },
): Promise<number> {
  const watch = new LoopWatch();
  await sender.prepare(body);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds || (bestMs > limitMs && round < maxRounds); round += 1) {
    watch.start();
    const { status, text } = await sender.send();
    bestMs = Math.min(bestMs, watch.stop());
    const isAnswered = status === 200 || status === 400;
    if (!isAnswered) throw new Error(`${body.shape} in ${body.field}: ${status} ${text.slice(0, 300)}`);
  }
  return bestMs;
}

/** The shapes that cost most, for the fields beside the two lists. */
const costly = [
  "plain",
  "zeros",
  "objects",
  "objects of one key",
  "text parts",
  "chat text parts",
  "many keys",
  "deep",
  "escaped quotes",
  "half emojis",
  "ideographs",
];

t.test("no shape of body blocks the event loop three times as long as one plain text", async (t) => {
  const { port } = await serveLarge(t);
  const sender = new BodySender(t);
  const bytes = mebibyte;
  const plain = { port, field: "input", shape: "plain", bytes };
  const warmUp = { rounds: 2, limitMs: Number.POSITIVE_INFINITY };
  for (const field of ["input", "messages"]) {
    await measureBlock(sender, { port, field, shape: "messages", bytes }, warmUp);
  }
  const plainMs = await measureBlock(sender, plain, { ...warmUp, rounds: 5 });
  const limitMs = Math.max(floorMs, timesPlain * plainMs);
  t.comment(`one plain text of ${bytes} bytes: ${plainMs.toFixed(1)} ms`);
  let worst = { what: "", ms: 0 };
  for (const field of Object.keys(fields)) {
    const isList = field === "input" || field === "messages";
    for (const shape of isList ? Object.keys(shapes) : costly) {
      const ms = await measureBlock(sender, { port, field, shape, bytes }, { rounds: 1, limitMs });
      if (ms > worst.ms) worst = { what: `${shape} in ${field}`, ms };
      t.ok(ms <= limitMs, `${shape} in ${field}: ${ms.toFixed(1)} ms of ${limitMs.toFixed(1)}`);
    }
  }
  t.comment(`longest: ${worst.what}, ${worst.ms.toFixed(1)} ms`);
});

/** Of the process, as the system counts it: with all that the collector has not come to. */
const resident = { everyMs: 2, measure: () => process.memoryUsage().rss };
/** What is needed, whether or not the collector was given a processor. */
const live = { everyMs: 50, measure: measureLive };

/** How much memory grew while the body was sent and answered, in bytes. */
async function measureGrowth(sender: BodySender, { everyMs, measure }: typeof live): Promise<number> {
  await measureHeap();
  const before = measure();
  let peak = before;
  const looking = setInterval(() => {
    peak = Math.max(peak, measure());
  }, everyMs);
  await sender.send();
  clearInterval(looking);
  return peak - before;
}

t.test(
  "one text of 33 MB blocks the event loop no longer in an item's unknown key than in a known one",
  async (t) => {
    const { port } = await serveLarge(t);
    const sender = new BodySender(t);
    const bytes = 33 * mebibyte;
    const rounds = { rounds: 3, limitMs: Number.POSITIVE_INFINITY };
    for (const [known, unknown] of [
      ["an item's content", "an item's unknown key"],
      ["a message's content", "a message's unknown key"],
    ] as const) {
      for (const shape of ["plain", "escaped quotes", "ideographs", "half emojis"]) {
        const knownMs = await measureBlock(sender, { port, field: known, shape, bytes }, rounds);
        const limitMs = Math.max(floorMs, timesPlain * knownMs);
        const ms = await measureBlock(sender, { port, field: unknown, shape, bytes }, { rounds: 1, limitMs });
        t.ok(ms <= limitMs, `${shape} in ${unknown}: ${ms.toFixed(1)} ms of ${limitMs.toFixed(1)}`);
      }
    }
  },
);

t.test("memory grows by 64 MB and four times the body at most, and comes back", async (t) => {
  const { port } = await serveLarge(t);
  const sender = new BodySender(t);
  const bytes = 16 * mebibyte;
  const limitBytes = 64e6 + 4 * bytes;
  const bodies: readonly (readonly [string, string])[] = [
    ["input", "plain"],
    ["an unknown field", "plain"],
    ["input", "zeros"],
    ["an unknown field", "objects"],
    ["messages", "lists"],
    ["input", "messages"],
    ["messages", "messages"],
    ["a tool's parameters", "many keys"],
    ["an unknown field", "ideographs"],
    ["a message's content", "half emojis"],
  ];
  await sender.prepare({ port, field: "input", shape: "messages", bytes: mebibyte });
  await sender.send();
  for (const [field, shape] of bodies) {
    await sender.prepare({ port, field, shape, bytes });
    const before = await measureHeap();
    let grown = Number.POSITIVE_INFINITY;
    for (let round = 0; round < maxRounds && grown > limitBytes; round += 1) {
      grown = Math.min(grown, await measureGrowth(sender, resident));
    }
    // The collector has threads of its own, which a busy machine keeps from their work: then only what is needed can be told.
    if (grown > limitBytes) grown = await measureGrowth(sender, live);
    t.ok(grown <= limitBytes, `${shape} in ${field}: ${(grown / 1e6).toFixed(0)} MB`);
    const left = (await measureHeap()) - before;
    t.ok(left < 8 * mebibyte, `${shape} in ${field}: ${(left / 1e6).toFixed(1)} MB are left`);
  }
});
