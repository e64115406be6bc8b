/** What the model backend does wrong, and how it reaches the official client: as an HTTP error, and in a stream. */
import OpenAI from "openai";
import t, { type Test } from "tap";
import { checkFault, type ExpectedFault, faultOf } from "../support/api-faults.js";
import {
  contextLengthExceeded,
  cutConnection,
  httpError,
  lastUserText,
  overloaded,
  type Reply,
  rateLimited,
  reply,
  responseFailed,
  stall,
  text,
  usageLimitReached,
  usedUpFor,
} from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { checkInterrupted } from "../support/upstream-forms.js";

const hello = { input: "hello" } as const;
const { BadRequestError, InternalServerError, RateLimitError } = OpenAI;

/** By the words of the request that gets the reply. */
const upstreamFaults: Readonly<
  Record<string, ExpectedFault & { readonly reply: Reply; readonly afterOutput?: true }>
> = {
  "too many requests": {
    reply: rateLimited(2),
    status: 429,
    code: "rate_limit_exceeded",
    type: RateLimitError,
    retry: true,
  },
  overloaded: {
    reply: overloaded(),
    status: 503,
    code: "server_overloaded",
    type: InternalServerError,
    retry: true,
  },
  "context too long": {
    reply: contextLengthExceeded(),
    status: 400,
    code: "context_length_exceeded",
    type: BadRequestError,
  },
  "bad request": {
    reply: httpError(400, { message: "Invalid schema.", param: "text.format.schema" }),
    status: 400,
    code: "upstream_bad_request",
    param: "text.format.schema",
    type: BadRequestError,
  },
  "against the policy": {
    reply: httpError(400, {
      code: "content_policy_violation",
      message: "It may violate our usage policies.",
    }),
    status: 400,
    code: "content_policy_violation",
    type: BadRequestError,
  },
  "server error": {
    reply: httpError(500),
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "cut off": {
    reply: cutConnection(),
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "failed midway": {
    reply: reply(text("half"), responseFailed({ code: "server_error", message: "It broke." })),
    afterOutput: true,
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "login refused": {
    reply: httpError(401),
    status: 503,
    code: "native_login_required",
    type: InternalServerError,
  },
};

async function startFaultyBackend(t: Test): Promise<ServiceHarness> {
  // Each refusal is to be seen.
  const env = { CODEX_NATIVE_API_UPSTREAM_LIMIT: "none" };
  const harness = await startServiceHarness(t, { login: "provider", env });
  for (const [words, fault] of Object.entries(upstreamFaults)) {
    harness.backend.whenReply((request) => lastUserText(request) === words, fault.reply);
  }
  return harness;
}

t.test("each failure of the backend has its code", async (t) => {
  const { client } = await startFaultyBackend(t);
  for (const [input, expected] of Object.entries(upstreamFaults)) {
    t.comment(input);
    checkFault(t, await faultOf(client.responses.create({ input })), expected);
  }
});

async function readFailure(client: OpenAI, input: string): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create({ input, stream: true })) events.push(event);
  return events;
}

t.test(
  "a stream that fails before any output has the status, the code and the headers of a whole answer",
  async (t) => {
    const { client } = await startFaultyBackend(t);
    for (const [input, { afterOutput, ...expected }] of Object.entries(upstreamFaults)) {
      if (afterOutput === true) continue;
      t.comment(input);
      checkFault(t, await faultOf(client.responses.create({ input, stream: true })), expected);
      const messages = [{ role: "user" as const, content: input }];
      const chat = client.chat.completions.create({ model: "gpt-5.5", messages, stream: true });
      checkFault(t, await faultOf(chat), expected);
    }
  },
);

t.test("after the first output the same codes come as one response.failed, the last event", async (t) => {
  const { client, backend } = await startFaultyBackend(t);
  for (const [input, { code, reply: fault }] of Object.entries(upstreamFaults)) {
    if (fault.kind !== "stream") continue;
    const words = `${input}, later`;
    backend.whenReply((request) => lastUserText(request) === words, reply(text("half"), fault));
    const events = await readFailure(client, words);
    t.equal(events[0]?.type, "response.created", input);
    t.match(
      events.filter((event) =>
        /^(error|response\.(completed|incomplete|failed|cancelled))$/.test(event.type),
      ),
      [{ type: "response.failed", response: { status: "failed", error: { code, message: /\S/ } } }],
      input,
    );
    t.equal(events.at(-1)?.type, "response.failed", input);
  }
});

t.test("the official client retries what helps, and only that", async (t) => {
  const { client, backend } = await startFaultyBackend(t);
  const retrying = client.withOptions({ maxRetries: 2 });
  await client.responses.create({ input: "hello" });
  const requestsFor = (words: string) =>
    backend.requests.filter((request) => lastUserText(request) === words).length;
  await Promise.all(
    Object.entries(upstreamFaults).map(async ([input, { retry, code }]) => {
      await faultOf(retrying.responses.create({ input }));
      t.equal(requestsFor(input), retry === true ? 3 : 1, `${input}: ${code}`);
    }),
  );
});

t.test("a plan that is used up says when its window opens again", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    provider: { requestMaxRetries: 0, streamMaxRetries: 0, supportsWebSockets: false },
  });
  backend.setRateLimits({ primary: usedUpFor(3_600) });
  backend.setDefaultReply(usageLimitReached({ resetsInSeconds: 3_600 }));
  const fault = await faultOf(client.responses.create(hello, { maxRetries: 2 }));
  t.equal(backend.requests.length, 1, "no retry by the client or by Codex");
  t.ok(fault instanceof RateLimitError);
  if (!(fault instanceof RateLimitError)) return;
  t.match(fault, { status: 429, code: "usage_limit_reached", type: "rate_limit_error" });
  t.equal(fault.headers.get("x-should-retry"), "false");
  const seconds = Number(fault.headers.get("retry-after"));
  t.ok(seconds > 3_500 && seconds <= 3_601, `Retry-After: ${seconds}`);
});

t.test("a turn of which nothing is heard is stalled, before and after its first words", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    login: "provider",
    // Codex's own patience with the backend is longer.
    provider: { streamIdleTimeoutMs: 60_000 },
    env: { CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: "3000" },
  });
  backend.setDefaultReply(reply(text({ deltas: ["half", " more"] }), stall({ afterDeltas: 1 })));
  checkFault(t, await faultOf(client.responses.create(hello)), {
    status: 504,
    code: "turn_stalled",
    type: InternalServerError,
    retry: true,
  });
  const events = await readFailure(client, "hello");
  t.match(events.at(-1), {
    type: "response.failed",
    response: { status: "failed", error: { code: "turn_stalled" } },
  });
  for (const request of backend.requests) await checkInterrupted(t, request);
});

t.test("a turn over its ceiling ends, however lively it is", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_TURN_TIMEOUT_MS: "4000" },
  });
  const endless = text({ deltas: Array.from({ length: 1_000 }, () => "on "), delayMs: 20 });
  backend.setDefaultReply(endless);
  checkFault(t, await faultOf(client.responses.create(hello)), {
    status: 504,
    code: "turn_timeout",
    type: InternalServerError,
  });
  const events = await readFailure(client, "hello");
  t.match(events.at(-1), { type: "response.failed", response: { error: { code: "turn_timeout" } } });
  t.same(await Promise.all(backend.requests.map((request) => request.closed)), [
    "client-closed",
    "client-closed",
  ]);
});
