/**
 * The service's side of `npm run soak:events`, in a process of its own: the listener with its request log and its feed, over a runtime that
 * is played. Plays what it is told to over IPC, and says what that took of processor and memory.
 */
import { setTimeout as wait } from "node:timers/promises";
import { EventFeed } from "../../src/main/http/event-feed.js";
import { describeRequest } from "../../src/main/http/requests/describe-request.js";
import { describeState } from "../../src/main/http/state-report.js";
import { InMemoryCodexNativeApiRequestStore } from "../../src/main/observability/requests/in-memory-request-store.js";
import { RequestLog } from "../../src/main/observability/requests/request-log.js";
import type { RequestEntry } from "../../src/main/observability/requests/types.js";
import type { NativeRuntimeHealth } from "../../src/main/runtime/types.js";
import { createQuickApp } from "../fuzz/support/quick-server.js";
import { readyHealth } from "../support/fake-runtime.js";

/** What the parent asks for. */
export interface SourceInput {
  readonly play: "states" | "requests";
  readonly count: number;
}

/** What the source says: where it listens, and what a play took. */
export type SourceOutput =
  | { readonly url: string }
  | { readonly cpuMs: number; readonly heapBytes: number; readonly events: number };

/** Requests between two rounds of the event loop. Many more events at once are more than a reader may be behind. */
const requestsAtOnce = 4;
/** Changes of a request between its begin and its end: prepared, admitted, thread, turn, first output, last output. */
const updates = 6;

const [worker] = readyHealth.workers;
const workers = ["worker-1", "worker-2", "worker-3", "worker-4"].flatMap((id) =>
  worker === undefined ? [] : { ...worker, id },
);
/** What is left to play of the states. Every look sees another one. */
let states = { left: 0, done: () => {} };
let running = 0;

function readHealth(): NativeRuntimeHealth {
  if (states.left > 0) {
    running = (running + 1) % 50;
    states.left -= 1;
    if (states.left === 0) states.done();
  }
  return { ...readyHealth, workers, queue: { depth: 0, running, parked: 0 } };
}

const requestLog = new RequestLog(new InMemoryCodexNativeApiRequestStore());
const feed = new EventFeed({
  describeState: () => describeState(readHealth()),
  subscribe: (listener) =>
    requestLog.subscribe((change, entry) =>
      listener(`request.${change}`, entry.caller, () => describeRequest(entry)),
    ),
  admit: () => null,
  wallClock: Date.now,
  clock: () => performance.now(),
  stateIntervalMs: 1,
});

function makeEntry(id: number): RequestEntry {
  return {
    id: `req_${String(id).padStart(32, "0")}`,
    state: "waiting",
    startedAtMs: Date.now(),
    transport: "http",
    method: "POST",
    route: "/v1/responses",
    status: null,
    caller: null,
    dialect: "responses",
    model: null,
    requestedModel: "gpt-5.5",
    reasoningEffort: "medium",
    serviceTier: null,
    stream: true,
    background: false,
    choices: 1,
    taskClass: null,
    priority: "interactive",
    timeoutMs: 60_000,
    promptForm: null,
    outcome: null,
    error: null,
    timings: {
      preparedMs: null,
      admittedMs: null,
      threadReadyMs: null,
      turnStartedMs: null,
      firstOutputMs: null,
      outputEndedMs: null,
      endedMs: null,
    },
    thread: null,
    attempts: 1,
    retries: [],
    ignoredParameters: ["temperature"],
    usage: null,
    responseId: null,
    previousResponseId: null,
    content: null,
  };
}

function playRequest(id: number): void {
  let entry = makeEntry(id);
  requestLog.begin(entry);
  for (let update = 1; update <= updates; update += 1) {
    entry = {
      ...entry,
      state: "running",
      timings: { ...entry.timings, preparedMs: update, admittedMs: update },
    };
    requestLog.update(entry);
  }
  const usage = {
    inputTokens: 1200,
    cachedInputTokens: 1024,
    outputTokens: 300,
    reasoningOutputTokens: 120,
    totalTokens: 1500,
  };
  requestLog.end({ ...entry, state: "ended", status: 200, outcome: "completed", usage });
}

async function playRequests(count: number): Promise<number> {
  for (let id = 0; id < count; id += 1) {
    playRequest(id);
    if (id % requestsAtOnce === requestsAtOnce - 1) await wait(1);
  }
  return count * (updates + 2);
}

async function playStates(count: number): Promise<number> {
  await new Promise<void>((resolve) => {
    states = { left: count, done: resolve };
  });
  return count;
}

async function play({ play: what, count }: SourceInput): Promise<void> {
  global.gc?.();
  const before = process.cpuUsage();
  const events = what === "states" ? await playStates(count) : await playRequests(count);
  const { user, system } = process.cpuUsage(before);
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  say({ cpuMs: (user + system) / 1000, heapBytes: heapUsed + external, events });
}

function say(output: SourceOutput): void {
  process.send?.(output);
}

const app = await createQuickApp({ requestLog, eventFeed: feed });
const url = await app.listen({ host: "127.0.0.1", port: 0 });
process.on("message", (input: SourceInput) => void play(input));
process.on("disconnect", () => process.exit());
say({ url });
