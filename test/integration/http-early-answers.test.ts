/** Answers that are given before their request was read: they arrive, also where the client goes on sending. */
import { EventEmitter, once } from "node:events";
import t from "tap";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";
import { type LargeRequest, largeClients, sendLarge } from "../support/large-sender.js";
import { bodyOf, callRaw, postHead } from "../support/raw-caller.js";

// Each client is a process of its own.
t.setTimeout(300_000);

const megabyte = 1024 * 1024;
const token = "adas-own-token-01";
const tokens = [namedToken("ada", token)];

function large(
  { url }: HttpFixture,
  changes: Partial<LargeRequest> = {},
  path = "/v1/responses",
): LargeRequest {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${token}`,
    ...changes.headers,
  };
  return { client: "openai", url: url + path, method: "POST", bytes: 8 * megabyte, ...changes, headers };
}

for (const client of largeClients) {
  t.test(`${client}: 160 MB to a server that takes 32 are answered with 413`, async (t) => {
    const fixture = await serveFake(t, { tokens, maxBodyBytes: 32 * megabyte });
    const answer = await sendLarge(large(fixture, { client, bytes: 160 * megabyte }));
    t.match(answer, /^413 .*"code":"body_too_large"/s, answer.slice(0, 200));
    t.equal((await call(fixture, "/livez")).status, 200);
  });

  t.test(`${client}: other refusals of a large body arrive`, async (t) => {
    const fixture = await serveFake(t, { tokens, maxBodyBytes: 32 * megabyte });
    const cases: readonly (readonly [number, string, Partial<LargeRequest>, string?])[] = [
      [401, "invalid_auth_token", { headers: { authorization: "Bearer another" } }],
      [403, "origin_not_allowed", { headers: { origin: "https://evil.example" } }],
      [404, "route_not_found", {}, "/v1/nowhere"],
      [405, "method_not_allowed", { method: "PUT" }],
      [415, "unsupported_media_type", { headers: { "content-encoding": "gzip" } }],
    ];
    for (const [status, code, changes, path] of cases) {
      const answer = await sendLarge(large(fixture, { client, ...changes }, path));
      t.match(answer, new RegExp(`^${status} .*"code":"${code}"`, "s"), answer.slice(0, 200));
    }
  });
}

t.test("a large body for which there is no room is answered with 429", async (t) => {
  const maxBodyBytes = 4 * megabyte;
  const fixture = await serveFake(t, { maxBodyBytes });
  const ended = new EventEmitter();
  const end = once(ended, "end");
  fixture.runtime.script = async (turn) => {
    turn.start();
    await end;
    return turn.result();
  };
  const body = bodyOf(maxBodyBytes);
  const answers = Array.from({ length: 16 }, () => call(fixture, "/v1/responses", { body }));
  t.equal((await Promise.race(answers)).status, 429, "more than one caller may hold");
  for (const client of largeClients) {
    const answer = await sendLarge(large(fixture, { client, bytes: maxBodyBytes - 100 }));
    t.match(answer, /^429 .*"code":"queue_full"/s, answer.slice(0, 200));
  }
  ended.emit("end");
  await Promise.all(answers);
});

t.test("a client that waits to be asked for its body gets the answer without sending it", async (t) => {
  const fixture = await serveFake(t, { tokens, maxBodyBytes: megabyte });
  const authorized = `authorization: Bearer ${token}`;
  const cases = [
    [postHead(2 * megabyte, [authorized, "expect: 100-continue"]), 413],
    [postHead(1000, ["expect: 100-continue"]), 401],
    [postHead(1000, [authorized, "expect: 100-continue"]).replace("/v1/responses", "/nowhere"), 404],
    [postHead(1000, [authorized, "expect: 100-continue"]).replace("POST", "PUT"), 405],
    [postHead(1000, [authorized, "expect: 100-continue"]).replace("/json", "/json; charset=latin1"), 415],
  ] as const;
  const answers = await Promise.all(
    cases.map(async ([head]) => {
      const caller = await callRaw(t, fixture.port);
      caller.socket.write(head);
      return caller.closed;
    }),
  );
  for (const [index, [, status]] of cases.entries()) {
    t.match(answers[index], new RegExp(`^HTTP/1\\.1 ${status} .*connection: close`, "s"));
    t.notMatch(answers[index], / 100 /);
  }
});

t.test("a client that waits to be asked for its body is asked where it is read", async (t) => {
  const fixture = await serveFake(t);
  const caller = await callRaw(t, fixture.port);
  const body = bodyOf(1000);
  caller.socket.write(postHead(body.length, ["expect: 100-continue"]));
  await caller.hears(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  caller.socket.write(body);
  t.match(await caller.hears(/"status":"completed"/), /HTTP\/1\.1 200 /);
});

t.test(
  "a refused request leaves its connection to the next one where its body is small or has come",
  async (t) => {
    const fixture = await serveFake(t, { tokens, maxBodyBytes: 2048 });
    const caller = await callRaw(t, fixture.port);
    const { socket } = caller;
    const good = bodyOf(100);
    const sent = [
      // Refused before the body comes.
      [postHead(1000), bodyOf(1000), 401],
      [postHead(1000, [`authorization: Bearer ${token}`]).replace("POST", "PUT"), bodyOf(1000), 405],
      // Refused for the body.
      [postHead(8, [`authorization: Bearer ${token}`]), "no JSON!", 400],
      [postHead(good.length, [`authorization: Bearer ${token}`]), good, 200],
    ] as const;
    let answers = "";
    for (const [head, body, status] of sent) {
      socket.write(head);
      if (status > 400) await caller.hears(new RegExp(` ${status} `));
      socket.write(body);
      answers = await caller.hears(new RegExp(` ${status} .*\\}$`, "s"));
    }
    t.notMatch(answers, /connection: close/i);
  },
);

t.test("who goes on sending for too long is cut, and so is who stops in the middle", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: megabyte });
  const endless = await callRaw(t, fixture.port);
  endless.socket.write(postHead(10_000 * megabyte));
  await endless.hears(/ 413 .*connection: close/s);
  const block = Buffer.alloc(4 * megabyte);
  let sentBytes = 0;
  while (endless.socket.writable) {
    sentBytes += block.length;
    if (endless.socket.write(block)) continue;
    const drained = new Promise<void>((resolve) => endless.socket.once("drain", () => resolve()));
    await Promise.race([drained, endless.closed]);
  }
  t.ok(sentBytes < 400 * megabyte, `${sentBytes} bytes were sent`);
  const silent = await callRaw(t, fixture.port);
  silent.socket.write(postHead(10 * megabyte));
  t.match(await silent.closed, / 413 .*connection: close/s);
  t.equal((await call(fixture, "/livez")).status, 200);
});

t.test("a server that stops does not wait for what it throws away", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: megabyte });
  const caller = await callRaw(t, fixture.port);
  caller.socket.write(postHead(10 * megabyte));
  await caller.hears(/ 413 /);
  const sending = setInterval(() => caller.socket.write(Buffer.alloc(100_000)), 20);
  t.teardown(() => clearInterval(sending));
  await fixture.server.close({ graceMs: 60_000 });
  t.pass("it has stopped");
});
