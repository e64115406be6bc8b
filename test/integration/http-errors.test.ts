import t from "tap";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { call, serveFake } from "../support/http-fixture.js";

t.test("a route that does not exist is 404", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/v1", "/v1/nowhere", "/v1/responses/", "/v2/responses", "//v1/models"]) {
    const answer = await call(fixture, path);
    t.equal(answer.status, 404, path);
    t.match(
      answer.json(),
      { error: { code: "route_not_found", type: "not_found_error", param: null } },
      path,
    );
    t.match(answer.headers, { "x-request-id": /^req_/, "x-should-retry": "false" }, path);
  }
});

t.test("a part of OpenAI's API that is not served says why, and where to go instead", async (t) => {
  const fixture = await serveFake(t);
  const words = {
    "/v1/assistants": "POST /v1/responses",
    "/v1/audio/speech": "OpenAI's API",
    "/v1/audio/transcriptions": "OpenAI's API",
    "/v1/batches": "background",
    "/v1/chat/completions/chatcmpl-1": "POST /v1/responses",
    "/v1/completions": "POST /v1/chat/completions",
    "/v1/containers": "'tools'",
    "/v1/conversations": "'previous_response_id'",
    "/v1/embeddings": "OpenAI's API",
    "/v1/evals": "OpenAI's API",
    "/v1/files": "'file_data'",
    "/v1/fine_tuning/jobs": "GET /v1/models",
    "/v1/images/generations": "OpenAI's API",
    "/v1/moderations": "OpenAI's API",
    "/v1/realtime/sessions": "stream: true",
    "/v1/threads/runs": "POST /v1/responses",
    "/v1/uploads": "'file_data'",
    "/v1/vector_stores": "function",
    "/v1/videos": "OpenAI's API",
    // Wherever the base URL ends.
    "/embeddings": "OpenAI's API",
  };
  for (const [path, there] of Object.entries(words)) {
    const answer = await call(fixture, path, { method: "POST", body: {} });
    t.match(answer, { status: 404, headers: { "x-should-retry": "false" } }, path);
    const error = { code: "route_not_found", type: "not_found_error", message: /^[A-Z].*\.$/ };
    t.match(answer.json(), { error }, path);
    t.ok(answer.text.includes(there), `${path}: ${answer.text}`);
  }
});

t.test("a wrong base URL is told what is wrong with it", async (t) => {
  const fixture = await serveFake(t);
  const missing = "The base URL has to end with /v1: this is";
  const twice = "The base URL has /v1 twice: this is";
  const slash = "The path has a slash too many: this is";
  const messages = {
    "/responses": `${missing} /v1/responses.`,
    "/responses?stream=true": `${missing} /v1/responses.`,
    "/chat/completions": `${missing} /v1/chat/completions.`,
    "/models": `${missing} /v1/models.`,
    "/models/gpt-fake": `${missing} /v1/models.`,
    "/v1/v1/responses": `${twice} /v1/responses.`,
    "/v1/v1/v1/chat/completions": `${twice} /v1/chat/completions.`,
    "/v1//responses": `${slash} /v1/responses.`,
    "//v1/chat/completions": `${slash} /v1/chat/completions.`,
    "/v1/models/": `${slash} /v1/models.`,
    "/v1/chat": "There is no such route. GET / says what is served.",
    [`/v1${"/x".repeat(4000)}`]: "There is no such route. GET / says what is served.",
  };
  for (const [path, message] of Object.entries(messages)) {
    t.match((await call(fixture, path)).json(), { error: { code: "route_not_found", message } }, path);
  }
});

t.test("a model whose name has a plain slash is told how to write it", async (t) => {
  const fixture = await serveFake(t);
  const message = /^In the name of a model a slash is written %2F/;
  for (const path of ["/v1/models/openai/gpt-5.5", "/v1/models/a/b/c?x=%2F"]) {
    t.match((await call(fixture, path)).json(), { error: { code: "route_not_found", message } }, path);
  }
  t.notMatch((await call(fixture, "/v1/models/openai%2Fgpt-5.5")).json(), { error: { message } });
});

t.test("a method that a route does not have is 405, whatever the body", async (t) => {
  const fixture = await serveFake(t);
  const cases = [
    ["/v1/chat/completions", "GET", "POST"],
    ["/v1/responses", "PUT", "GET, HEAD, POST"],
    ["/v1/responses", "OPTIONS", "GET, HEAD, POST"],
    ["/v1/responses/compact", "GET", "POST"],
    ["/v1/models", "POST", "GET, HEAD"],
    ["/v1/models/gpt-fake", "DELETE", "GET, HEAD"],
    ["/v1/health", "POST", "GET, HEAD"],
    ["/livez", "POST", "GET, HEAD"],
  ] as const;
  for (const [path, method, allow] of cases) {
    const answer = await call(fixture, path, {
      method,
      ...(method === "POST" && { body: "not json", headers: { "content-type": "text/plain" } }),
    });
    t.equal(answer.status, 405, `${method} ${path}`);
    t.equal(answer.headers.allow, allow, `${method} ${path}`);
    t.match(answer.json(), { error: { code: "method_not_allowed" } });
  }
});

t.test("HEAD is answered where GET is, without a body", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/v1/models", "/v1/models/gpt-fake", "/v1/health", "/livez", "/readyz"]) {
    const answer = await call(fixture, path, { method: "HEAD" });
    t.equal(answer.status, 200, path);
    t.equal(answer.text, "", path);
  }
});

t.test("a field of a wrong kind is answered with what it takes, in both dialects", async (t) => {
  const fixture = await serveFake(t);
  const messages = [{ role: "user", content: "hi" }];
  for (const [path, body, message] of [
    ["/v1/responses", { input: 7 }, "'input': must be a string or an array."],
    [
      "/v1/responses",
      { input: "hi", priority: "high" },
      "'priority': must be 'interactive' or 'background'.",
    ],
    ["/v1/chat/completions", { messages: 7 }, "'messages': must be an array."],
    [
      "/v1/chat/completions",
      { messages: [{ role: "user", content: 7 }] },
      "'messages[0].content': must be a string or an array.",
    ],
    ["/v1/chat/completions", { messages, n: 1.5 }, "'n': must be an integer."],
    ["/v1/chat/completions", { messages, n: 0 }, "'n': must be at least 1."],
    [
      "/v1/chat/completions",
      { messages, stop: ["a", "b", "c", "d", "e"] },
      "'stop': holds more than 4 elements.",
    ],
    [
      "/v1/chat/completions",
      { messages, metadata: { codexbridge: 7 } },
      "'metadata.codexbridge': must be an object or a string.",
    ],
  ] as const) {
    const answer = await call(fixture, path, { body });
    t.match(answer.json(), { error: { code: "invalid_request", message } }, message);
  }
});

t.test("what an error quotes is never cut within a character", async (t) => {
  const fixture = await serveFake(t);
  const name = `a${"\u{1f600}".repeat(40)}`;
  const body = { input: "hi", tool_choice: { type: "function", name } };
  const { error } = (await call(fixture, "/v1/responses", { body })).json() as {
    readonly error: { readonly message: string };
  };
  t.match(error, { param: "tool_choice.name", message: /a\u{1f600}+/u });
  t.ok(error.message.isWellFormed());
  t.ok(new CodexNativeApiError("invalid_request", "", { param: "\ud83d" }).param?.isWellFormed());
});

t.test("only JSON is taken", async (t) => {
  const fixture = await serveFake(t);
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
  ]) {
    const answer = await call(fixture, "/v1/responses", {
      body: '{"input":"hi"}',
      headers: { "content-type": type },
    });
    t.equal(answer.status, 415, type);
    t.match(answer.json(), { error: { code: "unsupported_media_type" } }, type);
  }
  const encoded = await call(fixture, "/v1/responses", {
    body: '{"input":"hi"}',
    headers: { "content-encoding": "gzip" },
  });
  t.equal(encoded.status, 415);
  const untyped = await call(fixture, "/v1/responses", { body: "{}", headers: { "content-type": "" } });
  t.equal(untyped.status, 415);
  const withCharset = await call(fixture, "/v1/responses", {
    body: '{"input":"hi"}',
    headers: { "content-type": "application/json; charset=utf-8" },
  });
  t.equal(withCharset.status, 200);
  t.equal(fixture.runtime.turns.length, 1);
});

t.test("a body that is not JSON is told so", async (t) => {
  const fixture = await serveFake(t);
  for (const body of ["", "{", "nonsense", '{"input": "hi",}', '{"input":["hi",]}']) {
    const answer = await call(fixture, "/v1/responses", { body });
    t.equal(answer.status, 400, body);
    t.match(answer.json(), { error: { code: "invalid_json", type: "invalid_request_error" } }, body);
  }
});

t.test("no body at all is a request without input", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/responses", { method: "POST" });
  t.equal(answer.status, 400);
  t.match(answer.json(), { error: { code: "invalid_request" } });
});

t.test("a body that breaks the schema names the field", async (t) => {
  const fixture = await serveFake(t);
  const body = {
    input: [
      { role: "user", content: "a" },
      { role: "user", content: [{ type: "input_text", text: 3 }] },
    ],
  };
  const answer = await call(fixture, "/v1/responses", { body });
  t.equal(answer.status, 400);
  t.match(answer.json(), { error: { code: "invalid_request", param: "input[1].content[0].text" } });
});

t.test("a body beyond the bound is 413, one at the bound is taken", async (t) => {
  const fixture = await serveFake(t, { maxBodyBytes: 4096 });
  const bodyOf = (bytes: number) => JSON.stringify({ input: "x".repeat(bytes - '{"input":""}'.length) });
  t.equal((await call(fixture, "/v1/responses", { body: bodyOf(4096) })).status, 200);
  const answer = await call(fixture, "/v1/responses", { body: bodyOf(4097) });
  t.equal(answer.status, 413);
  t.match(answer.json(), { error: { code: "body_too_large" } });
});

t.test("compaction is not there yet, and says so", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/responses/compact", { body: {} });
  t.equal(answer.status, 501);
  t.match(answer.json(), { error: { code: "not_implemented" } });
});

t.test("a URL that cannot be read is refused", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/models/%ZZ");
  t.equal(answer.status, 400);
  t.match(answer.headers, { "x-request-id": /^req_/ });
  t.match(answer.json(), { error: { code: "invalid_request" } });
});

t.test("every error has an id, is not stored and has our shape only", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/nowhere", "/v1/models/absent"]) {
    const answer = await call(fixture, path);
    t.match(answer.headers, { "x-request-id": /^req_/, "cache-control": "no-store" });
    t.strictSame(Object.keys(JSON.parse(answer.text)), ["error"]);
    t.strictSame(Object.keys(JSON.parse(answer.text).error).sort(), ["code", "message", "param", "type"]);
  }
});
