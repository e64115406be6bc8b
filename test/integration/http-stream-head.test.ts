/** The head of a stream waits for the model's first output, in both dialects by one rule. */
import t, { type Test } from "tap";
import { request } from "undici";
import type { TurnEvent } from "../../src/main/runtime/types.js";
import { type FakeTurn, failure } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";
import { pollUntil } from "../support/service-harness.js";
import { parseSse } from "../support/sse-events.js";

interface Dialect {
  readonly path: string;
  readonly body: object;
  /** Types of the events of a stream, errors included. */
  readonly read: (text: string) => readonly string[];
}

const responses: Dialect = {
  path: "/v1/responses",
  body: { input: "hi", stream: true },
  read: (text) => parseSse(text).events.map(({ event }) => event ?? ""),
};

const chat: Dialect = {
  path: "/v1/chat/completions",
  body: { messages: [{ role: "user", content: "hi" }], stream: true },
  read: (text) =>
    [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) =>
      data.includes('"error"') ? "error" : "chunk",
    ),
};

function eachDialect(name: string, run: (t: Test, dialect: Dialect) => Promise<void>): void {
  for (const dialect of [responses, chat]) t.test(`${dialect.path}: ${name}`, (t) => run(t, dialect));
}

/** Settles with the head; the body comes later. */
function open({ url, agent }: HttpFixture, { path, body }: Dialect, signal?: AbortSignal) {
  return request(url + path, {
    dispatcher: agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
}

/** Something that a test lets happen. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

eachDialect("a turn that fails before any output is answered with its error's status", async (t, dialect) => {
  const fixture = await serveFake(t);
  const faults = [
    { code: "rate_limit_exceeded", status: 429, retry: true },
    { code: "usage_limit_reached", status: 429, retry: false },
    { code: "server_overloaded", status: 503, retry: true },
    { code: "native_login_required", status: 503, retry: false },
    { code: "upstream_connection_failed", status: 502, retry: true },
    { code: "model_not_found", status: 404, retry: false },
    { code: "upstream_forbidden", status: 403, retry: false },
    { code: "upstream_bad_request", status: 400, retry: false },
    { code: "turn_stalled", status: 504, retry: true },
    { code: "internal_error", status: 500, retry: false },
  ] as const;
  for (const { code, status, retry } of faults) {
    fixture.runtime.script = async (turn) => {
      turn.start();
      await turn.emit({ type: "model_call.completed", usage: null });
      throw failure(code, retry ? 7_000 : undefined);
    };
    const answer = await call(fixture, dialect.path, { body: dialect.body });
    t.equal(answer.status, status, code);
    t.match(answer.headers["content-type"], /json/);
    t.equal(answer.headers["retry-after"], retry ? "7" : undefined);
    t.equal(answer.headers["x-should-retry"], retry ? undefined : "false");
    t.match(answer.json(), { error: { code, message: `failed with ${code}` } });
  }
});

t.test("what was held comes first and in order, with its numbers", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, responses.path, { body: responses.body });
  const { events } = parseSse(answer.text);
  t.strictSame(
    events.slice(0, 3).map(({ event }) => event),
    ["response.created", "response.in_progress", "response.output_item.added"],
  );
  t.strictSame(
    events.map(({ data }) => data.sequence_number),
    events.map((_, index) => index),
  );
});

const firstOutputs: Readonly<Record<string, TurnEvent>> = {
  "reasoning that begins": { type: "item.started", itemId: "rs_1", itemType: "reasoning" },
  "a message that begins": { type: "item.started", itemId: "msg_1", itemType: "message" },
  "a web search that begins": { type: "item.started", itemId: "ws_1", itemType: "web_search_call" },
  "a word": { type: "text.delta", itemId: "msg_1", delta: "Hel" },
};

for (const [what, event] of Object.entries(firstOutputs)) {
  eachDialect(
    `${what} is output: the head goes out, and what fails later is told in the stream`,
    async (t, dialect) => {
      const fixture = await serveFake(t, { streamHeadHoldMs: 60_000 });
      const seen = gate();
      fixture.runtime.script = async (turn) => {
        turn.start();
        await turn.emit(event);
        await seen.opened;
        throw failure("server_overloaded");
      };
      const answer = await open(fixture, dialect);
      t.equal(answer.statusCode, 200);
      seen.open();
      t.match(dialect.read(await answer.body.text()).at(-1), /error|response\.failed/);
    },
  );
}

eachDialect(
  "a model that is silent for longer than the hold gets its head, and the error comes as an event",
  async (t, dialect) => {
    const fixture = await serveFake(t, { streamHeadHoldMs: 5 });
    const seen = gate();
    fixture.runtime.script = async (turn) => {
      turn.start();
      await seen.opened;
      throw failure("server_overloaded");
    };
    const answer = await open(fixture, dialect);
    t.equal(answer.statusCode, 200);
    seen.open();
    const types = dialect.read(await answer.body.text());
    t.strictSame(
      types,
      dialect === chat ? ["error"] : ["response.created", "response.in_progress", "response.failed"],
    );
    t.match(await fixture.logged("http.request"), { status: 200, error_code: "server_overloaded" });
  },
);

eachDialect(
  "a head that is out before Codex took the turn on is followed by a whole stream all the same",
  async (t, dialect) => {
    const fixture = await serveFake(t, { streamHeadHoldMs: 5 });
    for (const fails of [true, false]) {
      const seen = gate();
      fixture.runtime.script = async (turn) => {
        turn.admit();
        await seen.opened;
        if (fails) throw failure("native_runtime_unavailable");
        turn.start();
        await turn.emitText("msg_1", ["hi"]);
        return turn.result();
      };
      const answer = await open(fixture, dialect);
      t.equal(answer.statusCode, 200);
      seen.open();
      const text = await answer.body.text();
      const types = dialect.read(text);
      if (dialect === responses) {
        t.equal(types[0], "response.created");
        t.equal(types[1], "response.in_progress");
        t.equal(types.at(-1), fails ? "response.failed" : "response.completed");
      } else {
        t.equal(types[0], fails ? "error" : "chunk");
        t.equal(text.includes("[DONE]"), !fails);
      }
    }
  },
);

eachDialect("time in the queue is held whole, and ends with the queue's own status", async (t, dialect) => {
  const fixture = await serveFake(t, { streamHeadHoldMs: 5 });
  const waited = gate();
  const play = async (turn: FakeTurn) => {
    if (fixture.runtime.turns[0] !== turn) {
      turn.start();
      await turn.aborted();
      return turn.result("cancelled");
    }
    await waited.opened;
    throw failure("queue_timeout");
  };
  fixture.runtime.script = play;
  const queued = open(fixture, dialect);
  await pollUntil(() => fixture.runtime.turns.length === 1);
  // Another stream's hold is over: this one's would be too, if the queue counted.
  const leave = new AbortController();
  const other = await open(fixture, dialect, leave.signal);
  t.equal(other.statusCode, 200);
  other.body.on("error", () => {});
  leave.abort();
  waited.open();
  const answer = await queued;
  t.equal(answer.statusCode, 503);
  t.match(await answer.body.json(), { error: { code: "queue_timeout" } });
});

eachDialect("a client that leaves while the head is held cancels its turn", async (t, dialect) => {
  const fixture = await serveFake(t);
  const running = gate();
  fixture.runtime.script = async (turn) => {
    turn.start();
    running.open();
    await turn.aborted();
    return turn.result("cancelled");
  };
  const leave = new AbortController();
  const refused = t.rejects(open(fixture, dialect, leave.signal), { name: "AbortError" });
  await running.opened;
  leave.abort();
  await refused;
  await fixture.runtime.turns[0]?.aborted();
  t.match(await fixture.logged("http.request"), { outcome: "client_left", status: null });
});

eachDialect("a server that stops answers a held stream with 503", async (t, dialect) => {
  const fixture = await serveFake(t);
  const running = gate();
  fixture.runtime.script = async (turn) => {
    turn.start();
    running.open();
    return await new Promise(() => {});
  };
  const answer = open(fixture, dialect);
  await running.opened;
  const closed = fixture.server.close({ graceMs: 1 });
  const { statusCode, headers, body } = await answer;
  t.equal(statusCode, 503);
  t.ok(Number(headers["retry-after"]) >= 1);
  t.match(await body.json(), { error: { code: "native_runtime_unavailable" } });
  await closed;
});

eachDialect("without a hold the head goes out as soon as the turn has left the queue", async (t, dialect) => {
  const fixture = await serveFake(t, { streamHeadHoldMs: 0 });
  const seen = gate();
  fixture.runtime.script = async (turn) => {
    turn.admit();
    await seen.opened;
    throw failure("server_overloaded");
  };
  const answer = await open(fixture, dialect);
  t.equal(answer.statusCode, 200);
  seen.open();
  t.match(dialect.read(await answer.body.text()).at(-1), /error|response\.failed/);
});

t.test("the stream of a background response is not held", async (t) => {
  const fixture = await serveFake(t, { streamHeadHoldMs: 60_000 });
  const seen = gate();
  fixture.runtime.script = async (turn) => {
    await seen.opened;
    turn.start();
    throw failure("server_overloaded");
  };
  const answer = await open(fixture, { ...responses, body: { ...responses.body, background: true } });
  t.equal(answer.statusCode, 200);
  seen.open();
  t.strictSame(responses.read(await answer.body.text()), [
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.failed",
  ]);
});
