import t from "tap";
import { call, serveFake } from "../support/http-fixture.js";

t.test("a route that does not exist is 404", async (t) => {
  const fixture = await serveFake(t);
  for (const path of ["/", "/v1", "/v1/nowhere", "/v1/responses/", "/v2/responses", "//v1/models"]) {
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

t.test("a method that a route does not have is 405, whatever the body", async (t) => {
  const fixture = await serveFake(t);
  const cases = [
    ["/v1/responses", "GET", "POST"],
    ["/v1/responses", "PUT", "POST"],
    ["/v1/responses", "OPTIONS", "POST"],
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
