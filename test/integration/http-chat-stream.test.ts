import { once } from "node:events";
import t from "tap";
import { request } from "undici";
import { chunksOf, deltasOf, joinDeltas, parseChatStream } from "../support/chat-driver.js";
import { answerHello, answerUntilAborted, failure, helloDeltas } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";

const path = "/v1/chat/completions";
const body = { messages: [{ role: "user", content: "hi" }], stream: true };

function open({ url, agent }: HttpFixture, signal?: AbortSignal) {
  return request(url + path, {
    dispatcher: agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
}

t.test("a stream has OpenAI's chunks in OpenAI's order, then [DONE]", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, path, { body: { ...body, stream_options: { include_usage: true } } });
  t.equal(answer.status, 200);
  t.match(answer.headers, { "content-type": "text/event-stream; charset=utf-8", "x-request-id": /^req_/ });
  const { parts, done } = parseChatStream(answer.text);
  t.ok(done);
  t.strictSame(deltasOf(parts), [
    { role: "assistant", content: "" },
    ...helloDeltas.map((content) => ({ content })),
    {},
  ]);
  t.match(chunksOf(parts).at(-1), { choices: [], usage: { total_tokens: 18 } });
  t.match(await fixture.logged("http.request"), {
    outcome: "completed",
    first_event_ms: Number,
    response_id: /^chatcmpl-/,
  });
});

t.test("until the model begins, a fault is an HTTP error that clients can retry", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    throw failure("usage_limit_reached", 60_000);
  };
  const answer = await call(fixture, path, { body });
  t.equal(answer.status, 429);
  t.match(answer.headers, { "retry-after": "60", "content-type": /json/ });
  t.match(answer.json(), { error: { code: "usage_limit_reached" } });
});

t.test("from then on it is an error chunk, and the stream ends without [DONE]", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    throw failure("turn_stalled");
  };
  const answer = await call(fixture, path, { body });
  t.equal(answer.status, 200);
  const { parts, done } = parseChatStream(answer.text);
  t.notOk(done);
  t.equal(joinDeltas(parts, "content"), "Hel");
  t.strictSame(parts.at(-1), {
    error: {
      message: "failed with turn_stalled",
      type: "server_error",
      param: null,
      code: "turn_stalled",
    },
  });
  t.match(await fixture.logged("http.request"), {
    status: 200,
    outcome: "failed",
    error_code: "turn_stalled",
  });
});

t.test("an unforeseen fault in a stream shows nothing of itself", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    throw new Error("ENOENT /home/user/.codex");
  };
  const answer = await call(fixture, path, { body });
  t.notMatch(answer.text, /ENOENT|home/);
  t.match(parseChatStream(answer.text).parts.at(-1), { error: { code: "internal_error" } });
  t.match(await fixture.logged("http.fault"), { err: { message: /ENOENT/ } });
});

t.test("what the model takes back after it was told ends the stream with an error", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hal" });
    await turn.emit({ type: "item.discarded", itemId: "msg_1" });
    return turn.result();
  };
  const { parts, done } = parseChatStream((await call(fixture, path, { body })).text);
  t.notOk(done);
  t.match(parts.at(-1), { error: { code: "upstream_connection_failed" } });
});

t.test("a client that leaves a stream cancels its turn", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = answerUntilAborted;
  const controller = new AbortController();
  const answer = await open(fixture, controller.signal);
  await once(answer.body, "data");
  const aborted = fixture.runtime.turns[0]?.aborted();
  answer.body.on("error", () => {});
  controller.abort();
  await aborted;
  t.match(await fixture.logged("http.request"), {
    outcome: "client_left",
    status: null,
    response_id: /^chatcmpl-/,
  });
});

t.test("a reader that does not read holds its turn back, and only its own", async (t) => {
  const fixture = await serveFake(t);
  const chunk = "x".repeat(64 * 1024);
  const total = 400;
  let taken = 0;
  fixture.runtime.script = async (turn) => {
    if (turn.request.caller?.startsWith("unchecked:") === true) return await answerHello(turn);
    turn.start();
    for (; taken < total; taken += 1) {
      await turn.emit({ type: "text.delta", itemId: "msg_1", delta: chunk });
    }
    return turn.result();
  };
  const answer = await open(fixture);
  // The turn stands still once the server answers others and takes nothing more of it.
  for (let before = -1; before !== taken; ) {
    before = taken;
    const other = await call(fixture, path, { body, headers: { authorization: "Bearer other" } });
    t.ok(parseChatStream(other.text).done);
  }
  t.ok(taken < total, `held after ${taken} deltas`);
  const { parts, done } = parseChatStream(await answer.body.text());
  t.ok(done);
  t.equal(joinDeltas(parts, "content").length, total * chunk.length);
});

t.test("a stream whose model is silent is opened all the same, and kept alive by comments", async (t) => {
  const fixture = await serveFake(t, { keepAliveCommentMs: 5, streamHeadHoldMs: 5 });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fixture.runtime.script = async (turn) => {
    turn.start();
    await released;
    await turn.emitText("msg_1", ["hi"]);
    return turn.result();
  };
  const answer = await open(fixture);
  let text = "";
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (text.includes(": keep-alive")) release();
  }
  const { parts, comments, done } = parseChatStream(text);
  t.ok(done);
  t.ok(comments.length > 0);
  t.strictSame(deltasOf(parts), [{ role: "assistant", content: "" }, { content: "hi" }, {}]);
});

t.test("a turn that is run again elsewhere is one completion", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    turn.start();
    await turn.emitText("msg_1", ["hi"]);
    return turn.result();
  };
  const { parts } = parseChatStream((await call(fixture, path, { body })).text);
  t.equal(deltasOf(parts).filter(({ role }) => role !== undefined).length, 1);
});

t.test(
  "a stream that outlasts the grace of a stop gets an error chunk, also if its turn never ends",
  async (t) => {
    const fixture = await serveFake(t);
    fixture.runtime.script = async (turn) => {
      turn.start();
      await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
      return await new Promise(() => {});
    };
    const answer = await open(fixture);
    const read = answer.body.text();
    await fixture.server.close({ graceMs: 1 });
    const { parts, done } = parseChatStream(await read);
    t.notOk(done);
    t.match(parts.at(-1), { error: { code: "native_runtime_unavailable" } });
    t.equal(fixture.runtime.turns[0]?.handlers.signal?.aborted, true);
  },
);

t.test("many streams run at once, each whole", async (t) => {
  const fixture = await serveFake(t);
  const deltas = Array.from({ length: 50 }, (_, index) => `${index} `);
  let started = 0;
  let allStarted: () => void = () => {};
  const everyone = new Promise<void>((resolve) => {
    allStarted = resolve;
  });
  fixture.runtime.script = async (turn) => {
    turn.start();
    started += 1;
    if (started === 64) allStarted();
    await everyone;
    await turn.emitText("msg_1", deltas);
    return turn.result();
  };
  const answers = await Promise.all(Array.from({ length: 64 }, () => call(fixture, path, { body })));
  for (const answer of answers) {
    const { parts, done } = parseChatStream(answer.text);
    if (!done || joinDeltas(parts, "content") !== deltas.join("")) t.fail("a stream is not whole");
  }
  t.equal(new Set(answers.map(({ text }) => /chatcmpl-[0-9a-f]{32}/.exec(text)?.[0])).size, 64);
});
