import t, { type Test } from "tap";
import { CodexNativeApiError } from "../../../src/main/errors.js";
import {
  EventFeed,
  eventFeedBounds,
  type FeedWriter,
  type RequestListener,
} from "../../../src/main/http/event-feed.js";
import { describeState } from "../../../src/main/http/state-report.js";
import type { NativeRuntimeHealth } from "../../../src/main/runtime/types.js";
import { createDeferred, type Deferred } from "../../../src/workers/contract/wait.js";
import { readyHealth } from "../../support/fake-runtime.js";
import { parseSse, type SseEvent } from "../../support/sse-events.js";

/** A reader that takes what it gets at once, or nothing until it is told to. */
class HandReader implements FeedWriter {
  text = "";
  isEnded = false;
  isSlow = false;
  #taken: Deferred<void> | null = null;
  #written = createDeferred<void>();

  write(text: string): undefined | Promise<void> {
    this.text += text;
    this.#written.resolve();
    this.#written = createDeferred();
    if (this.isSlow) this.#taken ??= createDeferred();
    return this.#taken?.promise;
  }

  async end(): Promise<void> {
    this.isEnded = true;
  }

  async take(): Promise<void> {
    this.isSlow = false;
    this.#taken?.resolve();
    this.#taken = null;
    // What the feed does then.
    await Promise.resolve();
  }

  written(): Promise<void> {
    return this.#written.promise;
  }

  get events(): readonly SseEvent[] {
    return parseSse(this.text).events;
  }

  get names(): readonly (string | undefined)[] {
    return this.events.map(({ event }) => event);
  }
}

function startFeed(t: Test) {
  const world = {
    health: readyHealth as NativeRuntimeHealth,
    looks: 0,
    listeners: new Set<RequestListener>(),
    withdrawn: new Set<string>(),
    /** Names that tokens have since a reload. */
    renamed: new Map<string, string>(),
  };
  let looked = createDeferred<void>();
  const feed = new EventFeed({
    describeState: () => {
      world.looks += 1;
      looked.resolve();
      looked = createDeferred();
      return describeState(world.health);
    },
    subscribe: (listener) => {
      world.listeners.add(listener);
      return () => world.listeners.delete(listener);
    },
    admit: ({ headers }) => {
      const { authorization = "" } = headers;
      if (world.withdrawn.has(authorization))
        throw new CodexNativeApiError("invalid_auth_token", "withdrawn");
      const name = world.renamed.get(authorization) ?? authorization;
      return name === "" ? null : { name };
    },
    wallClock: () => 1_790_000_000_000,
    clock: () => 5,
    stateIntervalMs: 1,
  });
  // The feed's own timer keeps no process alive.
  const hold = setInterval(() => {}, 60_000);
  t.teardown(() => {
    clearInterval(hold);
    feed.close();
  });
  const add = (tokenName: string | null = null) => {
    const reader = new HandReader();
    const headers = tokenName === null ? {} : { authorization: tokenName };
    const remove = feed.add({ writer: reader, tokenName, headers, localAddress: undefined });
    return { reader, remove };
  };
  const tell = (name: Parameters<RequestListener>[0], caller: string | null, data: object = {}) => {
    for (const listener of world.listeners) listener(name, caller, () => data);
  };
  const look = () => looked.promise;
  return { feed, world, add, tell, look };
}

t.test("a reader begins with the state of now", async (t) => {
  const { add } = startFeed(t);
  const { reader } = add();
  const [first] = reader.events;
  t.equal(first?.event, "state");
  t.match(first?.data, {
    object: "state",
    at_ms: 1_790_000_000_000,
    ready: true,
    reason: null,
    turns: { running: 0, waiting: 0, parked: 0 },
    spare_threads: 1,
    workers: [{ id: "worker-1", state: "ready" }],
    account: { type: "chatgpt", plan: "plus" },
    plan_windows: [
      { name: "primary", used_percent: 12, window_minutes: 300, resets_at_ms: 1_800_000_000_000 },
    ],
    app_server_generation: 4,
    uptime_ms: 0,
  });
});

t.test("the state comes again when it has changed, and only then", async (t) => {
  const { add, world, look } = startFeed(t);
  const { reader } = add();
  for (let count = 0; count < 5; count += 1) await look();
  t.equal(reader.events.length, 1);
  const written = reader.written();
  world.health = { ...readyHealth, queue: { depth: 2, running: 1, parked: 3 } };
  await written;
  t.match(reader.events[1]?.data, { turns: { running: 1, waiting: 2, parked: 3 } });
  for (let count = 0; count < 5; count += 1) await look();
  t.equal(reader.events.length, 2);
});

t.test("what only ages is no change", async (t) => {
  const { add, world, look } = startFeed(t);
  const { reader } = add();
  const [worker] = readyHealth.workers;
  t.ok(worker);
  if (worker === undefined) return;
  world.health = { ...readyHealth, workers: [{ ...worker, lastReportAgeMs: 900, completedTurns: 7 }] };
  for (let count = 0; count < 5; count += 1) await look();
  t.equal(reader.events.length, 1);
});

t.test("a reader that comes between two looks takes no change from the others", async (t) => {
  const { add, world } = startFeed(t);
  const { reader } = add();
  world.health = { ...readyHealth, queue: { depth: 0, running: 9 } };
  const written = reader.written();
  add();
  await written;
  t.match(reader.events[1]?.data, { turns: { running: 9 } });
});

t.test("without a reader nothing is looked at or listened to", async (t) => {
  const { add, world, feed } = startFeed(t);
  t.equal(world.looks, 0);
  t.equal(world.listeners.size, 0);
  const [one, other] = [add(), add()];
  t.equal(world.listeners.size, 1);
  one.remove();
  one.remove();
  t.equal(world.listeners.size, 1);
  other.remove();
  t.equal(world.listeners.size, 0);
  t.equal(feed.size, 0);
});

t.test("a named token sees its own requests, the service's own and none see all", async (t) => {
  const { add, tell } = startFeed(t);
  const [ada, bob, all, open] = [add("ada"), add("bob"), add("default"), add()];
  tell("request.started", "ada", { id: "1" });
  tell("request.ended", "bob", { id: "2" });
  tell("request.updated", null, { id: "3" });
  const idsOf = ({ reader }: { readonly reader: HandReader }) =>
    reader.events.slice(1).map(({ data }) => (data as { id: string }).id);
  t.strictSame([ada, bob, all, open].map(idsOf), [["1"], ["2"], ["1", "2", "3"], ["1", "2", "3"]]);
});

t.test("an event that nobody may see is not made", async (t) => {
  const { add, world } = startFeed(t);
  add("ada");
  for (const listener of world.listeners)
    listener("request.started", "bob", () => {
      throw new Error("made for nobody");
    });
});

t.test("ids increase", async (t) => {
  const { add, tell } = startFeed(t);
  const { reader } = add();
  tell("request.started", null);
  tell("request.ended", null);
  const ids = [...reader.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  t.equal(ids.length, 3);
  t.strictSame(
    ids,
    [...new Set(ids)].sort((one, other) => one - other),
  );
});

t.test("a slow reader is told how much it missed, and begins again with the state", async (t) => {
  const { add, tell } = startFeed(t);
  const [slow, quick] = [add().reader, add().reader];
  slow.isSlow = true;
  const data = { text: "x".repeat(1_000) };
  const count = 2 * Math.ceil(eventFeedBounds.maxQueuedChars / 1_000);
  for (let sent = 0; sent < count; sent += 1) tell("request.updated", null, data);
  t.equal(quick.events.length, 1 + count);
  t.ok(slow.text.length < eventFeedBounds.maxQueuedChars + 2_000, "what it has not read is bounded");
  const kept = slow.events.length - 1;
  await slow.take();
  const [dropped, state, ...rest] = slow.events.slice(1 + kept);
  t.match(dropped, { event: "events.dropped", data: { count: count - kept } });
  t.match(state, { event: "state" });
  t.strictSame(rest, []);
  tell("request.ended", null);
  t.equal(slow.names.at(-1), "request.ended");
});

t.test("a reader that is behind for a moment misses nothing", async (t) => {
  const { add, tell } = startFeed(t);
  const { reader } = add();
  reader.isSlow = true;
  for (const name of ["request.started", "request.updated", "request.ended"] as const) tell(name, null);
  await reader.take();
  t.strictSame(reader.names, ["state", "request.started", "request.updated", "request.ended"]);
});

t.test("there is room for so many readers, and no more", async (t) => {
  const { add, feed } = startFeed(t);
  const readers = Array.from({ length: eventFeedBounds.maxReaders }, () => {
    feed.requireRoom();
    return add();
  });
  t.throws(() => feed.requireRoom(), { code: "event_readers_exceeded", status: 429 });
  readers[3]?.remove();
  t.doesNotThrow(() => feed.requireRoom());
});

t.test("a reader that the rules no longer let in loses its stream, and no other", async (t) => {
  const { add, world, feed } = startFeed(t);
  const [ada, bob] = [add("ada"), add("bob")];
  world.withdrawn.add("ada");
  feed.recheck();
  t.ok(ada.reader.isEnded);
  t.notOk(bob.reader.isEnded);
  t.equal(feed.size, 1);
});

t.test(
  "a reader whose token is another's since a reload loses its stream, and so what the old one saw",
  async (t) => {
    const { add, world, feed } = startFeed(t);
    const [owner, ada, bob, anyone] = [add("default"), add("ada"), add("bob"), add()];
    // The secret of all was given a name; another changed hands; and where no token was needed, one is.
    world.renamed = new Map([
      ["default", "carol"],
      ["ada", "bob"],
      ["", "default"],
    ]);
    feed.recheck();
    t.strictSame(
      [owner, ada, bob, anyone].map(({ reader }) => reader.isEnded),
      [true, true, false, true],
    );
  },
);

t.test("the end of the service ends every stream, with the state as its last event", async (t) => {
  const { add, world, feed } = startFeed(t);
  const { reader } = add();
  const error = { code: "native_runtime_unavailable", message: "The service is stopped." } as const;
  world.health = { ...readyHealth, readiness: { ready: false, error } };
  feed.close();
  t.match(reader.events.at(-1), { event: "state", data: { ready: false, reason: error } });
  t.ok(reader.isEnded);
  t.equal(world.listeners.size, 0);
  const late = add();
  t.ok(late.reader.isEnded);
  t.equal(feed.size, 0);
});
