import t from "tap";
import type { ThreadNotification } from "../../../../src/workers/app-server/protocol.js";
import { Handover } from "../../../../src/workers/turn/tool-calls.js";

const scope = { threadId: "thread", turnId: "turn" };
const usage = {
  totalTokens: 3,
  inputTokens: 2,
  cachedInputTokens: 0,
  outputTokens: 1,
  reasoningOutputTokens: 0,
  cacheWriteInputTokens: 0,
};
const sum: ThreadNotification = {
  method: "thread/tokenUsage/updated",
  params: { ...scope, tokenUsage: { total: usage, last: usage } },
};
const raw = (item: { type: string; [key: string]: unknown }): ThreadNotification => ({
  method: "rawResponseItem/completed",
  params: { ...scope, item },
});
const outcomeOf = (mayHaveAskedAgain: boolean) => ({
  status: "handed_over",
  callIds: ["a"],
  mayHaveAskedAgain,
});

t.test("what Codex notes of the stop is no sign that it asked the model again", async (t) => {
  const handover = new Handover(["a"], "together");
  t.notOk(handover.note(raw({ type: "function_call_output", call_id: "a", output: "aborted" })));
  t.notOk(handover.note(raw({ type: "message", role: "user", content: [] })));
  t.same(handover.outcome, outcomeOf(false));
});

t.test("a sum of tokens, or anything of a further answer, is one, and counts for nothing else", async (t) => {
  for (const sign of [sum, raw({ type: "message", role: "assistant" }), raw({ type: "reasoning" })]) {
    const handover = new Handover(["a"], "together");
    t.notOk(handover.note(sign));
    t.same(handover.outcome, outcomeOf(true));
  }
});

t.test("where Codex does not say that an answer is over, its first sum is the answer's usage", async (t) => {
  const handover = new Handover(["a"], "unannounced");
  t.ok(handover.note(sum));
  t.same(handover.outcome, outcomeOf(true));
  t.notOk(handover.note(sum), "a second one is not");
});
