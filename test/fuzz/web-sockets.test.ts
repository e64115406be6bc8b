/** Messages and frames that are nearly right: each is answered or ends its connection, and none is a fault of the service's. */
import fc from "fast-check";
import t from "tap";
import { WebSocket } from "ws";
import { serveFake } from "../support/http-fixture.js";
import { callRaw } from "../support/raw-caller.js";
import { SocketCaller, type SocketEvent } from "../support/web-socket-caller.js";
import { planFuzz } from "./support/fuzz-plan.js";

t.setTimeout(600_000);

const streamId = fc.constantFrom(undefined, null, "a", "b", "", "no name", 7);
const input = fc.constantFrom<unknown>("hi", "", [], [{ role: "user", content: "hi" }], 7, null, undefined, [
  "x",
]);
const previous = fc.constantFrom<unknown>(undefined, null, "resp_none", "last", 7);
const create = fc.record({
  type: fc.constant("response.create"),
  stream_id: streamId,
  input,
  previous_response_id: previous,
  store: fc.constantFrom(true, false, undefined),
  generate: fc.constantFrom<unknown>(true, false, undefined, "no"),
  background: fc.constantFrom(undefined, false, true),
});
const steer = fc.record({ type: fc.constant("response.steer"), previous_response_id: previous, input });
const others = fc.record({
  type: fc.constantFrom<unknown>("response.processed", "response.cancel", 7, undefined),
});
const message = fc.oneof(
  { weight: 5, arbitrary: create.map((fields) => fields as object | string) },
  { weight: 2, arbitrary: steer.map((fields) => fields as object | string) },
  { weight: 1, arbitrary: others.map((fields) => fields as object | string) },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.json()).map((text) => text as object | string) },
);

function checkEvent(event: SocketEvent): void {
  const { error } = event as { readonly error?: { readonly code?: unknown } };
  if (error?.code === "internal_error") throw new Error(JSON.stringify(event));
}

t.test("generated messages are answered, and the connection goes on", async (t) => {
  const { seed, runs } = planFuzz(t, 400);
  const { url } = await serveFake(t);
  const property = fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
    const caller = await SocketCaller.open({ teardown: () => {} }, url);
    let last = "resp_none";
    for (const each of messages) {
      const named = caller.events.findLast(({ response }) => response !== undefined)?.response;
      last = (named as { readonly id?: string } | undefined)?.id ?? last;
      caller.send(typeof each === "string" ? each : nameLast(each, last));
    }
    caller.create({ input: "the end", stream_id: "end" });
    for (;;) {
      const event = await caller.next("response.completed", "error");
      if (event.type === "response.completed" && event.stream_id === "end") break;
    }
    caller.events.forEach(checkEvent);
    if (caller.webSocket.readyState !== WebSocket.OPEN) throw new Error("the connection was closed");
    caller.webSocket.close();
    await caller.closed;
  });
  await fc.assert(property, { seed, numRuns: runs });
});

function nameLast(fields: object, last: string): object {
  if (!("previous_response_id" in fields) || fields.previous_response_id !== "last") return fields;
  return { ...fields, previous_response_id: last };
}

const handshake = [
  "GET /v1/responses HTTP/1.1",
  "host: localhost",
  "connection: upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");

/** A frame whose head may say what its body is not. */
const frame = fc
  .record({
    head: fc.integer({ min: 0, max: 255 }),
    isMasked: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 200 }),
    lie: fc.constantFrom(0, 0, 0, 1, -1, 60_000),
  })
  .map(({ head, isMasked, payload, lie }) => {
    const length = Math.max(0, payload.length + lie);
    const size = length < 126 ? [length] : [126, length >> 8, length & 255];
    size[0] = (size[0] ?? 0) | (isMasked ? 0x80 : 0);
    return Buffer.from([head, ...size, ...(isMasked ? [0, 0, 0, 0] : []), ...payload]);
  });

t.test("generated frames are answered or end their connection, and the service goes on", async (t) => {
  const { seed, runs } = planFuzz(t, 300);
  const { url, port } = await serveFake(t);
  const property = fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
    const raw = await callRaw({ teardown: () => {} }, port);
    raw.socket.write(handshake);
    await raw.hears(/\r\n\r\n/);
    for (const each of frames) raw.socket.write(each);
    // Whatever it is waiting for, it does not come.
    raw.socket.end();
    await raw.closed;
  });
  await fc.assert(property, { seed, numRuns: runs });
  t.match(await (await SocketCaller.open(t, url)).ask({ input: "hi" }), { status: "completed" });
});
