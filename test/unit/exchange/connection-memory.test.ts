/** What connections remember of responses that are not stored. */
import t from "tap";
import { ConnectionMemories } from "../../../src/main/exchange/connection-memory.js";
import { FakeRuntime } from "../../support/fake-runtime.js";
import { measureHeap } from "../../support/measure-heap.js";
import { createRecord } from "../continuation/fixtures.js";

t.test("the bound on all of them holds for what their connections keep too", async (t) => {
  const memories = new ConnectionMemories(new FakeRuntime(), { totalBytes: 4_000 });
  const [one, other] = [memories.open(), memories.open()];
  const putLarge = async (memory: typeof one, id: string) => {
    const outputItems = [{ type: "message", text: "x".repeat(2_500) }];
    t.match(await memory.put(createRecord(id, { outputItems })), { status: "stored" });
    return new WeakRef(outputItems);
  };
  const evicted = await putLarge(one, "resp_1");
  await putLarge(other, "resp_2");
  t.ok(memories.bytes < 4_000);
  await measureHeap();
  t.equal(evicted.deref(), undefined);
  await Promise.all([one.close(), other.close()]);
  t.equal(memories.bytes, 0);
});

t.test("a response that makes room while its connection closes is not kept", async (t) => {
  const memories = new ConnectionMemories(new FakeRuntime(), { connectionResponses: 1 });
  const memory = memories.open();
  await memory.put(createRecord("resp_1"));
  const put = memory.put(createRecord("resp_2"));
  await memory.close();
  t.match(await put, { status: "disabled" });
  t.equal(memories.bytes, 0);
});
