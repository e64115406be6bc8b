/** When a stream begins, on the real app-server: what fails before its first output has a status, and clients repeat it. */
import OpenAI from "openai";
import t from "tap";
import { checkFault, faultOf } from "../support/api-faults.js";
import {
  functionCall,
  httpError,
  overloaded,
  rateLimited,
  stall,
  text,
} from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

const hello = { input: "hello" } as const;
const { InternalServerError, RateLimitError } = OpenAI;

async function readEvents(
  stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>,
): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

t.test(
  "a stream that Codex goes on trying for longer than the hold begins, and fails in itself",
  async (t) => {
    const { client, backend } = await startServiceHarness(t, {
      login: "provider",
      provider: { streamMaxRetries: 3 },
      env: { CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS: "100" },
    });
    backend.setDefaultReply(httpError(500));
    const events = await readEvents(await client.responses.create({ ...hello, stream: true }));
    t.strictSame(
      events.map(({ type, sequence_number: number }) => [type, number]),
      [
        ["response.created", 0],
        ["response.in_progress", 1],
        ["response.failed", 2],
      ],
    );
  },
);

t.test("the official client repeats a stream that met a full backend, and reads the answer", async (t) => {
  // Else this service waits itself.
  const env = { CODEX_NATIVE_API_UPSTREAM_LIMIT: "none" };
  const { client, backend } = await startServiceHarness(t, { login: "provider", env });
  const statuses: number[] = [];
  const watched: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    statuses.push(answer.status);
    return answer;
  };
  const retrying = client.withOptions({ maxRetries: 2, fetch: watched });
  backend.setDefaultReply(text("Here it is."));

  backend.queueReply(rateLimited(1));
  const said: string[] = [];
  for await (const event of await retrying.responses.create({ input: "hello", stream: true })) {
    if (event.type === "response.output_text.delta") said.push(event.delta);
  }
  t.equal(said.join(""), "Here it is.");

  backend.queueReply(overloaded());
  const helper = retrying.responses.stream({ model: "gpt-5.5", input: "hello" });
  t.equal((await helper.finalResponse()).output_text, "Here it is.");

  backend.queueReply(rateLimited(1));
  const messages = [{ role: "user" as const, content: "hello" }];
  const chunks = await retrying.chat.completions.create({ model: "gpt-5.5", messages, stream: true });
  const words: string[] = [];
  for await (const chunk of chunks) words.push(chunk.choices[0]?.delta.content ?? "");
  t.equal(words.join(""), "Here it is.");

  t.strictSame(statuses, [429, 200, 503, 200, 429, 200]);
});

t.test(
  "a stream that waits in the queue for longer than the hold still has the queue's status",
  async (t) => {
    const { client, backend, service, untilReady } = await startServiceHarness(t, {
      login: "provider",
      env: {
        CODEX_NATIVE_API_MAX_CONCURRENT_TURNS: "1",
        CODEX_NATIVE_API_MAX_QUEUE: "1",
        CODEX_NATIVE_API_QUEUE_TIMEOUT_MS: "1000",
        CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS: "100",
      },
    });
    await untilReady();
    backend.setDefaultReply(stall());
    const abort = new AbortController();
    const running = faultOf(client.responses.create(hello, { signal: abort.signal }));
    await backend.waitForRequest();
    const waiting = faultOf(client.responses.create({ ...hello, stream: true }));
    await pollUntil(() => service.health()?.queue.depth === 1);
    checkFault(t, await faultOf(client.responses.create({ ...hello, stream: true })), {
      status: 429,
      code: "queue_full",
      type: RateLimitError,
      retry: true,
    });
    checkFault(t, await waiting, {
      status: 503,
      code: "queue_timeout",
      type: InternalServerError,
      retry: true,
    });
    abort.abort();
    await running;
  },
);

t.test("a stream that goes on after a function's output is repeated too, from the history", async (t) => {
  const { client, backend } = await startServiceHarness(t, { login: "provider" });
  backend.queueReply(functionCall({ name: "weather", arguments: { city: "Oslo" } }));
  const tools = [weatherTool];
  const first = await client.responses.create({ input: "Weather?", tools });
  const call = first.output.find(({ type }) => type === "function_call");
  if (call?.type !== "function_call") return t.fail("no call");
  backend.queueReply(rateLimited(1), text("It rains."));
  const stream = await client.withOptions({ maxRetries: 1 }).responses.create({
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: call.call_id, output: "rain" }],
    tools,
    stream: true,
  });
  const events = await readEvents(stream);
  t.match(events.at(-1), {
    type: "response.completed",
    response: { native_api: { continuation: { mode: "replayed" } } },
  });
  t.match(JSON.stringify(events.at(-1)), /It rains\./);
  return undefined;
});
