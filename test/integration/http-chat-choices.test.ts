/** `n` of chat completions: several turns, whose answers are sent as one. */
import t from "tap";
import { request } from "undici";
import { z } from "zod";
import { parseChatStream } from "../support/chat-driver.js";
import {
  answerHello,
  answerUntilAborted,
  type FakeScript,
  type FakeTurn,
  failure,
  fakeStarted,
  fakeUsage,
  readyHealth,
} from "../support/fake-runtime.js";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";

const path = "/v1/chat/completions";
const messages = [{ role: "user", content: "hi" }];

/** Each turn by the script of its place. */
function play({ runtime }: HttpFixture, ...scripts: readonly FakeScript[]): void {
  let next = 0;
  runtime.script = (turn) => {
    next += 1;
    return (scripts[next - 1] ?? answerHello)(turn);
  };
}

const say =
  (text: string, isTime: Promise<void> = Promise.resolve()): FakeScript =>
  async (turn) => {
    await isTime;
    const started = { ...fakeStarted, turnId: `turn_${text}` };
    turn.start(started);
    await turn.emitText(`msg_${text}`, [...text]);
    return { ...turn.result(), ...started };
  };

function choicesOf(answer: unknown): readonly { readonly index: number; readonly content: string }[] {
  return answered.parse(answer).choices.map(({ index, message }) => ({ index, ...message }));
}

const answered = z.object({
  choices: z.array(z.object({ index: z.number(), message: z.object({ content: z.string() }) })),
});

/** A promise, and what fulfils it. */
function signal(): { readonly promise: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const promise = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}

t.test(
  "the choices are in the order of their indexes, whichever ended first, and usage is their sum",
  async (t) => {
    const fixture = await serveFake(t);
    const last = signal();
    play(fixture, say("one", last.promise), say("two"), async (turn) => {
      const result = await say("three")(turn);
      last.give();
      return result;
    });
    const answer = await call(fixture, path, { body: { messages, n: 3, metadata: { a: "b" }, seed: 1 } });
    t.equal(answer.status, 200);
    const choices = choicesOf(answer.json());
    t.strictSame(
      choices.map(({ index }) => index),
      [0, 1, 2],
    );
    // Which of them begins first is nobody's to rely on.
    t.strictSame(choices.map(({ content }) => content).sort(), ["one", "three", "two"]);
    t.match(answer.json(), {
      id: /^chatcmpl-/,
      object: "chat.completion",
      choices: [{ finish_reason: "stop" }, { finish_reason: "stop" }, { finish_reason: "stop" }],
      usage: {
        prompt_tokens: 3 * fakeUsage.inputTokens,
        completion_tokens: 3 * fakeUsage.outputTokens,
        total_tokens: 3 * fakeUsage.totalTokens,
        prompt_tokens_details: { cached_tokens: 3 * fakeUsage.cachedInputTokens },
      },
      metadata: { a: "b" },
      native_api: {
        response_mapping: { native_turn_id: `turn_${choices[0]?.content}` },
        ignored_parameters: ["seed"],
      },
    });
    t.equal(fixture.runtime.turns.length, 3);
    t.strictSame(fixture.runtime.turns[2]?.request.items, fixture.runtime.turns[0]?.request.items);
    const line = await fixture.logged("http.request");
    t.match(line, { choices: 3, outcome: "completed", response_id: /^chatcmpl-/ });
    t.equal(fixture.lines.filter(({ event }) => event === "http.request").length, 1);
  },
);

t.test("a stream has the chunks of all under one head, one chunk with the usage, and one end", async (t) => {
  const fixture = await serveFake(t);
  const second = signal();
  play(
    fixture,
    async (turn) => {
      const result = await say("ab")(turn);
      second.give();
      return result;
    },
    say("xy", second.promise),
  );
  const body = { messages, n: 2, stream: true, stream_options: { include_usage: true } };
  const { parts, done } = parseChatStream((await call(fixture, path, { body })).text);
  t.ok(done);
  const chunks = parts.flatMap((part) => ("choices" in part ? [part] : []));
  t.equal(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size, 1);
  const textsOf = (index: number) =>
    chunks
      .flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
      .map(({ delta, finish_reason: reason }) => reason ?? delta.content);
  // Which of them begins first is nobody's to rely on.
  const [first, other] = textsOf(0).includes("a") ? ["ab", "xy"] : ["xy", "ab"];
  t.strictSame(
    [textsOf(0), textsOf(1)],
    [
      ["", ...first, "stop"],
      ["", ...other, "stop"],
    ],
  );
  t.match(chunks.at(-1), { choices: [], usage: { prompt_tokens: 2 * fakeUsage.inputTokens } });
  t.strictSame(
    chunks.slice(0, -1).map(({ usage }) => usage),
    Array.from({ length: 8 }, () => null),
  );
  const turnIds = chunks.map(
    ({ choices: [choice], native_runtime: native }) => native && [choice?.index, native.turn_id],
  );
  t.strictSame(
    turnIds.filter((pair) => pair !== undefined).sort(),
    [
      [0, `turn_${first}`],
      [0, `turn_${first}`],
      [1, `turn_${other}`],
      [1, `turn_${other}`],
    ],
    "each choice names its own turn",
  );
});

t.test(
  "usage that Codex did not report of one choice is left out of the sum; of none, there is none",
  async (t) => {
    const fixture = await serveFake(t);
    const silent: FakeScript = async (turn) => ({ ...(await say("a")(turn)), usage: null });
    play(fixture, silent, say("b"), silent, silent);
    const some = await call(fixture, path, { body: { messages, n: 2 } });
    t.match(some.json(), { usage: { prompt_tokens: fakeUsage.inputTokens } });
    const none = await call(fixture, path, { body: { messages, n: 2 } });
    t.notOk("usage" in Object(none.json()));
  },
);

t.test("1, null and nothing ask for one choice", async (t) => {
  const fixture = await serveFake(t);
  for (const body of [{}, { n: null }, { n: 1 }]) {
    const answer = await call(fixture, path, { body: { messages, ...body } });
    t.match(answer.json(), { choices: [{ index: 0 }], usage: { prompt_tokens: fakeUsage.inputTokens } });
  }
  t.equal(fixture.runtime.turns.length, 3);
});

t.test("what is no number of choices is refused by its name, before any turn", async (t) => {
  const fixture = await serveFake(t);
  for (const n of [0, 9, -1, 1.5, "2", [2], {}, true, 1e300]) {
    const answer = await call(fixture, path, { body: { messages, n } });
    t.equal(answer.status, 400, JSON.stringify(n));
    t.match(answer.json(), { error: { code: "invalid_request", param: "n" } });
  }
  t.equal(fixture.runtime.turns.length, 0);
});

/** Fails as soon as another turn is under way. */
const failAfter =
  (isTime: Promise<void>): FakeScript =>
  async (turn) => {
    await isTime;
    turn.start();
    throw failure("rate_limit_exceeded", 7000);
  };

t.test("one that fails cancels the others, and the request has its error once they are over", async (t) => {
  const fixture = await serveFake(t);
  const begun = signal();
  const over: FakeTurn[] = [];
  const untilAborted: FakeScript = async (turn) => {
    begun.give();
    const result = await answerUntilAborted(turn);
    over.push(turn);
    return result;
  };
  play(fixture, untilAborted, failAfter(begun.promise), untilAborted);
  const answer = await call(fixture, path, { body: { messages, n: 3 } });
  t.equal(answer.status, 429);
  t.match(answer.headers, { "retry-after": "7" });
  t.match(answer.json(), { error: { code: "rate_limit_exceeded" } });
  t.equal(over.length, 2);
  t.match(await fixture.logged("http.request"), { error_code: "rate_limit_exceeded", outcome: "failed" });
});

t.test(
  "after the first chunk the error is the last event, and nothing of the others follows it",
  async (t) => {
    const fixture = await serveFake(t);
    const begun = signal();
    play(
      fixture,
      async (turn) => {
        turn.start();
        await turn.emitText("msg_1", ["begun"]);
        begun.give();
        await turn.aborted();
        await turn.emitText("msg_2", ["late"]);
        return turn.result();
      },
      failAfter(begun.promise),
    );
    const answer = await call(fixture, path, { body: { messages, n: 2, stream: true } });
    t.equal(answer.status, 200);
    const { parts, done } = parseChatStream(answer.text);
    t.notOk(done);
    t.match(parts.at(-1), { error: { code: "rate_limit_exceeded" } });
    t.equal(parts.filter((part) => "error" in part).length, 1);
    t.notMatch(answer.text, /late/);
  },
);

t.test("before the first chunk a stream's error is a status", async (t) => {
  const fixture = await serveFake(t);
  play(fixture, answerWhenAborted, failAfter(Promise.resolve()));
  const answer = await call(fixture, path, { body: { messages, n: 2, stream: true } });
  t.equal(answer.status, 429);
});

async function answerWhenAborted(turn: FakeTurn) {
  await turn.aborted();
  return turn.result("cancelled");
}

t.test(
  "the head of a stream waits while any choice is admitted, and not for those in the queue",
  async (t) => {
    const fixture = await serveFake(t, { streamHeadHoldMs: 1 });
    const opened = signal();
    play(
      fixture,
      async (turn) => {
        turn.admit();
        await opened.promise;
        return say("a")(turn);
      },
      async (turn) => {
        turn.admit();
        // It is back in the queue, and the other is not.
        turn.handlers.onAdmission?.(false);
        await opened.promise;
        return say("b")(turn);
      },
    );
    const answer = await request(fixture.url + path, {
      dispatcher: fixture.agent,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages, n: 2, stream: true }),
    });
    t.equal(answer.statusCode, 200);
    opened.give();
    t.ok(parseChatStream(await answer.body.text()).done);
  },
);

t.test("a client that leaves cancels all turns", async (t) => {
  const fixture = await serveFake(t);
  const controller = new AbortController();
  const running = signal();
  let begun = 0;
  fixture.runtime.script = (turn) => {
    begun += 1;
    if (begun === 8) running.give();
    return answerUntilAborted(turn);
  };
  const answer = request(fixture.url + path, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages, n: 8 }),
    signal: controller.signal,
  });
  const refused = t.rejects(answer, { name: "AbortError" });
  await running.promise;
  controller.abort();
  await Promise.all(fixture.runtime.turns.map((turn) => turn.aborted()));
  await refused;
  t.match(await fixture.logged("http.request"), { outcome: "client_left", choices: 8 });
});

t.test("a service that stops ends the answer and all of its turns", async (t) => {
  const fixture = await serveFake(t);
  const running = signal();
  play(fixture, answerWhenAborted, async (turn) => {
    turn.start();
    running.give();
    return await new Promise(() => {});
  });
  const answer = call(fixture, path, { body: { messages, n: 2 } });
  await running.promise;
  await fixture.server.close({ graceMs: 1 });
  t.equal((await answer).status, 503);
  t.match((await answer).json(), { error: { code: "native_runtime_unavailable" } });
  t.ok(fixture.runtime.turns.every(({ handlers }) => handlers.signal?.aborted === true));
});

t.test("each choice counts against the limit of a token", async (t) => {
  const tokens = [namedToken("small", "secret-of-the-small-one", { maxConcurrentTurns: 3 })];
  const fixture = await serveFake(t, { authToken: "s3cret", tokens });
  const headers = { authorization: "Bearer secret-of-the-small-one" };
  const ask = (n: number) => call(fixture, path, { body: { messages, n }, headers });
  const tooMany = await ask(4);
  t.equal(tooMany.status, 400);
  t.match(tooMany.json(), { error: { code: "invalid_request", param: "n", message: /4 turns.*have 3/ } });
  const [running, end] = [signal(), signal()];
  play(fixture, say("a", end.promise), async (turn) => {
    running.give();
    return await say("b", end.promise)(turn);
  });
  const first = ask(2);
  await running.promise;
  const second = await ask(2);
  t.equal(second.status, 429);
  t.match(second.json(), { error: { code: "token_concurrency_exceeded" } });
  t.equal((await ask(1)).status, 200, "one more fits");
  end.give();
  t.equal((await first).status, 200);
  t.equal((await ask(3)).status, 200, "their places are free again");
});

t.test("more choices than can ever run and wait are refused by name", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.currentHealth = { ...readyHealth, queue: { depth: 0, running: 0, capacity: 4 } };
  const answer = await call(fixture, path, { body: { messages, n: 5 } });
  t.equal(answer.status, 400);
  t.match(answer.json(), { error: { code: "invalid_request", param: "n", message: /no more than 4/ } });
  t.equal(fixture.runtime.turns.length, 0);
  t.equal((await call(fixture, path, { body: { messages, n: 4 } })).status, 200);
});

t.test("turns that wait for outputs are abandoned, since one of them is continued at most", async (t) => {
  const fixture = await serveFake(t);
  const tools = [{ type: "function", function: { name: "time" } }];
  const callTime: FakeScript = async (turn) => {
    const callId = `call_${fixture.runtime.turns.length}`;
    const turnId = `turn_${callId}`;
    turn.start({ ...fakeStarted, turnId });
    const item = {
      type: "function_call",
      id: `fc_${callId}`,
      call_id: callId,
      name: "time",
      arguments: "{}",
    };
    await turn.emit({ type: "item.completed", item });
    fixture.runtime.parked.set(turnId, [callId]);
    return { ...turn.result(), turnId, outcome: { status: "parked", callIds: [callId] } };
  };
  play(fixture, callTime, callTime);
  const answer = await call(fixture, path, { body: { messages, tools, n: 2 } });
  t.match(answer.json(), {
    choices: [
      { index: 0, finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "time" } }] } },
      { index: 1, finish_reason: "tool_calls" },
    ],
  });
  t.equal(fixture.runtime.parked.size, 0);
  t.equal(new Set(fixture.runtime.abandoned).size, 2);
});

t.test("parameters that one of the choices did not honour are listed", async (t) => {
  const fixture = await serveFake(t);
  play(fixture, say("{}"), say("prose"), say("prose"));
  const body = { messages, n: 3, response_format: { type: "json_object" } };
  const answer = await call(fixture, path, { body });
  t.match(answer.json(), { native_api: { ignored_parameters: ["response_format"] } });
  const { native_api: native } = Object(answer.json());
  t.equal(native.ignored_parameters.length, 1, "each once");
});

t.test("a timeout of the caller's is that of all turns", async (t) => {
  const fixture = await serveFake(t);
  const headers = { "x-request-timeout-ms": "5000" };
  await call(fixture, path, { body: { messages, n: 2 }, headers });
  const deadlines = fixture.runtime.turns.map(({ request: { deadlineAtMs } }) => deadlineAtMs);
  t.equal(new Set(deadlines).size, 1);
  t.type(deadlines[0], "number");
});

t.test("files that the turns of a chat bridge could read are told of all", async (t) => {
  const fixture = await serveFake(t);
  const metadata = { codexbridge: { taskClass: "intent" } };
  const answer = await call(fixture, path, { body: { messages, n: 2, metadata } });
  t.match(answer.json(), {
    choices: [{ message: { content: "Hello, wörld 🌍" } }, { index: 1 }],
    native_api: { file_access: { readable: false, reason: "no_readable_roots", read: [] } },
  });
  t.match(await fixture.logged("http.request"), { files_readable: false, files_read: 0 });
});
