/** How the page for browsers is served, and how it gets a token. */
import { fastify } from "fastify";
import t, { type Test } from "tap";
import { PageCodes, pageCodeBounds } from "../../src/main/http/page-codes.js";
import { addPageRoutes } from "../../src/main/http/routes/page.js";
import { addRootRoute } from "../../src/main/http/routes/root.js";
import { type BuiltPage, readBuiltPage } from "../../src/main/page-files.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { call, type HttpFixture, namedToken, serveFake } from "../support/http-fixture.js";

const madeUpPage: BuiltPage = {
  index: {
    contentType: "text/html; charset=utf-8",
    bytes: Buffer.from("<!doctype html><title>page</title>"),
  },
  assets: new Map([
    ["page.0A1B2C3D.js", { contentType: "text/javascript; charset=utf-8", bytes: Buffer.from("let a;") }],
  ]),
};

/** The routes alone, with a page that no build has made. */
async function servePage(t: Test, page: BuiltPage | null) {
  const app = fastify();
  const pageCodes = new PageCodes(() => 0);
  addRootRoute(app, { version: "0" }, addPageRoutes(app, { pageCodes, readPage: async () => page }));
  await app.ready();
  t.teardown(() => app.close());
  const get = (url: string) => app.inject({ url, headers: { accept: "text/html" } });
  return get;
}

t.test("the page may run its own scripts and call its service, and nothing else", async (t) => {
  const get = await servePage(t, madeUpPage);
  const answer = await get("/");
  t.equal(answer.body, "<!doctype html><title>page</title>");
  t.equal(
    answer.headers["content-security-policy"],
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  t.match(answer.headers, {
    "content-type": "text/html; charset=utf-8",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  });
});

t.test("a file of the page is kept by browsers, and loaded by no other origin's page", async (t) => {
  const get = await servePage(t, madeUpPage);
  const answer = await get("/page/page.0A1B2C3D.js");
  t.equal(answer.body, "let a;");
  t.match(answer.headers, {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
    "cross-origin-resource-policy": "same-origin",
  });
});

t.test("no name leads to another file", async (t) => {
  const fixture = await serveFake(t);
  for (const name of [
    "",
    "index.html",
    "page.js",
    "..%2findex.html",
    "%2e%2e%2f%2e%2e%2fpackage.json",
    "..%5c..%5cpackage.json",
    "%2fetc%2fpasswd",
    "page.0A1B2C3D.js%00",
    "constructor",
    "__proto__",
  ]) {
    const answer = await call(fixture, `/page/${name}`);
    t.equal(answer.status, 404, name);
    t.match(answer.json(), { error: { code: "route_not_found" } });
  }
});

t.test("the page of this build is served with all it names, and none of it is cached by name", async (t) => {
  const page = await readBuiltPage();
  const fixture = await serveFake(t, { authToken: "s3cret-s3cret-s3cret" });
  const { status, text, headers } = await call(fixture, "/", { headers: { accept: "text/html" } });
  t.equal(status, 200);
  t.match(headers, { "cache-control": "no-store", "x-content-type-options": "nosniff", vary: "accept" });
  if (page === null) return;
  const named = [...text.matchAll(/(?:href|src)="([^"#][^"]*)"/g)].flatMap(([, target]) => target ?? []);
  const files = named.filter((target) => !target.startsWith("data:"));
  t.ok(files.length > 0);
  for (const file of files) {
    t.match(
      file,
      /^\/(page\/|openapi\.json$)/,
      "it loads files of the page, and links to the document of the API",
    );
    t.equal((await call(fixture, file)).status, 200, file);
  }
  const shown = text.replace(/"data:image\/svg\+xml,[^"]*"/g, "");
  t.notMatch(shown, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:|https?:\/\//i);
});

function textOf(answer: { readonly json: () => unknown }, key: string): string {
  const body = answer.json();
  const value = isJsonObject(body) ? body[key] : null;
  if (typeof value !== "string") throw new Error(`no ${key} in ${JSON.stringify(body)}`);
  return value;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = "token-of-the-service";

async function issueCode(fixture: HttpFixture, headers: Record<string, string> = bearer(token)) {
  return textOf(await call(fixture, "/v1/page/codes", { method: "POST", headers }), "code");
}

const exchange = (fixture: HttpFixture, code: string, headers: Record<string, string> = {}) =>
  call(fixture, "/v1/page/tokens", { body: { code }, headers });

t.test("a code is exchanged for the token it was asked for with, once", async (t) => {
  const fixture = await serveFake(t, { authToken: token, tokens: [namedToken("ada", "token-of-ada-ada")] });
  const issued = await call(fixture, "/v1/page/codes", { body: {}, headers: bearer("token-of-ada-ada") });
  t.match(issued, { status: 200, headers: { "cache-control": "no-store" } });
  t.match(issued.json(), { object: "page_code", expires_in: 60 });
  const code = textOf(issued, "code");
  const answer = await exchange(fixture, code);
  t.match(answer, { status: 200, headers: { "cache-control": "no-store" } });
  t.strictSame(answer.json(), { object: "page_token", token: "token-of-ada-ada" });
  const again = await exchange(fixture, code);
  t.equal(again.status, 400);
  t.match(again.json(), { error: { code: "invalid_page_code" } });
});

t.test("without a token none asks for a code", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const headers of [{}, bearer("guess")]) {
    const answer = await call(fixture, "/v1/page/codes", { method: "POST", headers });
    t.equal(answer.status, 401);
  }
});

t.test("where no token is needed, the code says so", async (t) => {
  const fixture = await serveFake(t);
  const code = await issueCode(fixture, bearer("of-another-service"));
  t.strictSame((await exchange(fixture, code)).json(), { object: "page_token", token: null });
});

t.test("a body that is no code is refused with its field", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (const body of [{}, { code: 5 }, { code: "" }, { code: "x".repeat(129) }, { code: null }]) {
    const answer = await call(fixture, "/v1/page/tokens", { body });
    t.equal(answer.status, 400);
    t.match(answer.json(), { error: { code: "invalid_request", param: "code" } });
  }
  t.match((await call(fixture, "/v1/page/tokens", { method: "POST" })).json(), {
    error: { code: /^invalid_/ },
  });
  t.equal((await exchange(fixture, "\ud83d")).status, 400);
});

t.test("guessing codes is bounded", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  for (let count = 0; count < pageCodeBounds.maxWrongAttempts; count += 1)
    t.equal((await exchange(fixture, `guess-${count}`)).status, 400);
  const answer = await exchange(fixture, await issueCode(fixture));
  t.match(answer, { status: 429, headers: { "retry-after": /^\d+$/ } });
  t.match(answer.json(), { error: { code: "page_code_attempts_exceeded" } });
});

t.test("a reload that withdraws the token ends its codes", async (t) => {
  const settings = { allowedHosts: [], allowedOrigins: [], maxBodyBytes: 1024 };
  const tokens = [namedToken("ada", "token-of-ada-ada")];
  const fixture = await serveFake(t, { authToken: token, tokens });
  const [ada, own] = [await issueCode(fixture, bearer("token-of-ada-ada")), await issueCode(fixture)];
  fixture.server.reconfigure({ ...settings, authToken: token });
  t.equal((await exchange(fixture, ada)).status, 400);
  t.equal((await exchange(fixture, own)).status, 200);
});

t.test("the service's own page may call, and no other of this machine", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  const code = await issueCode(fixture);
  for (const origin of [
    `http://127.0.0.1:${fixture.port + 1}`,
    "http://127.0.0.1",
    `https://127.0.0.1:${fixture.port}`,
    `http://localhost:${fixture.port}`,
    "null",
  ]) {
    const refused = await exchange(fixture, code, { origin });
    t.equal(refused.status, 403, origin);
    t.match(refused.json(), { error: { code: "origin_not_allowed" } });
  }
  const own = { origin: fixture.url, "sec-fetch-site": "same-origin" };
  t.equal((await exchange(fixture, code, own)).status, 200);
});

t.test("neither codes nor tokens are in the log", async (t) => {
  const fixture = await serveFake(t, { authToken: token });
  const code = await issueCode(fixture);
  await exchange(fixture, code);
  await exchange(fixture, code);
  const log = JSON.stringify(fixture.lines);
  t.match(log, /\/v1\/page\/tokens/);
  for (const secret of [code, token]) t.notOk(log.includes(secret));
});
