import { LRUCache } from "lru-cache";
import t from "tap";
import { createRecord, createRegistry } from "./fixtures.js";

t.test("put and get do the same few steps with ten thousand records as with ten", async (t) => {
  const few = await countSteps(10);
  const many = await countSteps(10_000);
  t.equal(many.put, few.put);
  t.equal(many.get, few.get);
  t.ok(many.put < 20 && many.get < 20, `put ${many.put}, get ${many.get} steps`);
});

/** Steps a put that evicts and a get take in a full registry. The order itself has no loops: all its steps go through these. */
async function countSteps(entries: number) {
  const { registry } = createRegistry({ maxEntries: entries });
  for (let index = 0; index < entries; index += 1) await registry.put(createRecord(`resp_${index}`));
  const runs = 100;
  const counted = (operation: (index: number) => Promise<unknown>) => {
    let steps = 0;
    const restore = countCalls(() => {
      steps += 1;
    });
    // Not awaited one by one: the registry works before its first wait, and nothing else runs meanwhile.
    const pending = Array.from({ length: runs }, (_, index) => operation(index));
    restore();
    return Promise.all(pending).then(() => steps / runs);
  };
  const put = await counted((index) => registry.put(createRecord(`new_${index}`)));
  const get = await counted((index) => registry.get(`new_${99 - (index % 10)}`));
  return { put, get };
}

function countCalls(onCall: () => void): () => void {
  const targets: readonly (readonly [object, string])[] = [
    [Map.prototype, "get"],
    [Map.prototype, "set"],
    [Map.prototype, "delete"],
    [Object.getPrototypeOf(new Map().keys()), "next"],
    [LRUCache.prototype, "rvalues"],
    [Object.getPrototypeOf(LRUCache.prototype.rvalues.prototype), "next"],
  ];
  const originals = targets.map(([owner, name]) => {
    const original = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    const { value, get } = original;
    const wrapped =
      get === undefined
        ? {
            value(this: unknown, ...args: unknown[]) {
              onCall();
              return Reflect.apply(value, this, args);
            },
          }
        : {
            get(this: unknown) {
              onCall();
              return Reflect.apply(get, this, []);
            },
          };
    Object.defineProperty(owner, name, { ...original, ...wrapped });
    return () => Object.defineProperty(owner, name, original);
  });
  return () => {
    for (const restore of originals) restore();
  };
}
