/** Those who follow a background response: how fast they read, and what ends their streams. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import type { FakeTurn } from "../support/fake-runtime.js";
import { call, type HttpFixture, idOf, namedToken, openStream, serveFake } from "../support/http-fixture.js";
import { measureHeap } from "../support/measure-heap.js";
import { pollUntil } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";

const megabyte = 1024 * 1024;
const body = { input: "hi", background: true };

/** A background turn in the test's hands. */
async function startTurn(fixture: HttpFixture) {
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const started = new Promise<FakeTurn>((resolve) => {
    fixture.runtime.script = async (turn) => {
      turn.start();
      await turn.emit({ type: "item.started", itemId: "msg_1", itemType: "message" });
      resolve(turn);
      await Promise.race([finished, turn.aborted()]);
      return turn.result(turn.handlers.signal?.aborted === true ? "cancelled" : "completed");
    };
  });
  return { started, finish };
}

/** So much text, in deltas of 16 KB, as a worker hands it on. */
async function say(turn: FakeTurn, bytes: number, itemId = "msg_1"): Promise<void> {
  const delta = "x".repeat(16 * 1024);
  for (let said = 0; said < bytes; said += delta.length) {
    await turn.emit({ type: "text.delta", itemId, delta });
    if (said % megabyte === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

let messages = 1;

/** The same over many messages that the model ends without a text, so that the response itself stays small. */
async function sayAndEmpty(turn: FakeTurn, bytes: number): Promise<void> {
  for (let said = 0; said < bytes; said += megabyte) {
    const itemId = `msg_${++messages}`;
    await turn.emit({ type: "item.started", itemId, itemType: "message" });
    await say(turn, megabyte, itemId);
    const content = [{ type: "output_text", text: "", annotations: [] }];
    await turn.emit({
      type: "item.completed",
      item: { type: "message", id: itemId, role: "assistant", content },
    });
  }
}

/** A client that sends a request and reads nothing until it is told to. */
async function connectMute(t: Test, fixture: HttpFixture, head: string, payload = ""): Promise<Socket> {
  const socket = connect(fixture.port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  const lengths =
    payload === "" ? "" : `content-type: application/json\r\ncontent-length: ${payload.length}\r\n`;
  socket.pause();
  socket.write(`${head} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lengths}\r\n${payload}`);
  return socket;
}

/** What of the heap a turn of 24 MB takes, with as many clients that read nothing. */
async function measureMuteReaders(t: Test, readers: number): Promise<number> {
  const fixture = await serveFake(t);
  const { started, finish } = await startTurn(fixture);
  const before = await measureHeap();
  const creation = JSON.stringify({ ...body, stream: readers > 0 });
  const first = await connectMute(t, fixture, "POST /v1/responses", creation);
  const turn = await started;
  const { id } = (await once(first.resume(), "data").then(([head]) => readId(String(head)))) as {
    id: string;
  };
  first.pause();
  for (let index = 1; index < readers; index += 1) {
    await connectMute(t, fixture, `GET /v1/responses/${id}?stream=true`);
  }
  await sayAndEmpty(turn, 24 * megabyte);
  const grown = (await measureHeap()) - before;
  finish();
  return grown;
}

function readId(text: string): { readonly id: string } {
  const id = /"(resp_[0-9a-f]+)"/.exec(text)?.[1];
  if (id === undefined) throw new Error(`no id in ${text}`);
  return { id };
}

t.test("clients that read nothing of a background stream cost the kept events and no more", async (t) => {
  const alone = await measureMuteReaders(t, 0);
  const followed = await measureMuteReaders(t, 20);
  const difference = (followed - alone) / megabyte;
  t.ok(difference < 10, `20 readers of 24 MB cost ${difference.toFixed(1)} MB more than none`);
});

t.test("a client that reads late gets what is kept, from the first event to the last", async (t) => {
  const fixture = await serveFake(t);
  const { started, finish } = await startTurn(fixture);
  const stream = await openStream(fixture, "/v1/responses", { body: { ...body, stream: true } });
  await say(await started, 2 * megabyte);
  finish();
  const events = await stream.rest();
  t.strictSame(
    events.map(({ data }) => data.sequence_number),
    events.map((_, index) => index),
  );
  t.equal(events.at(-1)?.event, "response.completed");
});

t.test("a client that reads too late is sent an error event in the place of what was dropped", async (t) => {
  const fixture = await serveFake(t);
  const { started, finish } = await startTurn(fixture);
  const stream = await openStream(fixture, "/v1/responses", { body: { ...body, stream: true } });
  const { id } = (await stream.next("response.created")).data.response as { id: string };
  await sayAndEmpty(await started, 24 * megabyte);
  finish();
  const rest = await stream.rest();
  const last = rest.at(-1);
  t.match(last, { event: "error", data: { type: "error", code: "continuation_expired" } });
  t.equal(last?.data.sequence_number, Number(rest.at(-2)?.data.sequence_number) + 1);
  t.match(await fixture.logged("http.request"), { error_code: "continuation_expired" });
  t.match(
    (await call(fixture, `/v1/responses/${id}`)).json(),
    { status: "completed" },
    "it ended all the same",
  );
  const early = await call(fixture, `/v1/responses/${id}?stream=true`);
  t.equal(early.status, 410);
  t.match(early.json(), { error: { code: "continuation_expired", param: "starting_after" } });
});

t.test("a client that reads nothing holds neither the turn nor other clients back", async (t) => {
  const fixture = await serveFake(t);
  const { started, finish } = await startTurn(fixture);
  const id = idOf(await call(fixture, "/v1/responses", { body }));
  await connectMute(t, fixture, `GET /v1/responses/${id}?stream=true`);
  const quick = await openStream(fixture, `/v1/responses/${id}?stream=true`);
  const turn = await started;
  for (let round = 0; round < 20; round += 1) {
    await sayAndEmpty(turn, megabyte);
    await quick.next("response.output_item.added");
  }
  finish();
  await quick.next("response.completed");
});

for (const streamDone of [true, false]) {
  const ends = streamDone ? "ends" : "does not end";
  t.test(
    `[DONE] ${ends} the stream of a background response, for who began it and who follows it`,
    async (t) => {
      const fixture = await serveFake(t, { streamDone });
      fixture.runtime.script = async (turn) => {
        turn.start();
        return turn.result();
      };
      const first = parseSse(
        (await call(fixture, "/v1/responses", { body: { ...body, stream: true } })).text,
      );
      t.equal(first.done, streamDone);
      const [created] = first.events;
      const { id } = Object(created?.data.response);
      const second = parseSse((await call(fixture, `/v1/responses/${id}?stream=true`)).text);
      t.equal(second.done, streamDone);
      t.equal(second.events.length, first.events.length);
    },
  );
}

t.test("a client that leaves takes only its own following with it", async (t) => {
  const fixture = await serveFake(t);
  const { started, finish } = await startTurn(fixture);
  const first = await openStream(fixture, "/v1/responses", { body: { ...body, stream: true } });
  const { id } = (await first.next("response.created")).data.response as { id: string };
  const second = await openStream(fixture, `/v1/responses/${id}?stream=true`);
  await second.next("response.output_item.added");
  first.leave();
  await fixture.logged("http.request");
  await say(await started, 100_000);
  finish();
  await second.next("response.completed");
});

t.test("deleting a background response that runs ends it, and those who follow it read so", async (t) => {
  const fixture = await serveFake(t);
  const { started } = await startTurn(fixture);
  const first = await openStream(fixture, "/v1/responses", { body: { ...body, stream: true } });
  const { id } = (await first.next("response.created")).data.response as { id: string };
  await started;
  const second = await openStream(fixture, `/v1/responses/${id}?stream=true`);
  await second.next("response.output_item.added");
  t.equal((await call(fixture, `/v1/responses/${id}`, { method: "DELETE" })).status, 200);
  for (const stream of [first, second]) {
    t.match((await stream.rest()).at(-1), {
      event: "response.failed",
      data: { response: { status: "cancelled" } },
    });
  }
  t.equal((await call(fixture, `/v1/responses/${id}`)).status, 404);
});

for (const stage of ["runs", "has ended"] as const) {
  t.test(
    `deleting a background response that ${stage} ends the stream of who is far behind, too`,
    async (t) => {
      const fixture = await serveFake(t);
      const { started, finish } = await startTurn(fixture);
      const id = idOf(await call(fixture, "/v1/responses", { body }));
      const mute = await connectMute(t, fixture, `GET /v1/responses/${id}?stream=true`);
      await sayAndEmpty(await started, 8 * megabyte);
      if (stage === "has ended") {
        finish();
        await call(fixture, `/v1/responses/${id}/cancel`, { method: "POST" });
      }
      t.equal((await call(fixture, `/v1/responses/${id}`, { method: "DELETE" })).status, 200);
      for (const path of [`/v1/responses/${id}?stream=true`, `/v1/responses/${id}`]) {
        t.equal((await call(fixture, path)).status, 404, path);
      }
      let text = "";
      mute.on("data", (chunk) => {
        text += String(chunk);
      });
      mute.resume();
      await pollUntil(() => text.includes("event: error"));
      t.match(text.slice(text.indexOf("event: error")), /"code":"response_not_found"/);
    },
  );
}

t.test("the stream of a background response lives no longer than the response", async (t) => {
  let nowMs = 0;
  const registry = new InMemoryCodexNativeApiContinuationRegistry({ ttlMs: 1_000, clock: () => nowMs });
  const fixture = await serveFake(t, { registry });
  const { started, finish } = await startTurn(fixture);
  const id = idOf(await call(fixture, "/v1/responses", { body }));
  await started;
  const attached = call(fixture, `/v1/responses/${id}?stream=true`);
  finish();
  t.match((await attached).text, /event: response.completed/);
  nowMs = 900;
  t.equal((await call(fixture, `/v1/responses/${id}?stream=true`)).status, 200, "to attach is to use it");
  nowMs = 1_800;
  t.equal((await call(fixture, `/v1/responses/${id}?stream=true&starting_after=2`)).status, 200);
  nowMs = 2_900;
  const late = await call(fixture, `/v1/responses/${id}?stream=true`);
  t.equal(late.status, 404);
  t.match(late.json(), { error: { code: "response_not_found" } });
  t.equal((await call(fixture, `/v1/responses/${id}`)).status, 404);
});

t.test("when the server stops, whoever follows a background response is sent its last event", async (t) => {
  const fixture = await serveFake(t);
  const { started } = await startTurn(fixture);
  const first = await openStream(fixture, "/v1/responses", { body: { ...body, stream: true } });
  const { id } = (await first.next("response.created")).data.response as { id: string };
  await started;
  const second = await openStream(fixture, `/v1/responses/${id}?stream=true`);
  await second.next("response.output_item.added");
  const [own, other] = [first.rest(), second.rest()];
  await fixture.server.close({ graceMs: 0 });
  t.match((await own).at(-1), {
    event: "response.failed",
    data: { response: { error: { code: "native_runtime_unavailable" } } },
  });
  t.match((await other).at(-1), { event: /^(error|response\.failed)$/ });
});

t.test("a token that is withdrawn no longer follows what others may still read", async (t) => {
  const token = "adas-token-123456";
  const ada = namedToken("ada", token);
  const fixture = await serveFake(t, { authToken: null, tokens: [] });
  const { started } = await startTurn(fixture);
  const id = idOf(await call(fixture, "/v1/responses", { body }));
  await started;
  const settings = { allowedHosts: [], allowedOrigins: [], maxBodyBytes: megabyte, authToken: "s3cret" };
  fixture.server.reconfigure({ ...settings, tokens: [ada] });
  const headers = { authorization: `Bearer ${token}` };
  const stream = await openStream(fixture, `/v1/responses/${id}?stream=true`, { headers });
  await stream.next("response.in_progress");
  fixture.server.reconfigure({ ...settings, tokens: [{ ...ada, disabled: true }] });
  t.match((await stream.rest()).at(-1), { event: "error", data: { code: "invalid_auth_token" } });
});
