import t from "tap";
import { CompletionChoices } from "../../../../src/main/dialects/chat-completions/choices.js";
import { toChatTurn } from "../../../../src/main/dialects/chat-completions/decode.js";
import { parseChatRequest } from "../../../../src/main/dialects/chat-completions/request-schema.js";
import { ended, failure, fakeStarted, fakeUsage, messageItem } from "../../../support/fake-runtime.js";

function newChoices(body: object = {}): CompletionChoices {
  let ids = 0;
  const asked = { messages: [{ role: "user", content: "hi" }], n: 2, ...body };
  return new CompletionChoices(toChatTurn(parseChatRequest(asked), "ignore"), {
    routePath: "/v1/chat/completions",
    wallClock: () => 1_700_000_000_500 + ids,
    newId: (prefix) => `${prefix}_${++ids}`,
  });
}

const streamed = { stream: true, stream_options: { include_usage: true } };

t.test("choices share their head, and each has its index", async (t) => {
  const answer = newChoices({ ...streamed, n: 3 });
  const chunks = answer.choices.flatMap((choice, index) => {
    choice.start(fakeStarted);
    return choice.push({ type: "item.completed", item: messageItem(`msg_${index}`, "a") });
  });
  t.strictSame(
    chunks.map((chunk) => "choices" in chunk && [chunk.id, chunk.created, chunk.choices[0]?.index]),
    [0, 0, 1, 1, 2, 2].map((index) => ["chatcmpl-1", 1_700_000_000, index]),
  );
});

t.test("the usage is told once, when all have ended, and nothing after it", async (t) => {
  const answer = newChoices(streamed);
  for (const choice of answer.choices) {
    choice.start(fakeStarted);
    t.notMatch(choice.end({ ...ended, usage: fakeUsage }), [{ usage: { prompt_tokens: Number } }]);
  }
  t.match(answer.end(), [{ choices: [], usage: { total_tokens: 2 * fakeUsage.totalTokens } }]);
  t.strictSame(answer.end(), []);
  t.strictSame(answer.fail(failure("internal_error")), []);
});

t.test("the error is told once, by no choice of its own", async (t) => {
  const answer = newChoices(streamed);
  const error = failure("rate_limit_exceeded");
  t.strictSame(answer.choices[1]?.fail(error), []);
  t.match(answer.fail(error), [{ error: { code: "rate_limit_exceeded" } }]);
  t.strictSame(answer.fail(error), []);
  t.strictSame(answer.end(), []);
});

t.test("an answer that is no stream has no events", async (t) => {
  const answer = newChoices();
  for (const choice of answer.choices) {
    choice.start(fakeStarted);
    t.strictSame(choice.end({ ...ended, usage: fakeUsage }), []);
  }
  t.strictSame(answer.end(), []);
  t.match(answer.body, { choices: [{ index: 0 }, { index: 1 }], usage: { prompt_tokens: 22 } });
});
