import { once } from "node:events";
import t from "tap";
import { request } from "undici";
import {
  answerHello,
  answerUntilAborted,
  failure,
  helloDeltas,
  messageItem,
} from "../support/fake-runtime.js";
import { call, serveFake } from "../support/http-fixture.js";
import { parseSse } from "../support/sse-events.js";

const body = { input: "hi", stream: true };

t.test("a streamed response has OpenAI's events in OpenAI's order", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/responses", { body });
  t.equal(answer.status, 200);
  t.match(answer.headers, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-request-id": /^req_/,
  });
  const { events } = parseSse(answer.text);
  t.strictSame(
    events.map(({ event }) => event),
    [
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      ...helloDeltas.map(() => "response.output_text.delta"),
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ],
  );
  t.match(events.at(-1)?.data, { response: { status: "completed", usage: { total_tokens: 18 } } });
});

t.test("streamed or not, the response is the same", async (t) => {
  const fixture = await serveFake(t);
  const streamed = parseSse((await call(fixture, "/v1/responses", { body })).text).events.at(-1)?.data
    .response;
  const whole = (await call(fixture, "/v1/responses", { body: { input: "hi" } })).json();
  const withoutIds = (value: unknown) =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(/resp_[0-9a-f]{32}/g, "resp_x")
        .replaceAll(/_at":\d+/g, '_at":0'),
    );
  t.strictSame(withoutIds(streamed), withoutIds(whole));
});

t.test("until Codex takes the turn on, a fault is an HTTP error", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw failure("usage_limit_reached", 60_000);
  };
  const answer = await call(fixture, "/v1/responses", { body });
  t.equal(answer.status, 429);
  t.match(answer.headers, { "retry-after": "60", "x-should-retry": "false" });
  t.match(answer.json(), { error: { code: "usage_limit_reached" } });
});

t.test("from then on it is told in the stream, once", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    throw failure("turn_stalled");
  };
  const answer = await call(fixture, "/v1/responses", { body });
  t.equal(answer.status, 200);
  const { events, done } = parseSse(answer.text);
  t.ok(done, "a failed response is whole too");
  t.strictSame(
    events.map(({ event }) => event).filter((type) => /completed|failed|incomplete|^error/.test(type)),
    ["response.failed"],
  );
  t.match(events.at(-1), {
    event: "response.failed",
    data: {
      response: { status: "failed", error: { code: "turn_stalled", message: "failed with turn_stalled" } },
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
  const answer = await call(fixture, "/v1/responses", { body });
  t.notMatch(answer.text, /ENOENT|home/);
  t.match(parseSse(answer.text).events.at(-1)?.data, { response: { error: { code: "internal_error" } } });
  t.match(await fixture.logged("http.fault"), { err: { message: /ENOENT/ } });
});

t.test("a client that leaves a stream cancels its turn", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = answerUntilAborted;
  const controller = new AbortController();
  const answer = await request(`${fixture.url}/v1/responses`, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: controller.signal,
  });
  await once(answer.body, "data");
  const aborted = fixture.runtime.turns[0]?.aborted();
  answer.body.on("error", () => {});
  controller.abort();
  await aborted;
  t.match(await fixture.logged("http.request"), {
    outcome: "client_left",
    status: null,
    response_id: /^resp_/,
  });
});

t.test("a client that leaves before the answer cancels its turn", async (t) => {
  const fixture = await serveFake(t);
  const controller = new AbortController();
  const running = new Promise<void>((resolve) => {
    fixture.runtime.script = (turn) => {
      resolve();
      return answerUntilAborted(turn);
    };
  });
  const answer = request(`${fixture.url}/v1/responses`, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hi" }),
    signal: controller.signal,
  });
  const refused = t.rejects(answer, { name: "AbortError" });
  await running;
  controller.abort();
  await fixture.runtime.turns[0]?.aborted();
  await refused;
  t.match(await fixture.logged("http.request"), { outcome: "client_left" });
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
  const answer = await request(`${fixture.url}/v1/responses`, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  // The turn stands still once the server answers others and takes nothing more of it.
  for (let before = -1; before !== taken; ) {
    before = taken;
    const other = await call(fixture, "/v1/responses", { body, headers: { authorization: "Bearer other" } });
    t.match(other.text, /response\.completed/);
  }
  t.ok(taken < total, `held after ${taken} deltas`);
  const { events } = parseSse(await answer.body.text());
  t.equal(taken, total);
  const text = events.map(({ data }) => (typeof data.delta === "string" ? data.delta : "")).join("");
  t.equal(text.length, total * chunk.length);
  t.equal(events.at(-1)?.event, "response.completed");
});

t.test("a silent stream is kept alive by comments", async (t) => {
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
  const answer = await request(`${fixture.url}/v1/responses`, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  let text = "";
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (text.includes(": keep-alive")) release();
  }
  const { events, comments } = parseSse(text);
  t.ok(comments.length > 0);
  t.equal(events.at(-1)?.event, "response.completed");
});

t.test("no silence is longer than the time between comments, whenever the last byte came", async (t) => {
  const keepAliveCommentMs = 1_000;
  const fixture = await serveFake(t, { keepAliveCommentMs });
  const gaps: number[] = [];
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "item.started", itemId: "msg_1", itemType: "message" });
    // A little into the time of each comment.
    for (const delta of ["a", "b"]) {
      await new Promise((resolve) => setTimeout(resolve, keepAliveCommentMs / 10));
      await turn.emit({ type: "text.delta", itemId: "msg_1", delta });
    }
    await released;
    await turn.emit({ type: "item.completed", item: messageItem("msg_1", "ab") });
    return turn.result();
  };
  const answer = await request(`${fixture.url}/v1/responses`, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  let lastByteAtMs = performance.now();
  let text = "";
  for await (const chunk of answer.body) {
    text += String(chunk);
    gaps.push(performance.now() - lastByteAtMs);
    lastByteAtMs = performance.now();
    if (text.split(": keep-alive").length === 3) release();
  }
  // The way from here to there is part of it; twice the time, as it once was, is far from it.
  t.ok(Math.max(...gaps) < 1.4 * keepAliveCommentMs, `the longest was ${Math.max(...gaps)} ms`);
});

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
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => call(fixture, "/v1/responses", { body })),
  );
  for (const answer of answers) {
    const { events } = parseSse(answer.text);
    const text = events.map(({ data }) => (typeof data.delta === "string" ? data.delta : "")).join("");
    if (text !== deltas.join("")) t.fail("a stream lost text");
    if (events.filter(({ event }) => event === "response.completed").length !== 1) t.fail("not one end");
  }
  t.equal(new Set(answers.map(({ text }) => /resp_[0-9a-f]{32}/.exec(text)?.[0])).size, 64);
});

t.test("a turn that is run again elsewhere is one response", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    turn.start();
    await turn.emitText("msg_1", ["hi"]);
    return turn.result();
  };
  const { events } = parseSse((await call(fixture, "/v1/responses", { body })).text);
  t.equal(events.filter(({ event }) => event === "response.created").length, 1);
});
