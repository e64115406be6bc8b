import t from "tap";
import { defaults } from "../../../src/main/config/defaults.js";
import { options } from "../../../src/main/config/options.js";
import { measureJsonBytes } from "../../../src/workers/contract/json.js";
import { createRecord, createRegistry, epochMs } from "./fixtures.js";

const statusOf = async (lookup: Promise<{ readonly status: string }>) => (await lookup).status;

t.test("a stored record is read back whole, with its times", async (t) => {
  const { registry } = createRegistry();
  const record = createRecord("resp_1", { parkedCallIds: ["call_1"] });
  const times = { lastUsedAt: epochMs, expiresAt: epochMs + 1000 };
  t.strictSame(await registry.put(record), { status: "stored", record: { ...record, ...times } });
  t.strictSame(await registry.get("resp_1"), { status: "found", record: { ...record, ...times } });
  t.strictSame(await registry.get("resp_2"), { status: "not_found" });
});

t.test("items are kept, not copied", async (t) => {
  const { registry } = createRegistry();
  const record = createRecord("resp_1");
  await registry.put(record);
  const lookup = await registry.get("resp_1");
  if (lookup.status !== "found") throw new Error(lookup.status);
  t.equal(lookup.record.inputItems, record.inputItems);
  t.equal(lookup.record.response, record.response);
});

t.test("reading a record gives it its whole time anew", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("resp_1"));
  pass(999);
  const lookup = await registry.get("resp_1");
  t.match(lookup, { record: { lastUsedAt: epochMs + 999, expiresAt: epochMs + 1999 } });
  pass(999);
  t.equal(await statusOf(registry.get("resp_1")), "found");
  pass(1000);
  t.strictSame(await registry.get("resp_1"), { status: "gone", reason: "expired" });
});

t.test("asking whether a record is there is no use of it", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("resp_1"));
  pass(999);
  t.equal(await registry.has("resp_1"), true);
  pass(1);
  t.equal(await registry.has("resp_1"), false);
  t.equal(await registry.has("resp_2"), false);
});

t.test("a wall clock that jumps expires nothing and keeps nothing for longer", async (t) => {
  const { registry, time } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("resp_1"));
  time.wallMs += 86_400_000;
  t.equal(await statusOf(registry.get("resp_1")), "found");
  time.wallMs -= 2 * 86_400_000;
  time.tickMs += 1000;
  t.equal(await statusOf(registry.get("resp_1")), "gone");
});

t.test("the least recently used record makes room for one too many", async (t) => {
  const { registry } = createRegistry({ maxEntries: 3 });
  for (const id of ["a", "b", "c"]) await registry.put(createRecord(id));
  await registry.get("a");
  await registry.put(createRecord("d"));
  t.strictSame(await registry.get("b"), { status: "gone", reason: "evicted" });
  await registry.put(createRecord("e"));
  t.strictSame(await registry.get("c"), { status: "gone", reason: "evicted" });
  for (const id of ["a", "d", "e"]) t.equal(await registry.has(id), true, id);
  t.equal(registry.stats().entries, 3);
});

t.test("as many of the least recently used as a large record needs make room for it", async (t) => {
  const small = measureJsonBytes(createRecord("a"));
  const { registry } = createRegistry({ maxBytes: small * 4 });
  for (const id of ["a", "b", "c", "d"]) await registry.put(createRecord(id));
  t.equal(registry.stats().bytes, small * 4);
  const large = createRecord("e", { response: { text: "x".repeat(small) } });
  t.equal(await statusOf(registry.put(large)), "stored");
  t.strictSame(await Promise.all(["a", "b", "c", "d", "e"].map((id) => registry.has(id))), [
    false,
    false,
    true,
    true,
    true,
  ]);
  t.equal(registry.stats().bytes, small * 2 + measureJsonBytes(large));
});

t.test("a record as large as the whole bound is kept, and one byte more is refused", async (t) => {
  const maxBytes = 2000;
  const padded = (id: string, bytes: number) => {
    const empty = measureJsonBytes(createRecord(id, { response: { text: "" } }));
    return createRecord(id, { response: { text: "x".repeat(bytes - empty) } });
  };
  const { registry } = createRegistry({ maxBytes });
  await registry.put(createRecord("old"));
  const refusal = { status: "too_large", bytes: maxBytes + 1, maxBytes };
  t.strictSame(await registry.put(padded("big", maxBytes + 1)), refusal);
  t.strictSame(await registry.get("big"), { status: "gone", reason: "too_large" });
  t.equal(await registry.has("old"), true, "a refused record evicts nobody");
  t.equal(await statusOf(registry.put(padded("full", maxBytes))), "stored");
  t.match(registry.stats(), { entries: 1, bytes: maxBytes });
});

t.test("a refused record takes the outdated one of its id with it", async (t) => {
  const { registry } = createRegistry({ maxBytes: 2000 });
  await registry.put(createRecord("resp_1"));
  await registry.put(createRecord("resp_1", { response: { text: "x".repeat(2000) } }));
  t.strictSame(await registry.get("resp_1"), { status: "gone", reason: "too_large" });
  t.match(registry.stats(), { entries: 0, bytes: 0 });
});

t.test("a registry without room keeps nothing and says so", async (t) => {
  for (const bounds of [{ maxEntries: 0 }, { maxBytes: 0 }]) {
    const { registry } = createRegistry(bounds);
    t.strictSame(await registry.put(createRecord("resp_1")), { status: "disabled" });
    t.strictSame(await registry.get("resp_1"), { status: "not_found" });
  }
});

t.test("a record put again replaces the former and is counted once", async (t) => {
  const { registry } = createRegistry({ maxEntries: 2 });
  await registry.put(createRecord("a", { parkedCallIds: ["call_1"] }));
  await registry.put(createRecord("b"));
  const later = createRecord("a", { parkedCallIds: [] });
  await registry.put(later);
  t.match(registry.stats(), {
    entries: 2,
    bytes: measureJsonBytes(later) + measureJsonBytes(createRecord("b")),
  });
  t.match(await registry.get("a"), { record: { parkedCallIds: [] } });
  await registry.put(createRecord("c"));
  t.equal(await registry.has("b"), false, "it also became the more recent one");
});

t.test("a deleted record was never there, and its bytes are given back", async (t) => {
  const { registry } = createRegistry();
  await registry.put(createRecord("resp_1"));
  t.equal(await registry.delete("resp_1"), true);
  t.equal(await registry.delete("resp_1"), false);
  t.strictSame(await registry.get("resp_1"), { status: "not_found" });
  t.match(registry.stats(), { entries: 0, bytes: 0 });
});

t.test("an expired record cannot be deleted and stays known as expired", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("resp_1"));
  pass(1000);
  t.equal(await registry.delete("resp_1"), false);
  t.strictSame(await registry.get("resp_1"), { status: "gone", reason: "expired" });
});

t.test("an id that comes back is found, and no longer gone", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  await registry.put(createRecord("resp_1"));
  pass(1000);
  t.equal(await statusOf(registry.get("resp_1")), "gone");
  await registry.put(createRecord("resp_1"));
  t.equal(await statusOf(registry.get("resp_1")), "found");
  await registry.delete("resp_1");
  t.equal(await statusOf(registry.get("resp_1")), "not_found");
});

t.test("who is gone is remembered for a bounded while only", async (t) => {
  const { registry } = createRegistry({ maxEntries: 1, maxTombstones: 10 });
  for (let index = 0; index <= 100; index += 1) await registry.put(createRecord(`resp_${index}`));
  const statuses = await Promise.all(
    Array.from({ length: 100 }, (_, index) => statusOf(registry.get(`resp_${index}`))),
  );
  const remembered = statuses.filter((status) => status === "gone").length;
  t.ok(remembered >= 5 && remembered <= 10, `${remembered} are remembered`);
  t.ok(
    statuses.slice(-5).every((status) => status === "gone"),
    "the last ones are",
  );
  t.equal(statuses[0], "not_found");
});

t.test("the timer clears expired records away while nobody asks", async (t) => {
  const { registry, timer, pass } = createRegistry({ ttlMs: 1000 });
  registry.start();
  registry.start();
  t.strictSame(timer.intervals, [1000], "one timer, no slower than the time to live");
  await registry.put(createRecord("old"));
  pass(600);
  await registry.put(createRecord("young"));
  pass(400);
  timer.sweep();
  t.equal(registry.stats().entries, 1);
  t.strictSame(await registry.get("old"), { status: "gone", reason: "expired" });
  t.equal(await statusOf(registry.get("young")), "found");
});

t.test("one run of the timer clears a bounded number away", async (t) => {
  const { registry, timer, pass } = createRegistry({ ttlMs: 1000 });
  registry.start();
  for (let index = 0; index < 1500; index += 1) await registry.put(createRecord(`resp_${index}`));
  pass(1000);
  timer.sweep();
  t.equal(registry.stats().entries, 500);
  timer.sweep();
  t.match(registry.stats(), { entries: 0, bytes: 0 });
});

t.test("without a timer, operations clear expired records away faster than they add any", async (t) => {
  const { registry, pass } = createRegistry({ ttlMs: 1000 });
  for (let index = 0; index < 10; index += 1) await registry.put(createRecord(`old_${index}`));
  pass(1000);
  for (let index = 0; index < 5; index += 1) await registry.put(createRecord(`new_${index}`));
  t.equal(registry.stats().entries, 5);
});

t.test("close stops the timer and forgets everything; start begins anew", async (t) => {
  const { registry, timer } = createRegistry();
  registry.start();
  await registry.put(createRecord("resp_1"));
  registry.close();
  registry.close();
  t.equal(timer.running, 0);
  t.strictSame(await registry.get("resp_1"), { status: "not_found" });
  t.match(registry.stats(), { entries: 0, bytes: 0 });
  registry.start();
  t.equal(timer.running, 1);
  t.equal(await statusOf(registry.put(createRecord("resp_2"))), "stored");
});

t.test("stats say what kind of registry this is", async (t) => {
  const { registry } = createRegistry({ ttlMs: 1000 });
  t.strictSame(registry.stats(), {
    kind: "in_memory",
    persistence: "in_process",
    ttlMs: 1000,
    entries: 0,
    bytes: 0,
  });
});

t.test("a bound that is none is refused", async (t) => {
  for (const bounds of [{ ttlMs: 0 }, { maxEntries: -1 }, { maxBytes: Number.NaN }, { maxTombstones: 1.5 }]) {
    t.throws(() => createRegistry(bounds), RangeError);
  }
});

t.test("the default bounds are those of the service's configuration", async (t) => {
  t.strictSame(
    { ...defaults.continuation },
    {
      ttlMs: options.continuation.ttlMs.default,
      maxEntries: options.continuation.maxEntries.default,
      maxBytes: options.continuation.maxBytes.default,
    },
  );
});
