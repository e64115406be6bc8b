/** What a chat bridge asks and reads, against a real app-server. */
import t from "tap";
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import { testCodexVersion } from "../support/codex-version.js";
import { reasoning, reply, text, webSearchCall } from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";
import { seenInput } from "../support/upstream-forms.js";

const metadata = {
  cwd: `/home/user/${"deep/".repeat(200)}`,
  locale: null,
  codexbridge: { taskClass: "intent_classification", eventMetadata: null, threadMetadata: { id: "t1" } },
};

const marked = (words: string, phase: string) => text({ deltas: words.split(/(?<= )/), phase });

const thoughts = reply(
  reasoning({ summary: ["I weigh it."], encryptedContent: "sealed" }),
  marked("Let me look. ", "commentary"),
  webSearchCall({ query: "weather" }),
  marked("It is sunny.", "final_answer"),
);

async function post(url: string, path: string, body: object): Promise<string> {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answered = await answer.text();
  if (answer.status !== 200) throw new Error(answered);
  return answered;
}

t.test("a bridge gets the final message and the calls, and the chain keeps the rest", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.queueReply(thoughts, text("You are welcome."));
  const tools = [{ type: "web_search" }];
  const first = JSON.parse(await post(url, "/v1/responses", { input: "Weather?", tools, metadata }));
  t.strictSame(
    first.output.map(({ type }: { type: string }) => type),
    ["web_search_call", "message"],
  );
  t.equal(first.output[1].content[0].text, "It is sunny.");
  const { locale: _unknown, ...echoed } = metadata;
  t.match(first.metadata, { cwd: echoed.cwd, codexbridge: { threadMetadata: { id: "t1" } } });
  t.notOk("locale" in first.metadata);
  t.strictSame(first.native_api.ignored_parameters, ["metadata.cwd"]);
  t.match(first.native_runtime, {
    thread_id: first.native_api.response_mapping.native_thread_id,
    turn_id: first.native_api.response_mapping.native_turn_id,
    bridge_session_id: /./,
    provider_profile_id: "openai-default",
  });
  // Other tools: the history is replayed.
  const next = JSON.parse(
    await post(url, "/v1/responses", { input: "Thanks.", previous_response_id: first.id, metadata }),
  );
  t.match(next.native_api.continuation, {
    source_response_id: first.id,
    source_route_kind: "responses",
  });
  const seen = JSON.stringify(seenInput(backend.requests.at(-1)));
  for (const words of ["sealed", "Let me look.", "It is sunny."]) t.ok(seen.includes(words), words);
  t.notMatch(seen, /deep|t1|intent_classification/);
});

t.test("a bridge's stream has the final message as it comes, and nothing before it", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.setDefaultReply(thoughts);
  const body = { input: "Weather?", tools: [{ type: "web_search" }], metadata, stream: true };
  const { events } = parseSse(await post(url, "/v1/responses", body));
  const kinds = events.map(({ event }) => event);
  t.notOk(kinds.some((kind) => kind?.includes("reasoning")));
  const deltas = events.filter(({ event }) => event === "response.output_text.delta");
  // Older versions may announce a message without its mark.
  if (isAtLeast(testCodexVersion, 0, 169)) t.ok(deltas.length > 1, "it is streamed");
  t.notMatch(JSON.stringify(events), /Let me look|I weigh it/);
  t.match(JSON.stringify(events.at(-1)), /It is sunny/);
});

t.test("a bridge's chat completion has no commentary and no reasoning either", async (t) => {
  const { backend, url, untilReady } = await startServiceHarness(t);
  await untilReady();
  backend.setDefaultReply(thoughts);
  const messages = [{ role: "user", content: "Weather?" }];
  const body = { messages, tool_choice: "web_search", reasoning: { effort: "high" }, metadata };
  const completion = JSON.parse(await post(url, "/v1/chat/completions", body));
  t.strictSame(completion.choices[0].message, {
    role: "assistant",
    content: "It is sunny.",
    refusal: null,
    annotations: [],
  });
  t.match(completion.native_runtime, { thread_id: /./, bridge_session_id: /./ });
  t.match(backend.requests[0]?.body, { reasoning: { effort: "high" } });
});
