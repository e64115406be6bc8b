/** The request log costs no caller anything, whatever its store does. */
import t from "tap";
import { InMemoryCodexNativeApiRequestStore } from "../../../../src/main/observability/requests/in-memory-request-store.js";
import { RequestLog } from "../../../../src/main/observability/requests/request-log.js";
import type { CodexNativeApiRequestStore } from "../../../../src/main/observability/requests/types.js";
import { LogLines } from "../../../support/log-lines.js";
import { endedOf, entryOf, queryOf } from "../../../support/request-entries.js";

function storeOf(changes: Partial<CodexNativeApiRequestStore>): CodexNativeApiRequestStore {
  const memory = new InMemoryCodexNativeApiRequestStore();
  return {
    begin: (entry) => memory.begin(entry),
    update: (entry) => memory.update(entry),
    end: (entry) => memory.end(entry),
    list: (query) => memory.list(query),
    get: (id, viewer) => memory.get(id, viewer),
    usage: (viewer) => memory.usage(viewer),
    ...changes,
  };
}

const fails = () => {
  throw new Error("disk full");
};

function failuresIn({ lines }: LogLines): number {
  return lines.filter(({ event }) => event === "request_log.failed").length;
}

t.test("a store that throws or rejects is logged once, and listeners hear all the same", async (t) => {
  for (const begin of [fails, async () => fails()]) {
    const log = new LogLines();
    const requests = new RequestLog(storeOf({ begin, update: begin, end: begin }), log.logger);
    const heard: string[] = [];
    requests.subscribe((change, { id }) => heard.push(`${change} ${id}`));
    for (const id of ["a", "b"]) {
      requests.begin(entryOf(id));
      requests.update(entryOf(id));
      requests.end(endedOf(id));
    }
    t.match(await log.logged("request_log.failed"), { what: "write", err: { message: "disk full" } });
    t.equal(failuresIn(log), 1);
    t.strictSame(heard, ["started a", "updated a", "ended a", "started b", "updated b", "ended b"]);
  }
});

t.test("a store that never settles holds a bounded number of writes", async (t) => {
  const log = new LogLines();
  let writes = 0;
  const never = () => {
    writes += 1;
    return new Promise<void>(() => {});
  };
  const requests = new RequestLog(storeOf({ begin: never }), log.logger);
  for (let index = 0; index < 5_000; index += 1) requests.begin(entryOf(`r${index}`));
  t.equal(writes, 1_000);
  t.match(await log.logged("request_log.failed"), { what: "write" });
});

t.test("a store that takes its writes again gets what follows", async (t) => {
  const waiting: (() => void)[] = [];
  let writes = 0;
  const slow = () => {
    writes += 1;
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  const requests = new RequestLog(storeOf({ begin: slow }));
  for (let index = 0; index < 2_000; index += 1) requests.begin(entryOf(`r${index}`));
  for (const settle of waiting.splice(0)) settle();
  await new Promise((resolve) => setImmediate(resolve));
  requests.begin(entryOf("later"));
  t.equal(writes, 1_001);
});

t.test("a reader learns that the store failed, by a code and without its words", async (t) => {
  const log = new LogLines();
  const requests = new RequestLog(
    storeOf({ list: fails, get: async () => fails(), usage: fails }),
    log.logger,
  );
  const expected = { code: "request_log_unavailable", status: 503, message: /^(?!.*disk full)/ };
  await t.rejects(requests.list(queryOf()), expected);
  await t.rejects(requests.get("a", null), expected);
  await t.rejects(requests.usage(null), expected);
  t.equal(failuresIn(log), 1);
});

t.test("a listener that throws disturbs neither the others nor the log", async (t) => {
  const log = new LogLines();
  const requests = new RequestLog(storeOf({}), log.logger);
  const heard: string[] = [];
  requests.subscribe(fails);
  const leave = requests.subscribe((change) => heard.push(change));
  requests.begin(entryOf("a"));
  leave();
  requests.end(endedOf("a"));
  t.strictSame(heard, ["started"]);
  t.match(await requests.get("a", null), { state: "ended" });
  t.match(await log.logged("request_log.failed"), { what: "listener" });
});

t.test("no two entries share an id, and what is remembered for that has a bound", async (t) => {
  const requests = new RequestLog(storeOf({}));
  const ids = Array.from({ length: 100 }, () => requests.idFor("same"));
  t.equal(ids[0], "same");
  t.equal(new Set(ids).size, 100);
  t.match(ids[1], /^same:[0-9a-f]{8}$/);
  for (let index = 0; index < 10_000; index += 1) requests.idFor(`r${index}`);
  t.equal(requests.idFor("same"), "same", "the entry of that id is long gone");
});

t.test(
  "an id is remembered for as long as a large log keeps its entry, so that no caller can take its place",
  async (t) => {
    const requests = new RequestLog(new InMemoryCodexNativeApiRequestStore({ maxEntries: 5_000 }));
    const add = (id: string, caller: string) => requests.begin(entryOf(requests.idFor(id), { caller }));
    add("same", "bob");
    for (let index = 1; index < 4_999; index += 1) add(`r${index}`, "alice");
    add("same", "alice");
    t.match(await requests.get("same", "bob"), { caller: "bob" });
  },
);
