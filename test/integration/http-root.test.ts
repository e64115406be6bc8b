import { createHash } from "node:crypto";
import { fastify } from "fastify";
import t from "tap";
import { PageCodes } from "../../src/main/http/page-codes.js";
import { addPageRoutes } from "../../src/main/http/routes/page.js";
import { addRootRoute } from "../../src/main/http/routes/root.js";
import { call, serveFake } from "../support/http-fixture.js";

const token = "s3cret-s3cret-s3cret";

const browser = {
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "sec-fetch-site": "none",
};

t.test("a browser gets a page", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/", { headers: browser });
  t.match(answer, {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      vary: "accept",
    },
    text: /^<!doctype html>/i,
  });
});

t.test("without a built page it gets one that says so, runs nothing and loads nothing", async (t) => {
  const app = fastify();
  t.teardown(() => app.close());
  const pageCodes = new PageCodes(() => 0);
  addRootRoute(app, { version: "0" }, addPageRoutes(app, { pageCodes, readPage: async () => null }));
  const { body: text, headers } = await app.inject({ url: "/", headers: { ...browser, host: 'a<b>&"c' } });
  t.match(text, /has no page/);
  t.match(text, "http://a&lt;b&gt;&amp;&quot;c/v1");
  t.notMatch(text, /<(?!style)(script|img|iframe|form|link|object|embed)|\son\w+=|javascript:/i);
  t.strictSame(
    [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target]) => target),
    ["/openapi.json", "/readyz"],
  );
  const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? "";
  const digest = createHash("sha256").update(style).digest("base64");
  t.equal(
    headers["content-security-policy"],
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  t.match(headers, { "x-frame-options": "DENY", "referrer-policy": "no-referrer" });
});

t.test("a program gets JSON", async (t) => {
  const fixture = await serveFake(t);
  for (const accept of [
    "",
    "*/*",
    "application/json",
    "application/json, text/html;q=0.5",
    "text/html;q=0",
  ]) {
    const answer = await call(fixture, "/", { headers: accept === "" ? {} : { accept } });
    t.match(answer, { status: 200, headers: { "content-type": /^application\/json/ } }, accept);
    t.match(answer.json(), { name: "codex-native-api", base_path: "/v1", openapi: "/openapi.json" });
  }
});

t.test("neither needs the token, or tells anything of this machine", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const headers of [browser, {}]) {
    const { status, text } = await call(fixture, "/", { headers });
    t.equal(status, 200);
    for (const secret of [token, "acct_", process.cwd(), String(process.pid)]) t.notOk(text.includes(secret));
  }
});

t.test("the rules for Host and Origin hold here too", async (t) => {
  const fixture = await serveFake(t);
  const refused = [
    [{ host: "evil.example" }, "host_not_allowed"],
    [{ origin: "https://evil.example" }, "origin_not_allowed"],
    [{ "sec-fetch-site": "cross-site" }, "origin_not_allowed"],
  ] as const;
  for (const [headers, code] of refused) {
    const answer = await call(fixture, "/", { headers: { ...browser, ...headers } });
    t.match(answer, { status: 403 }, code);
    t.match(answer.json(), { error: { code } });
  }
});

t.test("HEAD has the head alone, and other methods are refused", async (t) => {
  const fixture = await serveFake(t);
  const head = await call(fixture, "/", { method: "HEAD", headers: browser });
  t.match(head, { status: 200, text: "", headers: { "content-type": "text/html; charset=utf-8" } });
  t.match(head.headers["content-security-policy"], /default-src 'none'/);
  const post = await call(fixture, "/", { method: "POST", body: {} });
  t.match(post, { status: 405, headers: { allow: "GET, HEAD" } });
});
