import t from "tap";
import { needs } from "../support/codex-version.js";
import { incomplete } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";

t.test("an answer that a filter stopped is not asked for again and again", async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(incomplete({ reason: "content_filter", text: "half an answer" }));
  const response = await client.responses.create({ input: "hello" });
  t.match(response, {
    status: "incomplete",
    incomplete_details: { reason: "content_filter" },
    output_text: "half an answer",
  });
  t.ok(backend.requests.length <= 2, `the model was asked ${backend.requests.length} times`);
});

t.test("the usage of an answer cut short is its own", needs("cut_short_answers"), async (t) => {
  const { backend, client } = await startServiceHarness(t);
  backend.setDefaultReply(incomplete({ reason: "max_output_tokens", text: "half an answer" }));
  const response = await client.responses.create({ input: "hello" });
  t.match(response, {
    status: "incomplete",
    usage: { input_tokens: 12, output_tokens: 7, total_tokens: 19 },
  });
});
