import t from "tap";
import { SpareThreads, type SpareThreadsOptions } from "../../../../src/main/turns/threads/spare-threads.js";
import type { NativeQuery } from "../../../../src/workers/contract/native-queries.js";
import type { ThreadSettings } from "../../../../src/workers/contract/turn.js";

class FakeWorker {
  connected = true;
  appServerGeneration = 1;
  readonly released: string[] = [];
  fails = false;
  isBare = true;
  #count = 0;

  readonly query: never = ((question: NativeQuery) => {
    if (this.fails) return Promise.reject(new Error("refused"));
    this.#count += 1;
    return Promise.resolve({ query: question.query, threadId: `thread-${this.#count}`, isBare: this.isBare });
  }) as never;

  releaseThread(threadId: string): void {
    this.released.push(threadId);
  }
}

function settings(instructions: string): ThreadSettings {
  return {
    form: "lean",
    isLite: false,
    modelCatalog: null,
    model: "m",
    instructions,
    tools: [],
    webSearch: null,
    verbosity: null,
  };
}

function turn(instructions: string) {
  return { thread: settings(instructions), blank: null, accepts: () => true };
}

function create(options: Partial<SpareThreadsOptions> = {}) {
  const worker = new FakeWorker();
  const state = { placesLeft: Number.POSITIVE_INFINITY, availableBytes: 1e12, nowMs: 0, placesTaken: 0 };
  const spares = new SpareThreads(
    { maxThreads: 4, idleMs: 1000, maxAgeMs: 1e9, minAvailableBytes: 1e9, ...options },
    {
      findPlace: () => {
        if (state.placesLeft === 0) return null;
        state.placesTaken += 1;
        const leave = () => {
          state.placesTaken -= 1;
        };
        return { slot: worker as never, gatePlace: { leave, noteOverdue: () => {} } };
      },
      availableBytes: () => state.availableBytes,
      onThreadStarted: () => {},
      onPlaceLeft: () => {},
      now: () => state.nowMs,
    },
  );
  const use = async (instructions: string) => {
    const spare = spares.take(turn(instructions));
    spares.refill();
    await settled();
    return spare;
  };
  return { spares, worker, state, use };
}

/** Preparing takes a handful of microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

t.test("settings that come again find a thread, and it is theirs alone", async (t) => {
  const { use } = create();
  t.equal(await use("a"), null);
  t.equal(await use("a"), null);
  t.equal((await (await use("a"))?.prepared)?.threadId, "thread-1");
  t.equal(await use("b"), null, "other settings do not get it");
  t.equal((await (await use("a"))?.prepared)?.threadId, "thread-2");
});

t.test("turns that come at once raise the number kept for them, to the bound", async (t) => {
  const { spares } = create({ maxThreads: 3 });
  for (let index = 0; index < 8; index += 1) spares.take(turn("a"));
  spares.refill();
  for (let step = 0; step < 5; step += 1) await settled();
  t.equal(spares.health().ready, 3);
});

t.test("at the bound the settings longest unused give one up, and it is unloaded", async (t) => {
  const { spares, worker, use } = create({ maxThreads: 1 });
  await use("a");
  await use("a");
  t.equal(spares.health().ready, 1);
  await use("b");
  await use("b");
  t.equal(spares.health().ready, 1);
  t.same(worker.released, ["thread-1"]);
  t.equal((await (await use("b"))?.prepared)?.threadId, "thread-2");
});

t.test("none is started while turns need every place, nor while memory is tight", async (t) => {
  const { spares, state, use } = create();
  state.placesLeft = 0;
  await use("a");
  await use("a");
  t.equal(spares.health().ready, 0);
  state.placesLeft = 1;
  state.availableBytes = 1;
  state.nowMs = 2000;
  spares.refill();
  t.equal(spares.health().ready, 0);
  state.availableBytes = 1e12;
  state.nowMs = 4000;
  spares.refill();
  t.equal(spares.health().ready, 1);
  await settled();
  t.equal(state.placesTaken, 0, "the place is given back");
});

t.test("what Codex will not start is not tried for ever", async (t) => {
  const { spares, worker, state, use } = create();
  worker.fails = true;
  await use("a");
  await use("a");
  t.equal(spares.health().ready, 0);
  t.equal(state.placesTaken, 0);
  worker.fails = false;
  t.equal(await use("a"), null);
  t.equal(spares.health().ready, 0, "they have to come again first");
});

t.test(
  "instructions that are new each time share blank threads, and those that come again get their own",
  async (t) => {
    const { spares } = create();
    const take = async (instructions: string) => {
      const taken = spares.take({ ...turn(instructions), blank: settings("") });
      spares.refill();
      await settled();
      return {
        threadId: (await taken?.prepared)?.threadId,
        lacksInstructions: taken?.lacksInstructions ?? false,
      };
    };
    t.match(await take("a"), { threadId: undefined, lacksInstructions: false });
    t.match(await take("b"), { threadId: undefined });
    t.match(await take("c"), { threadId: "thread-1", lacksInstructions: true });
    t.match(await take("d"), { threadId: "thread-2", lacksInstructions: true });
    t.match(
      await take("d"),
      { threadId: "thread-3", lacksInstructions: true },
      "meanwhile one of its own is started",
    );
    t.match(await take("d"), { lacksInstructions: false });
  },
);

t.test(
  "where the account puts messages of its own into threads, a blank one serves no instructions",
  async (t) => {
    const { spares, worker, use } = create();
    worker.isBare = false;
    await use("");
    await use("");
    t.equal(spares.health().ready, 1);
    const wanted = { ...turn("new"), blank: settings("") };
    t.equal(spares.take(wanted), null);
    t.not(await use(""), null, "it serves those without instructions");
    worker.appServerGeneration = 2;
    worker.isBare = true;
    await use("");
    await use("");
    t.match(spares.take(wanted), { lacksInstructions: true });
  },
);

t.test("settings that come once push none out that come again", async (t) => {
  const { spares, use } = create();
  await use("steady");
  await use("steady");
  for (let index = 0; index < 100; index += 1) spares.take(turn(`once ${index}`));
  t.not(await use("steady"), null);
});

t.test("a thread of a lost connection is not given out", async (t) => {
  const { spares, worker, use } = create();
  await use("a");
  await use("a");
  worker.appServerGeneration = 2;
  spares.forgetDead();
  t.equal(spares.health().ready, 0);
  t.equal(spares.take(turn("a")), null);
});

t.test("one that was taken and not used is unloaded", async (t) => {
  const { spares, worker, use } = create();
  await use("a");
  await use("a");
  const spare = await use("a");
  t.ok(spare);
  if (spare !== null) spares.discard(spare);
  await settled();
  t.same(worker.released, ["thread-1"]);
  t.equal(spares.health().discarded, 1);
});

t.test("a thread whose connection may have been ended for its age is given to nobody", async (t) => {
  const { spares, worker, state, use } = create({ maxAgeMs: 500 });
  await use("a");
  await use("a");
  state.nowMs = 600;
  t.equal(await use("a"), null);
  t.same(worker.released, ["thread-1"]);
  t.equal(spares.health().ready, 2, "others have taken its place");
});

t.test("unused settings lose their threads", async (t) => {
  const { spares, worker, state, use } = create({ idleMs: 50 });
  await use("a");
  await use("a");
  state.nowMs = 51;
  while (spares.health().ready > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await settled();
  t.same(worker.released, ["thread-1"]);
  spares.clear();
});

t.test("only so many settings are remembered, and none that are very long", async (t) => {
  const { spares, use } = create({ maxThreads: 64 });
  for (let index = 0; index < 40; index += 1) {
    await use(`settings ${index}`);
    await use(`settings ${index}`);
  }
  t.equal(spares.health().ready, 32);
  await use("x".repeat(100_000));
  await use("x".repeat(100_000));
  t.equal(spares.health().ready, 32);
});

t.test("a turn that is announced finds a thread, which nothing replaces if it is the only one", async (t) => {
  const { spares, use } = create();
  spares.expect(turn("a"));
  spares.expect(turn("a"));
  await settled();
  t.equal(spares.health().ready, 1, "announced twice, it is one turn");
  t.equal((await (await use("a"))?.prepared)?.threadId, "thread-1");
  t.equal(spares.health().ready, 0);
  t.equal(await use("a"), null);
  t.equal(spares.health().ready, 1, "and then they come again");
});

t.test("announced turns get no more threads than others", async (t) => {
  const { spares, state, worker } = create({ maxThreads: 2 });
  for (let index = 0; index < 100; index += 1) {
    spares.expect(turn(`a${index}`));
    await settled();
  }
  t.equal(spares.health().ready, 2);
  t.equal(worker.released.length, 98);
  state.placesLeft = 0;
  spares.expect(turn("b"));
  const none = create({ maxThreads: 0 }).spares;
  none.expect(turn("a"));
  await settled();
  t.match([spares.health(), none.health()], [{ ready: 1 }, { ready: 0 }]);
});
