import t from "tap";
import { CodexFacts } from "../../../../src/main/codex/supervision/codex-facts.js";
import { FactsReader } from "../../../../src/main/codex/supervision/facts-reader.js";
import { WorkerSlot } from "../../../../src/main/codex/workers/worker-slot.js";
import { quietSlotCallbacks } from "../../../support/quiet-slot-callbacks.js";
import { testLogger } from "../../../support/runtime-harness.js";

class ScriptedFacts extends CodexFacts {
  reads = 0;
  readonly failures: number;
  constructor(failures: number) {
    super(testLogger);
    this.failures = failures;
  }
  override async readEssentials(): Promise<void> {
    this.reads += 1;
    if (this.reads <= this.failures) throw new Error("not now");
  }
}

function create(failures: number, hasWorker = true) {
  const facts = new ScriptedFacts(failures);
  const slot = new WorkerSlot({ place: 1, generation: 1, threadId: 1 }, quietSlotCallbacks, () => 0);
  t.teardown(() => slot.close(0));
  const failed: unknown[] = [];
  const reader = new FactsReader({
    facts,
    findSlot: () => (hasWorker ? slot : null),
    installation: {
      home: null,
      catalog: null,
      accountBase: { login: null, readRateLimits: async () => null },
    },
    onRead: () => {},
    onFailed: (error) => failed.push(error),
  });
  return { facts, reader, failed };
}

t.test("a failed read is tried again", async (t) => {
  const { facts, reader, failed } = create(2);
  await reader.read();
  t.equal(facts.reads, 3);
  t.equal(failed.length, 2);
});

t.test("a call during the pause ends it, and only one read runs", async (t) => {
  const { facts, reader } = create(4);
  const reading = reader.read();
  while (facts.reads < 5) {
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await reading;
  t.ok(facts.reads >= 5);
});

t.test("without a worker nothing is read", async (t) => {
  const { facts, reader } = create(0, false);
  await reader.read();
  t.equal(facts.reads, 0);
});
