/** What an answer gives away: of a fault nothing but its code, of the server nothing but what callers need. */
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import type { CodexNativeApiServerOptions } from "../../src/main/http/server-options.js";
import { answerHello, type FakeRuntime } from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";

const secret = "/home/user/.codex/auth.json";

/** As node and Codex word them: with a path, a stack and a cause. */
function fault(): Error {
  const error = new Error(`ENOENT: no such file or directory, open '${secret}'`, {
    cause: new Error(secret),
  });
  return Object.assign(error, { code: "ENOENT", path: secret, statusCode: 418 });
}

const failing = (): never => {
  throw fault();
};
const rejecting = async (): Promise<never> => failing();

const json = { input: "hello" };
const stream = { input: "hello", stream: true };
const chat = { messages: [{ role: "user", content: "hello" }] };

/** Where a fault can come from, and the requests that meet it. */
const faults: Readonly<
  Record<
    string,
    {
      readonly options?: Partial<CodexNativeApiServerOptions>;
      readonly prepare?: (runtime: FakeRuntime) => void;
      readonly requests: readonly (readonly [path: string, body?: object])[];
    }
  >
> = {
  "a turn that cannot begin": {
    prepare: (runtime) => {
      runtime.script = rejecting;
    },
    requests: [
      ["/v1/responses", json],
      ["/v1/responses", stream],
      ["/v1/chat/completions", chat],
      ["/v1/chat/completions", { ...chat, stream: true }],
    ],
  },
  "a turn that breaks when its answer has begun": {
    prepare: (runtime) => {
      runtime.script = async (turn) => {
        await answerHello(turn);
        return failing();
      };
    },
    requests: [
      ["/v1/responses", json],
      ["/v1/responses", stream],
      ["/v1/chat/completions", chat],
      ["/v1/chat/completions", { ...chat, stream: true }],
    ],
  },
  "a runtime without models or health": {
    prepare: (runtime) => Object.assign(runtime, { listModels: rejecting, health: failing }),
    requests: [["/v1/models"], ["/v1/models/gpt-fake"], ["/v1/health"], ["/readyz"]],
  },
  "a registry that fails": {
    options: {
      registry: Object.assign(new InMemoryCodexNativeApiContinuationRegistry(), {
        get: rejecting,
        put: rejecting,
        has: rejecting,
        stats: failing,
      }),
    },
    requests: [
      ["/v1/responses/resp_1"],
      ["/v1/responses/resp_1/input_items"],
      ["/v1/responses", { ...json, previous_response_id: "resp_1" }],
      ["/v1/health"],
    ],
  },
  "metrics that fail": {
    options: { metrics: { observeRequest: () => {}, render: rejecting } },
    requests: [["/metrics"]],
  },
};

function refuseLeak(t: Test, answer: string, name: string): void {
  t.notMatch(answer, /home|auth\.json|ENOENT/, `${name}: no path and no word of the fault`);
  t.notMatch(answer, /\bat .*[.:]\d|node:|\.[jt]s\b|node_modules/, `${name}: no stack`);
}

for (const [where, { options, prepare, requests }] of Object.entries(faults)) {
  t.test(`${where} is an error without a path or a stack`, async (t) => {
    const fixture = await serveFake(t, options);
    prepare?.(fixture.runtime);
    for (const [path, body] of requests) {
      const name = `${path} ${JSON.stringify(body ?? {})}`;
      const answer = await call(fixture, path, body === undefined ? {} : { body });
      t.match(answer.text, /"code":"internal_error"/, `${name}: ${answer.status}`);
      t.ok(answer.status === 500 || answer.headers["content-type"]?.includes("event-stream"), name);
      refuseLeak(t, answer.text + JSON.stringify(answer.headers), name);
    }
    t.ok(
      fixture.lines.some((line) => JSON.stringify(line.err ?? "").includes(secret)),
      "whoever reads the log is told",
    );
  });
}

async function sendRaw({ port }: HttpFixture, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.end(request);
    return await text(socket);
  } finally {
    socket.destroy();
  }
}

const rawRequests = {
  "an answer": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "a probe": "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "no such route": "GET /none HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "another method": "PUT /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "another host": "GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
  "a bad URL": "GET /v1/%zz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "no host": "GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n",
  "no HTTP": "HELLO\r\n\r\n",
  "headers too large": `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(40_000)}\r\n\r\n`,
  "an expectation":
    "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nexpect: magic\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  "two lengths":
    "POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  "a tunnel": "CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n",
  "an unknown method": "TRACE / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  "two hosts": "GET /livez HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\nconnection: close\r\n\r\n",
  "an upgrade":
    "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n",
};

t.test("every answer forbids guessing, keeping and reading by pages, and names no software", async (t) => {
  const fixture = await serveFake(t);
  for (const [name, request] of Object.entries(rawRequests)) {
    const answer = await sendRaw(fixture, request);
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    t.match(head, /^HTTP\/1\.1 [2345]\d\d /, name);
    t.match(
      head,
      /\r\nx-content-type-options: nosniff(\r\n|$)/i,
      `${name}: nothing is guessed from the body`,
    );
    t.match(head, /\r\ncache-control: no-store(\r\n|$)/i, `${name}: nothing is kept`);
    t.notMatch(head, /\r\naccess-control-/i, `${name}: no page may read it`);
    t.notMatch(head, /\r\n(server|x-powered-by|via|etag|set-cookie):/i, `${name}: no banner and no cookie`);
    t.match(head, /\r\ncontent-type: (application\/json|text\/plain); charset=utf-8/i, name);
    refuseLeak(t, body, name);
  }
});

t.test("nobody is tunnelled anywhere", async (t) => {
  const fixture = await serveFake(t);
  const answer = await sendRaw(fixture, "CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n");
  t.match(answer, /^HTTP\/1\.1 501 .*"code":"not_implemented"/s);
  const { status } = await call(fixture, "/livez");
  t.equal(status, 200);
});

t.test("a preflight for this machine's network is granted to allowed origins alone", async (t) => {
  const origin = "https://app.example";
  const fixture = await serveFake(t, { allowedOrigins: [origin] });
  const ask = (from: string) =>
    call(fixture, "/v1/responses", {
      method: "OPTIONS",
      headers: {
        origin: from,
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
      },
    });
  const granted = await ask(origin);
  t.equal(granted.status, 204);
  t.match(granted.headers, { "access-control-allow-private-network": "true", vary: "origin" });
  t.notOk("access-control-allow-credentials" in granted.headers, "there are no cookies to send");
  for (const other of ["https://evil.example", "null", `${origin}.evil.example`, "http://app.example"]) {
    const refused = await ask(other);
    t.equal(refused.status, 403, other);
    t.notMatch(Object.keys(refused.headers).join(" "), /access-control/, other);
  }
});
