/**
 * `npm run soak:page`: a day of the page in minutes. As many events as so many turns a day make are sent to a page that is seen, faster
 * than they would come, and its memory and processor time are read from Chromium. Prints figures, and fails over the bounds.
 */
import { chromium } from "playwright-core";
import type { Entry } from "../../src/page/wire.js";
import { makeEmptyService, makeRandomEntry, makeState } from "../support/page-fixtures.js";
import { startPageMock } from "../support/page-mock.js";

const dayMs = 86_400_000;
const turnsADay = 10_000;
const turnsSent = 10_000;
const turnsASecond = 40;
const maxCoreShare = 0.01;
const maxGrowthBytes = 5_000_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const teardowns: (() => unknown)[] = [];
const mock = await startPageMock(
  { teardown: (end: () => unknown) => void teardowns.push(end) },
  makeEmptyService(),
);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
  args: ["--disable-gpu", "--js-flags=--expose-gc"],
  chromiumSandbox: process.getuid?.() !== 0,
});
const page = await browser.newPage();
await page.goto(mock.url);
await page.locator(".state-ready").waitFor();
const devtools = await page.context().newCDPSession(page);
// Processor time, not time on the clock: on a busy machine the page waits for its turn.
await devtools.send("Performance.enable", { timeDomain: "threadTicks" });

async function measure() {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const read = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return {
    heapBytes: read("JSHeapUsedSize"),
    taskSeconds: read("TaskDuration"),
    nodes: read("Nodes"),
    listeners: read("JSEventListeners"),
  };
}

let seed = 1;
const random = () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

function sendTurn(index: number): void {
  const ended = makeRandomEntry(random, Date.now() - 3_000, `req_${index}`);
  const timings: Entry["timings"] = {
    ...ended.timings,
    first_output_ms: null,
    output_ended_ms: null,
    ended_ms: null,
  };
  const running: Entry = { ...ended, state: "running", outcome: null, usage: null, error: null, timings };
  mock.send("request.started", { ...running, state: "waiting", thread: null });
  mock.send("request.updated", running);
  mock.send("request.ended", ended);
}

async function sendTurns(from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index += 1) {
    sendTurn(index);
    if (index % turnsASecond !== 0) continue;
    mock.send("state", makeState({ turns: { running: index % 9, waiting: 0, parked: 0 } }));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Until the ring is full: from here on nothing may grow. */
await sendTurns(1, 1_500);
const before = await measure();
await sendTurns(1_501, turnsSent);
const after = await measure();
// At the pace of a day the page draws no more often than the turns come, once a second at most; here each second had many.
const secondsOfDrawing = turnsSent / turnsASecond;
const costOfSecond = (after.taskSeconds - before.taskSeconds) / secondsOfDrawing;
const secondsOfDay = Math.min(dayMs / 1_000, turnsADay);
const coreShare = (costOfSecond * secondsOfDay) / (dayMs / 1_000);
const growth = after.heapBytes - before.heapBytes;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
say(`${turnsSent} turns (${3 * turnsSent} events) in ${secondsOfDrawing} s`);
say(
  `heap after collection: ${megabytes(before.heapBytes)} with a full ring, ${megabytes(after.heapBytes)} at the end`,
);
say(`nodes ${before.nodes} -> ${after.nodes}, listeners ${before.listeners} -> ${after.listeners}`);
say(
  `a second with ${turnsASecond} turns and a redraw: ${(costOfSecond * 1_000).toFixed(1)} ms of the page's thread`,
);
say(`a day of ${turnsADay} turns, a redraw for each: ${(coreShare * 100).toFixed(2)} % of a core`);
await browser.close();
for (const end of teardowns) await end();
if (growth > maxGrowthBytes || coreShare > maxCoreShare) process.exitCode = 1;
