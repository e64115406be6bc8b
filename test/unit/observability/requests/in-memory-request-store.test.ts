import t from "tap";
import {
  InMemoryCodexNativeApiRequestStore,
  type InMemoryRequestStoreOptions,
} from "../../../../src/main/observability/requests/in-memory-request-store.js";
import type { RequestListQuery } from "../../../../src/main/observability/requests/types.js";
import { endedOf, entryOf, queryOf } from "../../../support/request-entries.js";

function createStore(options: InMemoryRequestStoreOptions = {}) {
  const store = new InMemoryCodexNativeApiRequestStore(options);
  const ids = async (changes: Partial<RequestListQuery> = {}) =>
    (await store.list(queryOf(changes)))?.entries.map(({ id }) => id) ?? null;
  return { store, ids };
}

t.test("the newest requests are kept, however many come", async (t) => {
  const { store, ids } = createStore({ maxEntries: 3 });
  for (let index = 1; index <= 1_000; index += 1) {
    store.begin(entryOf(`r${index}`));
    store.end(endedOf(`r${index}`));
  }
  t.strictSame(await ids(), ["r1000", "r999", "r998"]);
  t.equal(store.size.entries, 3);
  t.equal(await store.get("r997", null), null);
});

t.test("long texts count by their size, and the oldest make room for them", async (t) => {
  const { store, ids } = createStore({ maxBytes: 50_000 });
  const content = { input: "x".repeat(4_000), output: "y".repeat(4_000), metadata: null };
  for (const id of ["a", "b", "c", "d"]) {
    store.begin(entryOf(id));
    store.end(endedOf(id, { content }));
  }
  t.strictSame(await ids(), ["d", "c"]);
  t.ok(store.size.bytes <= 50_000);
  store.begin(entryOf("e", { content: { ...content, input: "x".repeat(50_000) } }));
  t.same(await ids(), [], "one that is larger than all the room is not kept, and leaves nothing behind");
  t.same(store.size, { entries: 0, bytes: 0 });
});

t.test("requests that asked for no turn push out no more than a tenth", async (t) => {
  const { store, ids } = createStore({ maxEntries: 20 });
  for (let index = 0; index < 5; index += 1) store.begin(entryOf(`turn${index}`));
  for (let index = 0; index < 1_000; index += 1) {
    const refused = { dialect: null, outcome: "failed", error: null } as const;
    store.begin(entryOf(`stray${index}`, refused));
    store.end(endedOf(`stray${index}`, refused));
  }
  t.strictSame(await ids(), ["stray999", "stray998", "turn4", "turn3", "turn2", "turn1", "turn0"]);
});

t.test("an entry keeps its place while it changes, and one that is gone stays gone", async (t) => {
  const { store, ids } = createStore({ maxEntries: 2 });
  store.begin(entryOf("a"));
  store.begin(entryOf("b"));
  store.update(entryOf("a", { state: "running" }));
  t.strictSame(await ids(), ["b", "a"]);
  store.begin(entryOf("c"));
  store.update(entryOf("a", { state: "running" }));
  store.end(endedOf("a"));
  t.strictSame(await ids(), ["c", "b"]);
  t.equal((await store.usage(null)).rows[0]?.requests, 1, "it counts all the same");
});

t.test("with no room at all nothing is kept, and usage is counted", async (t) => {
  for (const bounds of [{ maxEntries: 0 }, { maxBytes: 0 }]) {
    const { store, ids } = createStore(bounds);
    store.begin(entryOf("a"));
    store.end(endedOf("a"));
    t.strictSame(await ids(), []);
    t.match(await store.usage(null), { rows: [{ requests: 1, inputTokens: 10 }] });
  }
});

t.test("pages follow one another without a gap, also while requests come", async (t) => {
  const { store } = createStore();
  for (let index = 0; index < 10; index += 1) store.begin(entryOf(`r${index}`));
  const seen: string[] = [];
  let after: string | null = null;
  for (let hasMore = true; hasMore; ) {
    const page = await store.list(queryOf({ limit: 3, after }));
    if (page === null) throw new Error("the place is gone");
    seen.push(...page.entries.map(({ id }) => id));
    after = page.entries.at(-1)?.id ?? null;
    hasMore = page.hasMore;
    store.begin(entryOf(`new${seen.length}`));
  }
  t.strictSame(seen, ["r9", "r8", "r7", "r6", "r5", "r4", "r3", "r2", "r1", "r0"]);
  t.equal(await store.list(queryOf({ after: "unknown" })), null);
});

t.test("a page of long texts ends before it is too large to be made in one go", async (t) => {
  const { store } = createStore({ maxBytes: 1024 * 1024 * 1024 });
  const content = { input: "x".repeat(500_000), output: null, metadata: null };
  for (let index = 0; index < 30; index += 1) store.begin(entryOf(`r${index}`, { content }));
  const page = await store.list(queryOf({ limit: 30 }));
  t.ok(page !== null && page.entries.length < 15 && page.hasMore);
});

t.test("a viewer finds its own entries only, by every way", async (t) => {
  const { store, ids } = createStore();
  store.begin(entryOf("of-ada", { caller: "ada" }));
  store.begin(entryOf("of-bob", { caller: "bob" }));
  store.begin(entryOf("of-nobody"));
  t.strictSame(await ids({ viewer: "ada" }), ["of-ada"]);
  t.strictSame(await ids({ viewer: "ada", caller: "bob" }), []);
  t.equal(await ids({ viewer: "ada", after: "of-bob" }), null);
  t.equal(await store.get("of-bob", "ada"), null);
  t.equal(await store.get("of-nobody", "ada"), null);
  t.match(await store.get("of-bob", null), { id: "of-bob" });
  t.strictSame(await ids(), ["of-nobody", "of-bob", "of-ada"]);
});

t.test("each filter lets pass what it names", async (t) => {
  const { store, ids } = createStore();
  const error = { code: "queue_full", param: null, retryable: true, message: null };
  store.begin(endedOf("a", { route: "/v1/decisions", requestedModel: "fast" }));
  store.begin(endedOf("b", { outcome: "failed", error, model: "gpt-other", caller: "ada" }));
  t.strictSame(await ids({ route: "/v1/decisions" }), ["a"]);
  t.strictSame(await ids({ model: "fast" }), ["a"]);
  t.strictSame(await ids({ model: "gpt-other" }), ["b"]);
  t.strictSame(await ids({ outcome: "failed" }), ["b"]);
  t.strictSame(await ids({ code: "queue_full" }), ["b"]);
  t.strictSame(await ids({ caller: "ada" }), ["b"]);
  t.strictSame(await ids({ caller: "ada", route: "/v1/decisions" }), []);
});

t.test("a bound that is no whole number is refused", async (t) => {
  for (const wrong of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => createStore({ maxEntries: wrong }), RangeError);
    t.throws(() => createStore({ maxBytes: wrong }), RangeError);
  }
});
