/** A dialect that is no part of the service is four files and a line in the table: everything else is there for it. */

import t, { type Test } from "tap";
import { request } from "undici";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import type { Dialect } from "../../src/main/dialects/dialect.js";
import { Exchanges } from "../../src/main/exchange/exchanges.js";
import { AccessPolicy } from "../../src/main/http/access-policy.js";
import { BodyLimits } from "../../src/main/http/body/incoming-body.js";
import { buildApp } from "../../src/main/http/build-app.js";
import { CallerTurns, InFlight } from "../../src/main/http/in-flight.js";
import { PageCodes } from "../../src/main/http/page-codes.js";
import { createId } from "../../src/main/http/request-id.js";
import { bodyBoundsOf } from "../../src/main/http/server-options.js";
import { WebSockets } from "../../src/main/http/web-socket/web-sockets.js";
import { InMemoryCodexNativeApiRequestStore } from "../../src/main/observability/requests/in-memory-request-store.js";
import { RequestLog } from "../../src/main/observability/requests/request-log.js";
import { LoopShare } from "../../src/workers/contract/pace.js";
import { decodeNote } from "../support/notes-dialect/decode.js";
import { encodeNote } from "../support/notes-dialect/encode.js";
import { noteErrors } from "../support/notes-dialect/errors.js";
import { cutConnection, functionCall, httpError, stall, text } from "../support/offline-backend/index.js";
import { createQuietFeed } from "../support/quiet-feed.js";
import { createRuntimeHarness } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

const notes: Dialect = {
  route: "/v1/notes",
  continuesBy: "response_id",
  decode: decodeNote,
  encode: encodeNote,
  errors: noteErrors,
  operation: {
    id: "createNote",
    tag: { name: "Notes", description: "A dialect of this test." },
    summary: "One note",
    answers: {},
  },
};

/** The service's listener with this dialect alone, over real Codex. */
async function serveNotes(t: Test) {
  const { runtime, backend } = await createRuntimeHarness(t);
  await runtime.start();
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  const times = { wallClock: Date.now, clock: () => performance.now() };
  const loopShare = new LoopShare();
  const options = {
    runtime,
    registry,
    host: "127.0.0.1",
    port: 0,
    authToken: null,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 100_000,
    unsupportedParameters: "ignore",
    version: "0.0.0-test",
  } as const;
  const exchanges = new Exchanges({ runtime, registry, loopShare, newId: createId, ...times });
  const access = new AccessPolicy(options.host, options);
  const guards = {
    access: () => access,
    bodyLimits: new BodyLimits(bodyBoundsOf({ ...options, limits: { minBodyBytesPerSecond: 0 } })),
    isClosing: () => false,
  };
  const app = buildApp({
    ...guards,
    webSockets: new WebSockets(guards),
    options,
    dialects: [notes],
    context: {
      metadataLevel: () => "silent",
      ...options,
      ...times,
      exchanges,
      requestLog: new RequestLog(new InMemoryCodexNativeApiRequestStore()),
      requestContent: () => false,
      callerTurns: new CallerTurns(),
      loopShare,
      keepAliveCommentMs: 15_000,
      streamHeadHoldMs: 10_000,
      limits: {},
      localhostOnly: true,
      openWebSockets: () => 0,
      eventFeed: createQuietFeed(),
      pageCodes: new PageCodes(() => performance.now()),
      readPage: async () => null,
      logger: undefined,
    },
    inFlight: new InFlight(),
  });
  const url = await app.listen({ host: options.host, port: 0 });
  t.teardown(async () => {
    app.server.closeAllConnections();
    await app.close();
    await exchanges.close();
  });
  const send = (body: object, signal?: AbortSignal) =>
    request(`${url}/v1/notes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    });
  return { backend, runtime, send };
}

function eventsOf(stream: string): readonly unknown[] {
  const blocks = stream.split("\n\n").filter((block) => block.startsWith("data: "));
  return blocks.map((block): unknown => JSON.parse(block.slice("data: ".length)));
}

t.test("it streams, and tells an answer whole", async (t) => {
  const { backend, send } = await serveNotes(t);
  backend.setDefaultReply(text({ deltas: ["Hel", "lo"] }));
  const events = eventsOf(await (await send({ text: "hi", stream: true })).body.text());
  t.match(events[0], { begun: /^note_/ });
  t.match(events.at(-1), { end: "completed", resumed: null });
  const said = events.map((event) => (event as { readonly say?: string }).say ?? "").join("");
  t.equal(said, "Hello");
  const whole = await (await send({ text: "hi", mood: "glad" })).body.json();
  t.match(whole, { id: /^note_/, ignored: ["mood"], note: [{ begun: /^note_/ }, { say: "Hel" }] });
  const refused = await send({ text: "hi", voice: "loud" });
  t.equal(refused.statusCode, 400);
  t.match(await refused.body.json(), { fault: "invalid_request", why: "voice: nothing is spoken here." });
});

t.test("it calls a tool and goes on in a chain", async (t) => {
  const { backend, send } = await serveNotes(t);
  backend.queueReply(functionCall({ name: "weather", arguments: "{}", callId: "call_1" }));
  backend.setDefaultReply(text("Sunny."));
  const functions = ["weather"];
  const first = (await (await send({ text: "Weather?", functions })).body.json()) as { readonly id: string };
  t.match(first, { note: [{}, { call: "call_1", name: "weather" }, { end: "parked", resumed: null }] });
  const answers = [{ call: "call_1", text: "sun" }];
  const body = await (await send({ after: first.id, answers, functions })).body.json();
  t.match((body as { readonly note: readonly unknown[] }).note.at(-1), {
    end: "completed",
    resumed: "native",
  });
  const { id } = body as { readonly id: string };
  const stream = await (await send({ after: id, text: "And now?", functions, stream: true })).body.text();
  t.match(eventsOf(stream).at(-1), { end: "completed" });
  // Codex's own item for the tools comes with some forms of prompts.
  const shown = backend.requests.at(-1)?.fullInput.filter(({ type }) => type !== "additional_tools");
  t.match(shown, [
    { role: "user" },
    { type: "function_call", call_id: "call_1" },
    { type: "function_call_output", call_id: "call_1", output: "sun" },
    { role: "assistant" },
    { role: "user" },
  ]);
  const unknown = await send({ after: "note_none", text: "hi" });
  t.equal(unknown.statusCode, 404);
  t.match(await unknown.body.json(), { fault: "continuation_not_found" });
});

t.test("it fails with a status before the first output, and in its stream after", async (t) => {
  const { backend, send } = await serveNotes(t);
  backend.setDefaultReply(httpError(400));
  const early = await send({ text: "hi", stream: true });
  t.equal(early.statusCode, 400);
  t.match(await early.body.json(), { fault: "upstream_bad_request" });
  backend.setDefaultReply(cutConnection({ afterDeltas: 2 }));
  const late = await send({ text: "hi", stream: true });
  t.equal(late.statusCode, 200);
  t.match(eventsOf(await late.body.text()).at(-1), { fault: "upstream_connection_failed" });
});

t.test("a client that leaves cancels its turn", async (t) => {
  const { backend, runtime, send } = await serveNotes(t);
  backend.setDefaultReply(stall({ afterDeltas: 2 }));
  const abort = new AbortController();
  const answer = await send({ text: "hi", stream: true }, abort.signal);
  answer.body.on("error", () => {});
  t.equal(runtime.health().queue.running, 1);
  abort.abort();
  const asked = await backend.waitForRequest();
  t.equal(await asked.closed, "client-closed");
  await pollUntil(() => runtime.health().queue.running === 0);
});
