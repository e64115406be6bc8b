import { once } from "node:events";
import t from "tap";
import { WebSocket } from "ws";
import { createDeferred } from "../../src/workers/contract/wait.js";
import {
  cutConnection,
  functionCall,
  held,
  httpError,
  incomplete,
  lastUserText,
  OfflineBackend,
  type OfflineBackendOptions,
  reasoning,
  refusal,
  reply,
  silent,
  stall,
  text,
  textInDeltas,
  usageLimitReached,
  webSearchCall,
} from "../support/offline-backend/index.js";
import {
  askBySse,
  askByWebSocket,
  connectWebSocket,
  finalResponse,
  post,
  readText,
  requestBody,
  typesOf,
} from "../support/offline-backend/raw-client.js";
import { pollUntil } from "../support/service-harness.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

async function startBackend(
  test: WithTeardown,
  options: OfflineBackendOptions = {},
): Promise<OfflineBackend> {
  const backend = await OfflineBackend.start(options);
  test.teardown(() => backend.close());
  return backend;
}

async function connect(test: WithTeardown, backend: OfflineBackend): Promise<WebSocket> {
  const socket = await connectWebSocket(backend.origin);
  test.teardown(() => socket.terminate());
  return socket;
}

t.test("a silent model announces its response at once, and then says nothing for a while", async (t) => {
  const backend = await startBackend(t);
  backend.queueReply(silent(300, text("thought through")));
  const answer = await post(backend.origin, "/v1/responses", requestBody("hi"));
  const [first] = await once(answer, "data");
  t.match(String(first), /response\.in_progress/);
  t.notMatch(String(first), /output_item/);
  const rest = await readText(answer);
  t.match(rest, /output_item\.added.*thought through.*response\.completed/s);
});

t.test("a text reply has the real API's event order, numbers and usage", async (t) => {
  const backend = await startBackend(t);
  backend.queueReply(text({ deltas: ["Hel", "lo"], usage: { inputTokens: 3, outputTokens: 2 } }));
  const events = await askBySse(backend.origin, "hi");
  t.strictSame(typesOf(events), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  t.strictSame(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  );
  t.match(finalResponse(events), {
    status: "completed",
    output: [{ type: "message", content: [{ type: "output_text", text: "Hello" }] }],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  });
});

t.test("parts are combined into one response, in order, each item with its own index", async (t) => {
  const backend = await startBackend(t);
  backend.queueReply(
    reply(
      reasoning({ summary: ["Let me think"], encryptedContent: "secret" }),
      webSearchCall({ query: "cats" }),
      functionCall({ name: "a", arguments: { x: 1 }, callId: "call_a" }),
      functionCall({ name: "b", arguments: "not json" }),
      refusal("No."),
    ),
  );
  const events = await askBySse(backend.origin, "hi");
  const items = events.filter((event) => event.type === "response.output_item.done");
  t.strictSame(
    items.map((event) => event.output_index),
    [0, 1, 2, 3, 4],
  );
  t.match(finalResponse(events).output, [
    {
      type: "reasoning",
      encrypted_content: "secret",
      summary: [{ type: "summary_text", text: "Let me think" }],
    },
    { type: "web_search_call", status: "completed", action: { type: "search", query: "cats" } },
    { type: "function_call", name: "a", call_id: "call_a", arguments: '{"x":1}' },
    { type: "function_call", name: "b", arguments: "not json" },
    { type: "message", content: [{ type: "refusal", refusal: "No." }] },
  ]);
});

t.test("a rule goes before the queue, the queue before the default", async (t) => {
  const backend = await startBackend(t);
  backend.setDefaultReply((request) => text(`default ${lastUserText(request)}`));
  backend.queueReply(text("queued"));
  backend.whenReply((request) => lastUserText(request) === "special", text("ruled"), { times: 1 });
  const outputs = [];
  for (const said of ["special", "special", "last"]) {
    outputs.push(JSON.stringify(finalResponse(await askBySse(backend.origin, said)).output));
  }
  t.match(outputs, [/"ruled"/, /"queued"/, /"default last"/]);
});

t.test("a request is recorded with its body, its headers and how it ended", async (t) => {
  const backend = await startBackend(t);
  const waiting = backend.waitForRequest((request) => lastUserText(request) === "two");
  await askBySse(backend.origin, "one");
  await askBySse(backend.origin, "two");
  const second = await waiting;
  t.match(second, { index: 1, transport: "sse", isWarmup: false, outcome: "completed" });
  t.equal(await second.closed, "completed");
  t.equal(second.body.model, "gpt-offline");
  t.match(backend.counters, { modelRequests: 2, sseRequests: 2, completedStreams: 2, openStreams: 0 });
});

t.test("the record is bounded, the counters are not", async (t) => {
  const backend = await startBackend(t, { maxRecorded: 2 });
  for (const said of ["a", "b", "c"]) {
    await askBySse(backend.origin, said);
  }
  t.strictSame(
    backend.requests.map((request) => request.index),
    [1, 2],
  );
  t.equal(backend.counters.modelRequests, 3);
});

t.test("waiting for a request fails after its time, and when the backend closes", async (t) => {
  const backend = await startBackend(t);
  await t.rejects(backend.waitForRequest(undefined, { timeoutMs: 10 }), /within 10 ms/);
  const waiting = t.rejects(backend.waitForRequest(), /was closed/);
  await backend.close();
  await waiting;
});

t.test("errors by status carry their headers and body", async (t) => {
  const backend = await startBackend(t);
  backend.queueReply(
    httpError(400, { code: "bad", message: "no" }),
    usageLimitReached({ resetsInSeconds: 60 }),
  );
  const bad = await post(backend.origin, "/v1/responses", requestBody("hi"));
  t.equal(bad.statusCode, 400);
  t.match(JSON.parse(await readText(bad)), { error: { code: "bad", message: "no", param: null } });
  const used = await post(backend.origin, "/backend-api/codex/responses", requestBody("hi"));
  t.equal(used.statusCode, 429);
  t.match(JSON.parse(await readText(used)), {
    error: { type: "usage_limit_reached", resets_in_seconds: 60 },
  });
  t.equal(backend.counters.httpErrors, 2);
});

t.test("a cut comes after the deltas it was told to send, an incomplete response is said", async (t) => {
  const backend = await startBackend(t);
  backend.queueReply(
    cutConnection({ afterDeltas: 2 }),
    incomplete({ reason: "max_output_tokens", text: "half" }),
  );
  const response = await post(backend.origin, "/v1/responses", requestBody("hi"));
  let content = "";
  await t.rejects(async () => {
    for await (const chunk of response) {
      content += String(chunk);
    }
  }, /aborted/);
  t.equal(content.match(/output_text\.delta"/g)?.length, 2);
  t.equal(await backend.requests[0]?.closed, "server-closed");
  const events = await askBySse(backend.origin, "hi");
  t.match(finalResponse(events), {
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
  });
});

t.test("a client that leaves a stalled stream is noticed and counted", async (t) => {
  const backend = await startBackend(t);
  backend.setDefaultReply(stall({ afterDeltas: 1 }));
  const response = await post(backend.origin, "/v1/responses", requestBody("hi"));
  await once(response, "data");
  t.equal(backend.counters.openStreams, 1);
  response.destroy();
  const [record] = backend.requests;
  t.equal(await record?.closed, "client-closed");
  t.match(backend.counters, { openStreams: 0, abortedByClient: 1 });
});

t.test("over a WebSocket the model's input is put together from what came before", async (t) => {
  const backend = await startBackend(t);
  const socket = await connect(t, backend);
  const warmup = await askByWebSocket(socket, { ...requestBody("x"), input: [], generate: false });
  const warmupId = String(finalResponse(warmup).id);
  backend.queueReply(text("first answer"));
  const first = await askByWebSocket(socket, requestBody("one", { previous_response_id: warmupId }));
  const firstId = String(finalResponse(first).id);
  await askByWebSocket(socket, requestBody("two", { previous_response_id: firstId }));
  const [, second] = backend.requests;
  t.equal(second?.body.input.length, 1);
  t.strictSame(
    second?.fullInput.map((item) => item.role),
    ["user", "assistant", "user"],
  );
  t.match(backend.counters, { modelRequests: 2, websocketRequests: 2, warmups: 1, websocketConnections: 1 });
  t.equal(backend.warmups[0]?.isWarmup, true);
});

t.test("over a WebSocket a refusal is an error event with the status", async (t) => {
  const backend = await startBackend(t);
  const socket = await connect(t, backend);
  backend.queueReply(usageLimitReached());
  const [event] = await askByWebSocket(socket, requestBody("hi"));
  t.match(event, { type: "error", status: 429, error: { type: "usage_limit_reached" } });
  const unknown = await askByWebSocket(socket, requestBody("hi", { previous_response_id: "resp_none" }));
  t.match(unknown, [{ type: "error", status: 400, error: { code: "previous_response_not_found" } }]);
});

t.test("a refused upgrade gets its status and no connection", async (t) => {
  const backend = await startBackend(t, { webSocket: "refuse" });
  const socket = new WebSocket(`${backend.origin.replace("http", "ws")}/v1/responses`);
  const [error] = await once(socket, "error");
  t.match(error, { message: /426/ });
  t.match(backend.counters, { refusedUpgrades: 1, websocketConnections: 0 });
});

t.test("a refresh token works once; the second use is refused as the real endpoint does", async (t) => {
  const backend = await startBackend(t);
  const identity = { email: "a@b.c", accountId: "acct-1", planType: "plus", userId: "user-1" };
  const { refreshToken } = backend.tokens.issue(identity);
  const body = { grant_type: "refresh_token", refresh_token: refreshToken };
  const first = await post(backend.origin, "/oauth/token", body);
  t.match(JSON.parse(await readText(first)), {
    access_token: String,
    id_token: String,
    refresh_token: /^rt_/,
  });
  const second = await post(backend.origin, "/oauth/token", body);
  t.equal(second.statusCode, 401);
  t.match(JSON.parse(await readText(second)), { error: { code: "refresh_token_reused" } });
  t.match(backend.counters, { tokenRefreshes: 1, refusedTokenRefreshes: 1, reusedRefreshTokens: 1 });
});

t.test("unknown routes are 404 in JSON and counted", async (t) => {
  const backend = await startBackend(t, { unknownRoutes: ["POST /backend-api/nowhere"] });
  const response = await post(backend.origin, "/backend-api/nowhere", {});
  t.equal(response.statusCode, 404);
  t.match(JSON.parse(await readText(response)), { error: { message: "Not found." } });
  t.equal(backend.counters.unknownRoutes, 1);
});

t.test("a scripted reply that throws is a 500 for the client and a fault for the test", async (t) => {
  const backend = await OfflineBackend.start();
  backend.setDefaultReply(() => {
    throw new Error("script fault");
  });
  const response = await post(backend.origin, "/v1/responses", requestBody("hi"));
  t.equal(response.statusCode, 500);
  response.resume();
  await t.rejects(backend.close(), { errors: [{ message: "script fault" }] });
});

t.test("a thousand slow streams run together and leave nothing behind", async (t) => {
  const backend = await startBackend(t, { maxRecorded: 0 });
  const allOpen = createDeferred<void>();
  backend.setDefaultReply(held(allOpen.promise, textInDeltas("word ".repeat(10), 10, 30)));
  const streams = Array.from({ length: 1_000 }, async () => {
    const content = await readText(await post(backend.origin, "/v1/responses", requestBody("hi")));
    return content.match(/output_text\.delta"/g)?.length === 10 && content.includes("response.completed");
  });
  await pollUntil(() => backend.counters.openStreams === 1_000);
  allOpen.resolve();
  t.ok((await Promise.all(streams)).every(Boolean));
  t.equal(backend.requests.length, 0);
  t.match(backend.counters, { completedStreams: 1_000, openStreams: 0, peakOpenStreams: 1_000 });
});

t.test("closing ends open streams and connections", async (t) => {
  const backend = await startBackend(t);
  backend.setDefaultReply(stall({ afterDeltas: 1 }));
  const socket = await connect(t, backend);
  const response = await post(backend.origin, "/v1/responses", requestBody("hi"));
  await once(response, "data");
  const gone = Promise.all([once(socket, "close"), t.rejects(readText(response), /aborted/)]);
  await backend.close();
  await gone;
  t.equal(await backend.requests[0]?.closed, "server-closed");
});
