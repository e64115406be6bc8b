/** Bodies that come slowly, or not to their end: others are read meanwhile, and each is given up in time. */
import { once } from "node:events";
import t, { type Test } from "tap";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";
import { bodyOf, callRaw, postHead, type RawCaller } from "../support/raw-caller.js";

// Some bodies take seconds to be given up, and longer on a busy machine.
t.setTimeout(300_000);

const megabyte = 1024 * 1024;
const tokens = [namedToken("ada", "adas-own-token-01"), namedToken("bob", "bobs-own-token-02")];
const [ada, bob] = ["Bearer adas-own-token-01", "Bearer bobs-own-token-02"];

/** Sends all of a body but its last byte. */
async function sendUnfinished(
  t: Test,
  { port }: HttpFixture,
  bytes: number,
  more: readonly string[] = [],
): Promise<RawCaller> {
  const caller = await callRaw(t, port);
  caller.socket.write(postHead(bytes, more) + bodyOf(bytes).slice(0, -1));
  return caller;
}

/** Unfinished bodies of a megabyte until there is no room for more: twenty cannot all be held. */
async function fillRoom(t: Test, fixture: HttpFixture, more: readonly string[] = []): Promise<RawCaller[]> {
  const callers = await Promise.all(
    Array.from({ length: 20 }, () => sendUnfinished(t, fixture, megabyte, more)),
  );
  await Promise.any(callers.map(({ hears }) => hears(/"code":"queue_full"/)));
  return callers;
}

t.test("one caller's unfinished bodies keep no other caller's body out", async (t) => {
  const fixture = await serveFake(t, { tokens, maxBodyBytes: megabyte });
  const callers = await fillRoom(t, fixture, [`authorization: ${ada}`]);
  const answer = await call(fixture, "/v1/responses", {
    body: bodyOf(megabyte),
    headers: { authorization: bob ?? "" },
  });
  t.equal(answer.status, 200);
  const refused = callers.map(({ heard }) => heard()).find((text) => text.includes(" 429 "));
  t.match(refused, /^HTTP\/1\.1 429 .*retry-after: 1\r.*"code":"queue_full"/s);
});

t.test("a body up to 64 KiB is read though all room is taken, also of the caller that took it", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: megabyte });
  await fillRoom(t, fixture);
  for (const bytes of [100, 64 * 1024]) {
    t.equal((await call(fixture, "/v1/responses", { body: bodyOf(bytes) })).status, 200, `${bytes} bytes`);
  }
});

t.test("a body that stands still gives its room to one that comes", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: megabyte });
  const callers = await fillRoom(t, fixture);
  const deadline = performance.now() + 20_000;
  let status = 0;
  while (status !== 200 && performance.now() < deadline) {
    ({ status } = await call(fixture, "/v1/responses", { body: bodyOf(megabyte) }));
  }
  t.equal(status, 200);
  await Promise.any(callers.map(({ hears }) => hears(/ 408 .*"code":"request_timeout"/s)));
});

t.test("bodies of turns under way keep their room until their answers end", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 128 * 1024 });
  const turns: (() => void)[] = [];
  fixture.runtime.script = async (turn) => {
    turn.start();
    await new Promise<void>((resolve) => turns.push(resolve));
    return turn.result();
  };
  const body = bodyOf(128 * 1024);
  const held: Promise<unknown>[] = [];
  let refused: Awaited<ReturnType<typeof call>> | null = null;
  while (refused === null && held.length < 64) {
    const known = turns.length;
    const answer = call(fixture, "/v1/responses", { body });
    const isRefused = await Promise.race([
      answer.then(() => true),
      (async () => {
        while (turns.length === known) await new Promise((resolve) => setImmediate(resolve));
        return false;
      })(),
    ]);
    if (isRefused) refused = await answer;
    else held.push(answer);
  }
  t.match(refused?.json(), { error: { code: "queue_full" } });
  t.ok(held.length >= 16, `${held.length} of the largest bodies were held`);
  t.equal((await call(fixture, "/v1/models")).status, 200, "what has no body is answered");
  for (const end of turns.splice(0)) end();
  await Promise.all(held);
  const again = call(fixture, "/v1/responses", { body });
  while (turns.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const end of turns) end();
  t.equal((await again).status, 200);
});

const chunkedHead = postHead(0).replace("content-length: 0", "transfer-encoding: chunked");
const slow = { limits: { slowBodyGraceMs: 300 } };

t.test(
  "a body that stands still is 408 and its connection closed, however much of it has come",
  async (t) => {
    const fixture = await serveFake(t, slow);
    for (const bytes of [1000, megabyte]) {
      const caller = await sendUnfinished(t, fixture, bytes);
      const answer = await caller.closed;
      t.match(answer, /^HTTP\/1\.1 408 .*connection: close.*"code":"request_timeout"/s, `${bytes} bytes`);
      t.notMatch(answer, /x-should-retry/i, "a client may try again");
    }
  },
);

t.test("a body that comes byte by byte is 408, with a length or in chunks", async (t) => {
  const fixture = await serveFake(t, slow);
  const heads = [postHead(megabyte), chunkedHead];
  for (const [index, head] of heads.entries()) {
    const caller = await callRaw(t, fixture.port);
    caller.socket.write(head);
    const dripping = setInterval(() => caller.socket.write(index === 0 ? " " : "1\r\n \r\n"), 20);
    t.teardown(() => clearInterval(dripping));
    t.match(await caller.closed, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
  }
});

function inChunks(text: string, bytes: number): string {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += bytes) {
    const chunk = text.slice(at, at + bytes);
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  }
  return `${chunks.join("")}0\r\n\r\n`;
}

t.test("a body in chunks of some bytes is taken, a large one in chunks of one byte is not", async (t) => {
  const fixture = await serveFake(t);
  const rows = [
    [40_000, 1, / 200 .*"status":"completed"/s],
    [900_000, 8, / 200 .*"status":"completed"/s],
    [900_000, 1, / 400 .*connection: close.*in chunks of a few bytes/s],
  ] as const;
  for (const [bytes, chunk, answer] of rows) {
    const caller = await callRaw(t, fixture.port);
    caller.socket.write(chunkedHead + inChunks(bodyOf(bytes), chunk));
    t.match(await caller.hears(answer), answer, `${bytes} bytes in chunks of ${chunk}`);
  }
});

t.test("a slow body that keeps the least speed is taken", async (t) => {
  const fixture = await serveFake(t, { limits: { slowBodyGraceMs: 1_000, minBodyBytesPerSecond: 1_000 } });
  const caller = await callRaw(t, fixture.port);
  const body = bodyOf(30_000);
  caller.socket.write(postHead(body.length));
  for (let at = 0; at < body.length; at += 1_000) {
    caller.socket.write(body.slice(at, at + 1_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.match(await caller.hears(/"status":"completed"/), /^HTTP\/1\.1 200 /);
});

t.test("a least speed of 0 lets a body take as long as a request may", async (t) => {
  const limits = {
    headersTimeoutMs: 400,
    requestTimeoutMs: 800,
    slowBodyGraceMs: 1,
    minBodyBytesPerSecond: 0,
  };
  const fixture = await serveFake(t, { limits });
  const answer = await (await sendUnfinished(t, fixture, 1000)).closed;
  t.match(answer, /^HTTP\/1\.1 408 .*"The request took too long to arrive\."/s);
});

t.test("a client that leaves in the middle of its body leaves no room taken", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: megabyte });
  for (const caller of await fillRoom(t, fixture)) {
    caller.socket.destroy();
    await once(caller.socket, "close");
  }
  const answers = () => fixture.lines.filter(({ event }) => event === "http.request").length;
  while (answers() < 20) await new Promise((resolve) => setImmediate(resolve));
  t.equal((await call(fixture, "/v1/responses", { body: bodyOf(megabyte) })).status, 200);
});

t.test("a request that says it has JSON and has no body is taken where none is needed", async (t) => {
  const fixture = await serveFake(t);
  const stored = async () => {
    const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
    return /"id":"(resp_[^"]+)"/.exec(answer.text)?.[1] ?? "";
  };
  const framings = {
    "no length": "",
    "a length of 0": "content-length: 0\r\n",
    "no chunk": "transfer-encoding: chunked\r\n",
  };
  const types = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/octet-stream",
  ];
  for (const [name, framing] of Object.entries(framings)) {
    for (const type of types) {
      const id = await stored();
      const requests = [
        [`POST /v1/responses/${id}/cancel`, 400, "invalid_request"],
        [`GET /v1/responses/${id}`, 200, id],
        ["GET /v1/models", 200, "gpt-fake"],
        [`DELETE /v1/responses/${id}`, 200, '"deleted":true'],
      ] as const;
      for (const [line, status, part] of requests) {
        const caller = await callRaw(t, fixture.port);
        caller.socket.write(
          `${line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\nconnection: close\r\n${framing}\r\n${framing.includes("chunked") ? "0\r\n\r\n" : ""}`,
        );
        const answer = await caller.closed;
        const what = `${line} as ${type} with ${name}`;
        t.equal(Number(answer.slice(9, 12)), status, what);
        t.ok(answer.includes(part), what);
      }
    }
  }
});

t.test("where a body is needed an empty one is refused", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/v1/responses", "/v1/chat/completions"]) {
    for (const framing of [
      "content-length: 0\r\n\r\n",
      "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "\r\n",
    ]) {
      const caller = await callRaw(t, fixture.port);
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n`;
      caller.socket.write(`${head}content-type: application/json\r\n${framing}`);
      t.match(await caller.closed, /^HTTP\/1\.1 400 .*"code":"invalid_json"/s, `${path} ${framing}`);
    }
  }
});

t.test("a body in another charset than UTF-8 is refused, however UTF-8 is spelled", async (t) => {
  const fixture = await serveFake(t);
  const statusOf = async (parameters: string) => {
    const headers = { "content-type": `application/json${parameters}` };
    const answer = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers });
    return answer.status;
  };
  for (const parameters of [
    "",
    ";charset=utf-8",
    "; charset=UTF-8",
    '; charset="utf-8"',
    "; Charset=Utf8",
    "; v=1; charset=utf-8",
  ]) {
    t.equal(await statusOf(parameters), 200, parameters);
  }
  for (const parameters of [
    "; charset=utf-16",
    "; charset=UTF-16LE",
    "; charset=latin1",
    '; charset="iso-8859-1"',
    "; charset=utf-8; charset=utf-16",
    "; charset=utf-7",
    "; charset=utf-32",
  ]) {
    t.equal(await statusOf(parameters), 415, parameters);
  }
});
