/** Who may open a WebSocket, and what one may send over it. */
import { once } from "node:events";
import t, { type Test } from "tap";
import { request } from "undici";
import { WebSocket } from "ws";
import { namedToken, serveFake } from "../support/http-fixture.js";
import { callRaw, postHead } from "../support/raw-caller.js";
import { SocketCaller } from "../support/web-socket-caller.js";

const handshake = (more: readonly string[] = [], line = "GET /v1/responses HTTP/1.1") =>
  [
    line,
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...more,
    "",
    "",
  ].join("\r\n");

const local = "host: localhost";
/** 1008, as it stands in a frame. */
const closedByPolicy = "\x03\xf0";

async function ask(t: Test, port: number, head: string): Promise<string> {
  const raw = await callRaw(t, port);
  raw.socket.write(head);
  return raw.closed;
}

t.test("a handshake passes the guards of every request", async (t) => {
  const { port } = await serveFake(t, { authToken: "s3cret", allowedOrigins: ["https://good.example"] });
  const bearer = "authorization: Bearer s3cret";
  const refused = [
    [403, "origin_not_allowed", [local, bearer, "origin: https://evil.example"]],
    [403, "origin_not_allowed", [local, bearer, "origin: null"]],
    [403, "host_not_allowed", ["host: evil.example", bearer]],
    [400, "invalid_request", [bearer]],
    [400, "invalid_request", [local, local, bearer]],
    [401, "invalid_auth_token", [local]],
    [401, "invalid_auth_token", [local, "authorization: Bearer wrong"]],
    [401, "invalid_auth_token", [local, "sec-websocket-protocol: openai-insecure-api-key.s3cret"]],
  ] as const;
  for (const [status, code, lines] of refused) {
    const answer = await ask(t, port, handshake(lines));
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}"`, "s"), lines.join(", "));
    t.match(answer, /\r\nconnection: close\r\n/i);
  }
  const raw = await callRaw(t, port);
  raw.socket.write(handshake([local, bearer, "origin: https://good.example", "x-request-id: mine"]));
  t.match(await raw.hears(/\r\n\r\n/), /^HTTP\/1\.1 101 .*x-request-id: mine\r\n/is);
});

t.test("what is no handshake of this version is answered as such", async (t) => {
  const { port, url } = await serveFake(t);
  const old = handshake([local]).replace("version: 13", "version: 8");
  t.match(await ask(t, port, old), /^HTTP\/1\.1 426 .*sec-websocket-version: 13.*"upgrade_required"/s);
  const keyless = handshake([local]).replace(/sec-websocket-key: .*?\r\n/, "");
  t.match(await ask(t, port, keyless), /^HTTP\/1\.1 400 .*sec-websocket-key/s);
  const elsewhere = handshake([local], "GET /v1/models HTTP/1.1");
  t.match(await ask(t, port, elsewhere), /^HTTP\/1\.1 200 .*"object":"list"/s);
  const nowhere = handshake([local], "GET /nowhere HTTP/1.1");
  t.match(await ask(t, port, nowhere), /^HTTP\/1\.1 404 /);
  const answer = await fetch(`${url}/v1/responses`);
  t.equal(answer.status, 426);
  t.equal(answer.headers.get("upgrade"), "websocket");
});

t.test("no subprotocol is chosen, whatever is offered, and none is told back", async (t) => {
  const { port } = await serveFake(t);
  for (const offered of ["realtime, openai-insecure-api-key.s3cret", "a, a", ",", '"', ""]) {
    const raw = await callRaw(t, port);
    raw.socket.write(handshake([local, `sec-websocket-protocol: ${offered}`]));
    const answer = await raw.hears(/\r\n\r\n/);
    t.match(answer, /^HTTP\/1\.1 101 /, offered);
    t.notMatch(answer, /sec-websocket-protocol/i);
  }
});

t.test("an offer of another protocol is passed over, body and all", async (t) => {
  const { port } = await serveFake(t);
  const body = JSON.stringify({ input: "hi" });
  const offer = [
    "connection: upgrade, http2-settings",
    "upgrade: h2c",
    "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA",
  ];
  const head = ["POST /v1/responses HTTP/1.1", local, "content-type: application/json", ...offer];
  const post = `${[...head, `content-length: ${body.length}`, "", ""].join("\r\n")}${body}`;
  const raw = await callRaw(t, port);
  raw.socket.write(post);
  t.match(await raw.hears(/"status":"completed"/), /^HTTP\/1\.1 200 /);
  raw.socket.write(["GET /v1/models HTTP/1.1", local, ...offer, "", ""].join("\r\n"));
  t.match(await raw.hears(/"object":"list"/), /HTTP\/1\.1 200 .*HTTP\/1\.1 200 /s);
});

t.test("a handshake behind a request that is not answered ends its connection", async (t) => {
  const { port, runtime } = await serveFake(t);
  runtime.script = async (turn) => {
    turn.start();
    await turn.aborted();
    return turn.result("cancelled");
  };
  const raw = await callRaw(t, port);
  const body = JSON.stringify({ input: "hi" });
  const head = ["POST /v1/responses HTTP/1.1", local, "content-type: application/json"];
  raw.socket.write(
    `${[...head, `content-length: ${body.length}`, "", ""].join("\r\n")}${body}${handshake([local])}`,
  );
  await raw.closed;
  t.notMatch(raw.heard(), /HTTP\/1\.1 101/);
});

t.test("messages at fault are answered with an error each, and the connection goes on", async (t) => {
  const { url } = await serveFake(t, { maxBodyBytes: 4096 });
  const caller = await SocketCaller.open(t, url);
  const create = (fields: object) => JSON.stringify({ type: "response.create", input: "hi", ...fields });
  const faults = [
    ["", 400, "invalid_json", null],
    ["{", 400, "invalid_json", null],
    ["[]", 400, "invalid_request", null],
    ["null", 400, "invalid_request", null],
    ["{}", 400, "invalid_request", "type"],
    ['{"type":"response.cancel"}', 400, "invalid_request", "type"],
    [create({ stream_id: "" }), 400, "invalid_stream_id", "stream_id"],
    [create({ stream_id: "a b" }), 400, "invalid_stream_id", "stream_id"],
    [create({ stream_id: 7 }), 400, "invalid_stream_id", "stream_id"],
    [create({ generate: "no" }), 400, "invalid_request", "generate"],
    [create({ background: true }), 400, "invalid_request", "background"],
    [create({ input: [] }), 400, "invalid_request", "input"],
    [create({ input: 7 }), 400, "invalid_request", "input"],
    [create({ metadata: [] }), 400, "invalid_request", "metadata"],
    [
      create({ previous_response_id: "resp_none" }),
      400,
      "previous_response_not_found",
      "previous_response_id",
    ],
  ] as const;
  for (const [message, status, code, param] of faults) {
    caller.send(message);
    t.match(await caller.next("error"), { status, error: { code, param } }, message);
  }
  // Cut within a character, where it is quoted.
  caller.create({ input: "hi", previous_response_id: `${"r".repeat(255)}💥` });
  const { error } = await caller.next("error");
  t.ok(JSON.stringify(error).includes("r\ufffd' not found."));
  caller.send(JSON.stringify({ type: "response.processed", response_id: "resp_1" }));
  t.match(await caller.ask({ input: "cut in an emoji: \ud83d" }), { status: "completed" });
});

t.test("frames that break the protocol close the connection with its code", async (t) => {
  const { url, port } = await serveFake(t, { maxBodyBytes: 4096 });
  const closes = async (send: (webSocket: WebSocket) => void) => {
    const caller = await SocketCaller.open(t, url);
    send(caller.webSocket);
    return (await caller.closed).code;
  };
  t.equal(await closes((webSocket) => webSocket.send(Buffer.from("{}"))), 1003, "binary");
  t.equal(await closes((webSocket) => webSocket.send("x".repeat(5000))), 1009, "too large");
  const invalid = Buffer.from('{"type":"\xff"}', "latin1");
  t.equal(await closes((webSocket) => webSocket.send(invalid, { binary: false })), 1007, "no UTF-8");
  t.equal(
    await closes((webSocket) => {
      for (let at = 0; at < 2000; at += 1) webSocket.send(" ", { fin: false });
    }),
    1008,
    "too many fragments",
  );
  const raw = await callRaw(t, port);
  raw.socket.write(handshake([local]));
  await raw.hears(/\r\n\r\n/);
  // Not masked, as a client's frame must be.
  raw.socket.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
  const closed = await raw.closed;
  t.match(
    Buffer.from(closed.slice(closed.indexOf("\r\n\r\n") + 4), "latin1").subarray(2, 4),
    Buffer.from([0x03, 0xea]),
  );
});

t.test(
  "a message that stops before its end is given up, and pings in between are no part of it",
  async (t) => {
    const { port } = await serveFake(t, {
      limits: { minBodyBytesPerSecond: 1_000_000, slowBodyGraceMs: 300 },
    });
    const raw = await callRaw(t, port);
    raw.socket.write(handshake([local]));
    await raw.hears(/\r\n\r\n/);
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
    raw.socket.write(ping);
    await raw.hears(/\r\n\r\n\u008a/);
    const begun = Buffer.from([0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0]);
    raw.socket.write(Buffer.concat([begun, Buffer.from('{"type":')]));
    const heard = await raw.hears(/The message came too slowly/);
    t.ok(heard.includes(`${closedByPolicy}The message came too slowly`));
  },
);

t.test("a ping that comes in two pieces is no message that stops before its end", async (t) => {
  const { url, port } = await serveFake(t, {
    limits: { minBodyBytesPerSecond: 1_000_000, slowBodyGraceMs: 2000 },
  });
  const raw = await callRaw(t, port);
  raw.socket.write(handshake([local]));
  await raw.hears(/\r\n\r\n/);
  raw.socket.write(Buffer.from([0x89, 0x80, 0]));
  // Answered after the piece has arrived.
  await fetch(`${url}/livez`);
  raw.socket.write(Buffer.from([0, 0, 0]));
  await raw.hears(/\r\n\r\n\u008a/);
  // Begun later and given up for its pace: the time of the ping has passed as well.
  const slow = await callRaw(t, port);
  slow.socket.write(postHead(100));
  await slow.hears(/"request_timeout"/);
  raw.socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
  t.match(await raw.hears(/\u008a.*\u008a/s), /\r\n\r\n\u008a\0\u008a\0$/);
});

t.test("a thousand messages at once are answered, some with an error", async (t) => {
  const { url, runtime } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  for (let at = 0; at < 1000; at += 1) caller.create({ input: "hi", store: false });
  let ended = 0;
  for (let at = 0; at < 1000; at += 1) {
    const event = await caller.next("response.completed", "error");
    if (event.type === "error") t.match(event, { status: 429, error: { code: "queue_full" } });
    else ended += 1;
  }
  t.ok(ended > 32, `${ended} were answered`);
  t.equal(runtime.turns.length, ended);
});

t.test("one caller may open so many WebSockets and no more", async (t) => {
  const { url } = await serveFake(t, {
    tokens: [namedToken("ada", "ada-token-0123456789"), namedToken("bob", "bob-token-0123456789")],
    limits: { maxWebSocketsPerCaller: 2 },
  });
  const ada = { headers: { authorization: "Bearer ada-token-0123456789" } };
  const first = await SocketCaller.open(t, url, ada);
  await SocketCaller.open(t, url, ada);
  const third = new WebSocket(`${url.replace("http", "ws")}/v1/responses`, ada);
  const [, answer] = (await once(third, "unexpected-response")) as [unknown, { readonly statusCode: number }];
  t.equal(answer.statusCode, 429);
  await SocketCaller.open(t, url, { headers: { authorization: "Bearer bob-token-0123456789" } });
  first.webSocket.close();
  await first.closed;
  await SocketCaller.open(t, url, ada);
});

t.test("each request counts against its token, whichever connection it comes on", async (t) => {
  const { url, runtime } = await serveFake(t, {
    tokens: [namedToken("ada", "ada-token-0123456789", { maxConcurrentTurns: 1, models: ["gpt-fake"] })],
  });
  const authorization = "Bearer ada-token-0123456789";
  const caller = await SocketCaller.open(t, url, { headers: { authorization } });
  caller.create({ input: "hi", model: "gpt-fake-mini" });
  t.match(await caller.next("error"), { status: 403, error: { code: "model_not_allowed" } });
  runtime.script = async (turn) => {
    turn.start();
    await turn.emitText("msg_1", ["Hel"]);
    await turn.aborted();
    return turn.result("cancelled");
  };
  caller.create({ input: "hi" });
  await caller.next("response.created");
  const other = await SocketCaller.open(t, url, { headers: { authorization } });
  other.create({ input: "hi" });
  t.match(await other.next("error"), { status: 429, error: { code: "token_concurrency_exceeded" } });
  const post = await request(`${url}/v1/responses`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ input: "hi" }),
  });
  t.equal(post.statusCode, 429);
});

t.test("what one token stored is unknown to another's connection", async (t) => {
  const { url } = await serveFake(t, {
    tokens: [namedToken("ada", "ada-token-0123456789"), namedToken("bob", "bob-token-0123456789")],
  });
  const open = (name: string) =>
    SocketCaller.open(t, url, { headers: { authorization: `Bearer ${name}-token-0123456789` } });
  const { id } = await (await open("ada")).ask({ input: "hi" });
  const bob = await open("bob");
  bob.create({ input: "and?", previous_response_id: id });
  t.match(await bob.next("error"), { error: { code: "previous_response_not_found" } });
  t.match(await (await open("ada")).ask({ input: "and?", previous_response_id: id }), {
    status: "completed",
  });
});
