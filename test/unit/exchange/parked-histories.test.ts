import t from "tap";
import { fingerprintHistory, fingerprintThread } from "../../../src/main/exchange/fingerprints.js";
import { maxParkedHistories, ParkedHistories } from "../../../src/main/exchange/parked-histories.js";
import { ItemList } from "../../../src/main/history/item-list.js";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import { chatTurnOf } from "../../support/chat-driver.js";

const identity = { providerProfileId: "openai", accountId: "acct_1" };

function fingerprintOf(body: object, who = identity): Promise<string> {
  const { request } = chatTurnOf(body);
  const items = ItemList.of(request.items);
  const seen = { request, items, count: items.length, more: [], identity: who };
  return fingerprintHistory(seen, new LoopShare().start());
}

function historyWith(args: string, content: unknown = null): object {
  return {
    messages: [
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content,
        tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: args } }],
      },
      { role: "tool", tool_call_id: "c1", content: "sunny" },
    ],
  };
}

const plain = await fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}'));

t.test("a history is the same however a client writes out the arguments it parsed", async (t) => {
  t.equal(await fingerprintOf(historyWith('{ "days": [1, 2],\n "city": "Rome" }')), plain);
  t.equal(await fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}', "")), plain);
  t.not(await fingerprintOf(historyWith('{"city":"Rome","days":[2,1]}')), plain);
});

t.test("arguments that are no JSON count as they are", async (t) => {
  t.not(await fingerprintOf(historyWith("{oops")), await fingerprintOf(historyWith("{oops ")));
});

t.test("another history, setting, tool or account is another fingerprint", async (t) => {
  const body = historyWith('{"city":"Rome","days":[1,2]}');
  const tools = [{ type: "function", function: { name: "weather" } }];
  for (const change of [{ model: "m" }, { reasoning_effort: "low" }, { tools }, { verbosity: "low" }]) {
    t.not(await fingerprintOf({ ...body, ...change }), plain, JSON.stringify(change));
  }
  t.not(await fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}', "Let me see.")), plain);
  t.not(await fingerprintOf(body, { ...identity, accountId: "acct_2" }), plain);
  const task = { metadata: { codexbridge: { taskClass: "intent" } } };
  t.equal(await fingerprintOf({ ...body, ...task }), plain, "a label for logs changes nothing");
});

t.test(
  "a thread's settings are the same however a client orders a schema, and not with another tool",
  async (t) => {
    const settingsOf = (parameters: object, name = "weather") =>
      fingerprintThread(
        chatTurnOf({
          messages: [{ role: "user", content: "Weather?" }],
          tools: [{ type: "function", function: { name, description: "Tells it.", parameters } }],
        }).request,
      );
    const first = settingsOf({ type: "object", properties: { city: { type: "string" } } });
    t.equal(settingsOf({ properties: { city: { type: "string" } }, type: "object" }), first);
    t.not(settingsOf({ type: "object", properties: { town: { type: "string" } } }), first);
    t.not(settingsOf({ type: "object", properties: { city: { type: "string" } } }, "rain"), first);
  },
);

t.test("a history is taken once, and the oldest go first when there are too many", async (t) => {
  const histories = new ParkedHistories();
  for (let index = 0; index <= maxParkedHistories; index += 1) {
    histories.remember(`turn_${index}`, { fingerprint: `f${index}`, threadId: "t" });
  }
  t.equal(histories.size, maxParkedHistories);
  t.equal(histories.take("turn_0"), null);
  t.equal(histories.take("turn_1")?.fingerprint, "f1");
  t.equal(histories.take("turn_1"), null);
});
