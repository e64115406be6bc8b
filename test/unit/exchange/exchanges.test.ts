import t from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../../src/main/continuation/in-memory-registry.js";
import { toResponsesTurn } from "../../../src/main/dialects/responses/decode.js";
import { parseResponsesRequest } from "../../../src/main/dialects/responses/request-schema.js";
import { responses } from "../../../src/main/dialects/table.js";
import { Exchanges, type ExchangesOptions } from "../../../src/main/exchange/exchanges.js";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import { FakeRuntime } from "../../support/fake-runtime.js";
import { pollUntil } from "../../support/service-harness.js";
import { rejection } from "../continuation/fixtures.js";

function createService(options: Partial<ExchangesOptions> = {}) {
  let ids = 0;
  const service = new Exchanges({
    runtime: new FakeRuntime(),
    registry: new InMemoryCodexNativeApiContinuationRegistry(),
    loopShare: new LoopShare(),
    wallClock: () => 1_700_000_000_000,
    clock: () => 0,
    newId: (prefix) => `${prefix}_${++ids}`,
    ...options,
  });
  /** A background response that ran to its end. */
  const runOne = async (): Promise<string> => {
    const turn = toResponsesTurn(parseResponsesRequest({ input: "hi", background: true }), "ignore");
    const asker = { caller: "c", owner: null, requestId: "req_1" };
    const run = service.create(responses, turn, asker);
    await run.prepare();
    await service.runInBackground(run, () => {});
    return run.id;
  };
  return { service, runOne };
}

t.test("a response that is stored while its events are not says so, wherever one starts", async (t) => {
  const { service, runOne } = createService({ eventLogs: { maxEnded: 2 } });
  const id = await runOne();
  t.ok(await service.attach(id, null, 0));
  await runOne();
  await runOne();
  for (const firstNumber of [0, 3, 1_000]) {
    t.match(await rejection(service.attach(id, null, firstNumber)), {
      code: "continuation_expired",
      status: 410,
      message: /Read the response without streaming/,
    });
  }
  t.match(await service.read(id, null), { status: "completed" });
  await service.close();
});

t.test("the events of responses that expired are given back while nobody asks for them", async (t) => {
  let nowMs = 0;
  const registry = new InMemoryCodexNativeApiContinuationRegistry({ ttlMs: 1_000, clock: () => nowMs });
  const { service, runOne } = createService({ registry });
  await runOne();
  await runOne();
  t.ok(service.eventLogBytes > 0);
  nowMs = 1_001;
  await pollUntil(() => service.eventLogBytes === 0);
  await service.close();
});

t.test("a registry that fails takes no stream with it", async (t) => {
  const registry = new InMemoryCodexNativeApiContinuationRegistry({ ttlMs: 1_000, clock: () => 0 });
  let asked = 0;
  registry.has = async () => {
    asked += 1;
    throw new Error("the store is away");
  };
  const { service, runOne } = createService({ registry });
  const id = await runOne();
  await pollUntil(() => asked >= 2);
  t.ok(await service.attach(id, null, 0));
  await service.close();
});

t.test("a response that was not stored leaves nothing to attach to", async (t) => {
  const registry = new InMemoryCodexNativeApiContinuationRegistry({ maxEntries: 0 });
  const { service, runOne } = createService({ registry });
  const id = await runOne();
  t.match(await rejection(service.attach(id, null, 0)), { code: "response_not_found" });
  await service.close();
});
