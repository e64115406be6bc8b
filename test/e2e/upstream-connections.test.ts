/** The connections of a ChatGPT account to its backend. */
import t from "tap";
import { needs } from "../support/codex-version.js";
import { askMany, startLimited } from "../support/limited-account.js";
import { delayed, lastUserText, reply, text } from "../support/offline-backend/index.js";
import { pollUntil } from "../support/service-harness.js";

t.test("upgrades that are refused lower the bound on connections, and every turn is answered", async (t) => {
  const harness = await startLimited(t, { connections: 2 });
  t.same(new Set(await askMany(harness, 6)), new Set(["ok"]));
  const { connections } = harness.service.health()?.upstreamLimits ?? {};
  t.ok((connections?.refused ?? 0) > 0, "refusals were seen");
  t.ok((connections?.bound ?? 99) < 32, `the bound is ${connections?.bound}`);
});

// Without it an unloaded thread keeps its connection for half an hour.
t.test(
  "running turns, spares and idle chains together stay under the bound on connections",
  needs("thread_unload"),
  async (t) => {
    const harness = await startLimited(t, { connections: 3 }, { CODEX_NATIVE_API_UPSTREAM_CONNECTIONS: "3" });
    const { backend, client } = harness;
    backend.whenReply((request) => lastUserText(request).startsWith("chain"), reply(text("kept")));
    for (let index = 0; index < 3; index += 1) {
      const response = await client.responses.create({ input: `chain ${index}` });
      t.equal(response.output_text, "kept");
    }
    t.same(new Set(await askMany(harness, 12)), new Set(["ok"]));
    t.equal(backend.counters.refusedUpgrades, 0);
  },
);

t.test(
  "chains that wait for their turn hold connections, and new turns get theirs in time",
  needs("thread_unload"),
  async (t) => {
    const env = { CODEX_NATIVE_API_UPSTREAM_CONNECTIONS: "4", CODEX_NATIVE_API_UPSTREAM_LIMIT: "1" };
    const harness = await startLimited(t, { connections: 4 }, env);
    const { backend, client, service } = harness;
    const heads: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      heads.push((await client.responses.create({ input: `chain ${index}` })).id);
    }
    backend.whenReply((request) => lastUserText(request) === "long", delayed(1_500, reply(text("long"))));
    const long = client.responses.create({ input: "long" });
    await pollUntil(() => service.health()?.queue.running === 1);
    const chains = heads.map((id) => client.responses.create({ input: "go on", previous_response_id: id }));
    await pollUntil(() => service.health()?.queue.depth === 3);
    t.equal(service.health()?.upstreamLimits?.connections.held, 4);
    t.same(new Set(await askMany(harness, 4)), new Set(["ok"]));
    t.same(new Set((await Promise.all(chains)).map((chain) => chain.output_text)), new Set(["ok"]));
    t.equal((await long).output_text, "long");
    t.equal(backend.counters.refusedUpgrades, 0);
  },
);
