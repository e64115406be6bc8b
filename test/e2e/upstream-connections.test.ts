/** The connections of a ChatGPT account to its backend. */
import t from "tap";
import { askMany, startLimited } from "../support/limited-account.js";
import { lastUserText, reply, text } from "../support/offline-backend/index.js";

t.test("upgrades that are refused lower the bound on connections, and every turn is answered", async (t) => {
  const harness = await startLimited(t, { connections: 2 });
  t.same(new Set(await askMany(harness, 6)), new Set(["ok"]));
  const { connections } = harness.service.health()?.upstreamLimits ?? {};
  t.ok((connections?.refused ?? 0) > 0, "refusals were seen");
  t.ok((connections?.bound ?? 99) < 32, `the bound is ${connections?.bound}`);
});

t.test("running turns, spares and idle chains together stay under the bound on connections", async (t) => {
  const harness = await startLimited(t, { connections: 3 }, { CODEX_NATIVE_API_UPSTREAM_CONNECTIONS: "3" });
  const { backend, client } = harness;
  backend.whenReply((request) => lastUserText(request).startsWith("chain"), reply(text("kept")));
  for (let index = 0; index < 3; index += 1) {
    const response = await client.responses.create({ input: `chain ${index}` });
    t.equal(response.output_text, "kept");
  }
  t.same(new Set(await askMany(harness, 12)), new Set(["ok"]));
  t.equal(backend.counters.refusedUpgrades, 0);
});
