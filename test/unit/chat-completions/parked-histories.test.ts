import t from "tap";
import { fingerprintHistory } from "../../../src/main/chat-completions/history-fingerprint.js";
import { maxParkedHistories, ParkedHistories } from "../../../src/main/chat-completions/parked-histories.js";
import { chatTurnOf } from "../../support/chat-driver.js";

const identity = { providerProfileId: "openai", accountId: "acct_1" };

function fingerprintOf(body: object, who = identity): string {
  const { request } = chatTurnOf(body);
  return fingerprintHistory(request, request.items, who);
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

const plain = fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}'));

t.test("a history is the same however a client writes out the arguments it parsed", async (t) => {
  t.equal(fingerprintOf(historyWith('{ "days": [1, 2],\n "city": "Rome" }')), plain);
  t.equal(fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}', "")), plain);
  t.not(fingerprintOf(historyWith('{"city":"Rome","days":[2,1]}')), plain);
});

t.test("arguments that are no JSON count as they are", async (t) => {
  t.not(fingerprintOf(historyWith("{oops")), fingerprintOf(historyWith("{oops ")));
});

t.test("another history, setting, tool or account is another fingerprint", async (t) => {
  const body = historyWith('{"city":"Rome","days":[1,2]}');
  const tools = [{ type: "function", function: { name: "weather" } }];
  for (const change of [{ model: "m" }, { reasoning_effort: "low" }, { tools }, { verbosity: "low" }]) {
    t.not(fingerprintOf({ ...body, ...change }), plain, JSON.stringify(change));
  }
  t.not(fingerprintOf(historyWith('{"city":"Rome","days":[1,2]}', "Let me see.")), plain);
  t.not(fingerprintOf(body, { ...identity, accountId: "acct_2" }), plain);
  const task = { metadata: { codexbridge: { taskClass: "intent" } } };
  t.equal(fingerprintOf({ ...body, ...task }), plain, "a label for logs changes nothing");
});

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
