/** JSON answers that are long in coming, for clients that give up what is silent. */
import { connect } from "node:net";
import t, { type Test } from "tap";
import type { CodexNativeApiErrorCode } from "../../src/main/errors.js";
import { failure } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";
import { assertDocumented } from "../support/openapi-check.js";

const keepAliveCommentMs = 40;
const headers = { "x-codex-keep-alive": "whitespace" };
const requests = [
  ["/v1/responses", { input: "think" }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: "think" }] }],
] as const;

/** A model that is silent until it is woken, and then does this. Default: answers. */
async function serveSilent(
  t: Test,
  fault: CodexNativeApiErrorCode | null = null,
  options: Parameters<typeof serveFake>[1] = {},
) {
  const fixture = await serveFake(t, { keepAliveCommentMs, ...options });
  const answerHello = fixture.runtime.script;
  let wake = () => {};
  const awake = new Promise<void>((resolve) => {
    wake = resolve;
  });
  fixture.runtime.script = async (turn) => {
    await awake;
    if (fault !== null) throw failure(fault);
    return answerHello(turn);
  };
  return { fixture, wake };
}

interface RawAnswer {
  readonly head: string;
  readonly chunks: readonly string[];
  readonly body: string;
}

/** Asks, and calls back each time that more of the answer's body has come. */
async function askRaw(
  { port }: HttpFixture,
  path: string,
  body: object,
  { keepAlive = true, onBody = () => {} }: { keepAlive?: boolean; onBody?: (bytes: number) => void } = {},
): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const text = JSON.stringify(body);
  const asked = keepAlive ? "X-Codex-Keep-Alive: whitespace\r\n" : "";
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n${asked}` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  const parts: Buffer[] = [];
  for await (const data of socket) {
    parts.push(data);
    const [head = "", ...rest] = Buffer.concat(parts).toString().split("\r\n\r\n");
    if (rest.length > 0) onBody(Buffer.concat(parts).length - head.length - 4);
  }
  const [head = "", ...rest] = Buffer.concat(parts).toString().split("\r\n\r\n");
  const tail = rest.join("\r\n\r\n");
  // Of chunks each second line is what they hold, the others say how long it is.
  const chunks = /transfer-encoding: chunked/i.test(head)
    ? tail.split("\r\n").filter((_, index) => index % 2 === 1)
    : [tail];
  return { head, chunks, body: chunks.join("") };
}

/** Two chunks of one space each. */
const twoSpaces = 12;

for (const [path, body] of requests) {
  t.test(
    `${path}: spaces come while the model is silent, and then the answer, all of it one JSON`,
    async (t) => {
      const { fixture, wake } = await serveSilent(t);
      const answer = await askRaw(fixture, path, body, { onBody: (bytes) => bytes >= twoSpaces && wake() });
      t.match(answer.head, /^HTTP\/1\.1 200 OK\r\n/);
      t.match(answer.head, /content-type: application\/json; charset=utf-8/i);
      t.match(answer.head, /x-request-id: /i);
      t.strictSame(answer.chunks.slice(0, 2), [" ", " "]);
      t.match(JSON.stringify(JSON.parse(answer.body)), /Hello, wörld/);
    },
  );

  t.test(`${path}: what fails after the first space is told in the body, with status 200`, async (t) => {
    const { fixture, wake } = await serveSilent(t, "upstream_connection_failed");
    const answer = await askRaw(fixture, path, body, { onBody: wake });
    t.match(answer.head, /^HTTP\/1\.1 200 OK\r\n/);
    const error = { code: "upstream_connection_failed" };
    const failed = path === "/v1/responses" ? { object: "response", status: "failed", error } : { error };
    t.match(JSON.parse(answer.body), failed);
    assertDocumented({
      method: "POST",
      path,
      requestBody: body,
      status: 200,
      contentType: "application/json",
      text: answer.body,
    });
    const line = await fixture.logged("http.request");
    t.match(line, { status: 200, outcome: "failed", error_code: "upstream_connection_failed" });
  });

  t.test(`${path}: what comes or fails before the first space has its own status and no space`, async (t) => {
    for (const [fault, status] of [
      [null, 200],
      ["server_overloaded", 503],
    ] as const) {
      const { fixture, wake } = await serveSilent(t, fault, { keepAliveCommentMs: 60_000 });
      wake();
      const answer = await call(fixture, path, { body, headers });
      t.equal(answer.status, status);
      t.match(answer.text, /^\{/);
    }
  });

  t.test(`${path}: without the header there is no space, unless the service says always`, async (t) => {
    for (const jsonKeepAlive of ["on-request", "always"] as const) {
      const { fixture, wake } = await serveSilent(t, null, { jsonKeepAlive });
      const asked = askRaw(fixture, path, body, { onBody: (bytes) => bytes >= twoSpaces && wake() });
      const answer = await askRaw(fixture, path, body, { keepAlive: false });
      await asked;
      t.match(answer.body, jsonKeepAlive === "always" ? /^ +\{/ : /^\{/);
    }
  });

  t.test(`${path}: another value of the header is refused`, async (t) => {
    const { fixture } = await serveSilent(t);
    const answer = await call(fixture, path, { body, headers: { "x-codex-keep-alive": "newline" } });
    t.equal(answer.status, 400);
    t.match(answer.json(), { error: { code: "invalid_request", message: /x-codex-keep-alive/ } });
    t.equal(fixture.runtime.turns.length, 0);
  });

  t.test(`${path}: a client that leaves between two spaces ends its turn`, async (t) => {
    const { fixture } = await serveSilent(t);
    let noteAborted = () => {};
    const wasAborted = new Promise<void>((resolve) => {
      noteAborted = resolve;
    });
    fixture.runtime.script = async (turn) => {
      await turn.aborted();
      noteAborted();
      throw failure("turn_cancelled");
    };
    const controller = new AbortController();
    const answer = await fetch(fixture.url + path, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    t.equal(answer.status, 200, "the head came with the first space");
    controller.abort();
    await wasAborted;
    t.match(await fixture.logged("http.request"), { outcome: "client_left" });
  });
}

t.test("a server that stops says so in the body", async (t) => {
  const { fixture } = await serveSilent(t);
  let stopped: Promise<void> | null = null;
  const answer = await askRaw(fixture, "/v1/responses", requests[0][1], {
    onBody: () => {
      stopped ??= fixture.server.close({ graceMs: 0 });
    },
  });
  t.match(JSON.parse(answer.body), { status: "failed", error: { code: "native_runtime_unavailable" } });
  await stopped;
});
