/** Heads that are no HTTP, or could be understood in two ways: refused with a typed answer, and never acted on. */
import { EventEmitter, once } from "node:events";
import t from "tap";
import { answerHello } from "../support/fake-runtime.js";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";
import { callRaw, postHead } from "../support/raw-caller.js";

const body = '{"input":"hi"}';
const json = "content-type: application/json\r\n";
const own = `content-length: ${body.length}\r\n`;
const chunked = `e\r\n${body}\r\n0\r\n\r\n`;

function get(line: string, headers = "host: localhost\r\n"): string {
  return `${line} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`;
}

function post(headers: string, sent = body, version = "1.1"): string {
  return `POST /v1/responses HTTP/${version}\r\nhost: localhost\r\nconnection: close\r\n${json}${headers}\r\n${sent}`;
}

async function send(t: Parameters<typeof callRaw>[0], { port }: HttpFixture, request: string) {
  const caller = await callRaw(t, port);
  caller.socket.write(Buffer.from(request, "latin1"));
  return caller.closed;
}

type Row = readonly [request: string, status: number, code: string];

const refused: Readonly<Record<string, Row>> = {
  "two hosts": [get("GET /v1/models", "host: localhost\r\nhost: evil.example\r\n"), 400, "invalid_request"],
  "two equal hosts": [
    get("GET /v1/models", "Host: localhost\r\nhOST: localhost\r\n"),
    400,
    "invalid_request",
  ],
  "no host": [get("GET /v1/models", ""), 400, "invalid_request"],
  "a list of hosts": [get("GET /v1/models", "host: localhost, evil\r\n"), 403, "host_not_allowed"],
  "two tokens": [
    get("GET /v1/models", "host: localhost\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n"),
    400,
    "invalid_request",
  ],
  "two origins": [
    get("GET /v1/models", "host: localhost\r\norigin: null\r\norigin: https://app.example\r\n"),
    400,
    "invalid_request",
  ],
  "two types": [post(`content-type: text/plain\r\n${own}`), 400, "invalid_request"],
  "a target of another server": [get("GET http://evil.example/v1/models"), 400, "invalid_request"],
  "a target of another port": [
    get("GET http://localhost:1/v1/models", "host: localhost:2\r\n"),
    400,
    "invalid_request",
  ],
  "a target with a user": [get("GET http://me@localhost/v1/models"), 400, "invalid_request"],
  "another host than the target's": [
    get("GET http://localhost/v1/models", "host: evil.example\r\n"),
    400,
    "invalid_request",
  ],
  "a target of another scheme": [get("GET https://localhost/v1/models"), 400, "invalid_request"],
  "a target without a scheme": [get("GET localhost/v1/models"), 400, "invalid_request"],
  "a target that cannot be decoded": [get("GET /v1/models/%zz"), 400, "invalid_request"],
  "a query that cannot be decoded": [get("GET /v1/models?after=%ff"), 400, "invalid_request"],
  "a long target": [get(`GET /${"a".repeat(20_000)}`), 431, "request_headers_too_large"],
  "many headers": [
    get("GET /v1/models", `host: localhost\r\n${"a: b\r\n".repeat(20_000)}`),
    431,
    "request_headers_too_large",
  ],
  "a coding before chunks": [
    post("transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    501,
    "not_implemented",
  ],
  "codings in two lines": [
    post("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    501,
    "not_implemented",
  ],
  "a coding where no body is needed": [
    `${get("GET /v1/models", "host: localhost\r\ntransfer-encoding: gzip, chunked\r\n")}0\r\n\r\n`,
    501,
    "not_implemented",
  ],
  "a coding without chunks": [post("transfer-encoding: gzip\r\n"), 400, "invalid_request"],
  "a coding behind chunks": [post("transfer-encoding: chunked, gzip\r\n", chunked), 400, "invalid_request"],
  "chunks twice": [post("transfer-encoding: chunked, chunked\r\n", chunked), 400, "invalid_request"],
  "the coding identity": [post(`transfer-encoding: identity\r\n${own}`), 400, "invalid_request"],
  "a coding like chunked": [post("transfer-encoding: xchunked\r\n", chunked), 400, "invalid_request"],
  "chunks of HTTP/1.0": [post("transfer-encoding: chunked\r\n", chunked, "1.0"), 400, "invalid_request"],
  "a length and chunks": [post(`${own}transfer-encoding: chunked\r\n`, chunked), 400, "invalid_request"],
  "chunks and a length": [post(`transfer-encoding: chunked\r\n${own}`, chunked), 400, "invalid_request"],
  "two lengths": [post(`${own}content-length: 15\r\n`), 400, "invalid_request"],
  "two equal lengths": [post(own + own), 400, "invalid_request"],
  "a list of lengths": [post("content-length: 14, 14\r\n"), 400, "invalid_request"],
  "a negative length": [post("content-length: -1\r\n"), 400, "invalid_request"],
  "a length with a sign": [post("content-length: +14\r\n"), 400, "invalid_request"],
  "an endless length": [post(`content-length: ${"9".repeat(30)}\r\n`), 400, "invalid_request"],
  "a folded header": [get("GET /v1/models", "host: localhost\r\nx-a: b\r\n c\r\n"), 400, "invalid_request"],
  "a folded coding": [post("transfer-encoding:\r\n chunked\r\n", chunked), 400, "invalid_request"],
  "a space before a colon": [get("GET /v1/models", "host : localhost\r\n"), 400, "invalid_request"],
  "a zero byte": [get("GET /v1/models", "host: localhost\r\nx: a\0b\r\n"), 400, "invalid_request"],
  "a chunk without a size": [post("transfer-encoding: chunked\r\n", `zz\r\n${body}`), 400, "invalid_request"],
  "a large chunk extension": [
    post("transfer-encoding: chunked\r\n", `e;a=${"b".repeat(20_000)}\r\n${body}`),
    413,
    "body_too_large",
  ],
  "half a request": ["GET /v1/models HTTP/1.1\r\nhost: localhost\r\n", 400, "invalid_request"],
  "line feeds alone": ["GET /v1/models HTTP/1.1\nhost: localhost\n\n", 400, "invalid_request"],
  "HTTP/0.9": ["GET /v1/models\r\n\r\n", 400, "invalid_request"],
  "HTTP/2.0": ["GET /v1/models HTTP/2.0\r\nhost: localhost\r\n\r\n", 400, "invalid_request"],
  "HTTP/2's first words": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_request"],
  "the first bytes of TLS": [
    `\x16\x03\x01\0\xc8\x01\0\0\xc4\x03\x03${"x".repeat(99)}`,
    400,
    "invalid_request",
  ],
  "a method of another protocol": [get("PROPFIND /v1/models"), 501, "not_implemented"],
  "a method without use": [get("TRACE /v1/models"), 501, "not_implemented"],
  "a newer method": [get("QUERY /v1/models"), 501, "not_implemented"],
  "a tunnel": [get("CONNECT localhost:22"), 501, "not_implemented"],
  "a method that is none": [get("FETCH /v1/models"), 400, "invalid_request"],
};

t.test("a head that is no HTTP or has two meanings is refused with a typed answer", async (t) => {
  const fixture = await serveFake(t);
  for (const [name, [request, status, code]] of Object.entries(refused)) {
    const caller = await callRaw(t, fixture.port);
    caller.socket.write(Buffer.from(request, "latin1"));
    if (name === "half a request") caller.socket.end();
    const answer = await caller.closed;
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}"`, "s"), name);
    t.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, `${name}: one answer`);
    t.match(answer, /x-request-id: req_.*cache-control: no-store/is, name);
    const [, length = "", shown = ""] = /content-length: (\d+).*?\r\n\r\n(.*)$/is.exec(answer) ?? [];
    t.equal(Number(length), shown.length, `${name}: as long as it says`);
  }
  t.equal(fixture.runtime.turns.length, 0, "nothing was acted on");
});

t.test("what looks odd and means one thing is taken", async (t) => {
  const fixture = await serveFake(t, { tokens: [namedToken("ada", "adas-own-token-01")] });
  const auth = "authorization: Bearer adas-own-token-01\r\n";
  const taken = {
    "a target that names this server": get("GET http://localhost/v1/models", `host: localhost\r\n${auth}`),
    "chunks in capitals": post(`${auth}Transfer-Encoding: CHUNKED\r\n`, chunked),
    "chunks with extensions and trailers": post(
      `${auth}transfer-encoding: chunked\r\n`,
      `e;a=b\r\n${body}\r\n0\r\nx-a: b\r\n\r\n`,
    ),
    "more headers than node keeps": get(
      "GET /v1/models",
      `${"a: b\r\n".repeat(2_100)}host: localhost\r\n${auth}`,
    ),
    "an expectation that is none": post(`${auth}${own}expect: the-impossible\r\n`),
    "an upgrade": get("GET /v1/models", `host: localhost\r\n${auth}upgrade: websocket\r\n`),
    "an upgrade with a body": post(`${auth}${own}upgrade: h2c\r\n`),
    "empty lines before it": `\r\n\r\n${get("GET /livez")}`,
    "HTTP/1.0": `GET /livez HTTP/1.0\r\nhost: localhost\r\n\r\n`,
  };
  for (const [name, request] of Object.entries(taken)) {
    const answer = await send(t, fixture, request);
    t.match(answer, /^HTTP\/1\.1 200 /, name);
  }
});

t.test("who goes on sending behind a fault gets its answer all the same", async (t) => {
  const fixture = await serveFake(t);
  const noise = Buffer.alloc(8 * 1024 * 1024, "x");
  for (const head of [
    "NOISE / HTTP/1.1\r\n\r\n",
    post("transfer-encoding: chunked\r\n", "zz\r\n"),
    get("GET /", `x: ${"y".repeat(20_000)}`),
  ]) {
    const caller = await callRaw(t, fixture.port);
    caller.socket.pause();
    caller.socket.write(head);
    await new Promise<void>((resolve) => caller.socket.write(noise, () => resolve()));
    caller.socket.resume();
    t.match(await caller.closed, /^HTTP\/1\.1 4\d\d .*"code":"[a-z_]+"/s);
  }
});

for (const stream of [false, true]) {
  t.test(`a fault behind a request waits for its ${stream ? "stream" : "answer"}`, async (t) => {
    const fixture = await serveFake(t);
    const gate = new EventEmitter();
    const [started, released] = [once(gate, "started"), once(gate, "released")];
    fixture.runtime.script = async (turn) => {
      turn.start();
      gate.emit("started");
      await released;
      return answerHello(turn);
    };
    const caller = await callRaw(t, fixture.port);
    const input = JSON.stringify({ input: "hi", stream });
    caller.socket.write(`${postHead(input.length)}${input}NOISE\r\n\r\nMORE NOISE\r\n\r\n`);
    await started;
    caller.socket.write("STILL MORE\r\n\r\n");
    // Another request comes and goes meanwhile, so the noise was met.
    t.equal((await call(fixture, "/livez")).status, 200);
    t.notMatch(caller.heard(), / 400 /);
    gate.emit("released");
    const answer = await caller.closed;
    t.strictSame(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 400"]);
    t.match(answer, stream ? /response\.completed.* 400 /s : /"status":"completed".* 400 /s);
  });
}

t.test("a head that comes slowly is 408, and so is one that never comes", async (t) => {
  const fixture = await serveFake(t, { limits: { headersTimeoutMs: 300, requestTimeoutMs: 300 } });
  const answers = await Promise.all(
    ["", "POST /v1/res", "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nx-a: "].map(async (opening) => {
      const caller = await callRaw(t, fixture.port);
      caller.socket.write(opening);
      const dripping = setInterval(() => caller.socket.write(opening === "" ? "" : "a"), 20);
      t.teardown(() => clearInterval(dripping));
      return caller.closed;
    }),
  );
  for (const answer of answers) t.match(answer, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
});

t.test("HEAD and OPTIONS are answered without a body that is not theirs", async (t) => {
  const fixture = await serveFake(t);
  const rows = [
    ["HEAD /v1/models", 200, true],
    ["HEAD /livez", 200, true],
    ["HEAD /v1/responses", 426, true],
    ["HEAD /v1/chat/completions", 405, true],
    ["HEAD /nowhere", 404, true],
    ["OPTIONS /v1/models", 405, false],
    ["OPTIONS /nowhere", 404, false],
    ["OPTIONS *", 404, false],
  ] as const;
  for (const [line, status, isBare] of rows) {
    const answer = await send(t, fixture, get(line));
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), line);
    t.equal(answer.endsWith("\r\n\r\n"), isBare, line);
  }
});
