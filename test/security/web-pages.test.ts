/** Pages in a real browser that try to use the service on this machine. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Page } from "playwright-core";
import t, { type Test } from "tap";
import { needsBrowser, startBrowser } from "../support/browser.js";
import { LogLines } from "../support/log-lines.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

/** Not compiled: it is the browser's. */
const script = readFileSync("test/security/hostile-page.js", "utf8");
const html = "<!doctype html><title>page</title><body></body>";
const token = "a-token-of-the-users-own";

/** A web server of somebody else's, on another port. */
async function servePage(t: Test): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function serve(t: Test, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const log = new LogLines();
  const harness = await startServiceHarness(t, { logger: log.logger, argv, env });
  await harness.untilReady();
  // Of a window that shows an error the browser itself asks for the icon of its site, /favicon.ico, which is no route.
  const isPageRequest = (line: Readonly<Record<string, unknown>>) =>
    line.event === "http.request" && line.route !== "/readyz" && line.route !== null;
  return { ...harness, requests: () => log.lines.filter(isPageRequest) };
}

type Served = Awaited<ReturnType<typeof serve>>;

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.addScriptTag({ content: script });
}

async function listAttempts(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>("Object.keys(attempts)");
}

/** One attempt; what it read, once the service has answered it. */
async function attempt(page: Page, name: string, base: string, { requests }: Served): Promise<string | null> {
  const before = requests().length;
  const read = await page.evaluate<string | null>(
    `attempts[${JSON.stringify(name)}](${JSON.stringify(base)})`,
  );
  await pollUntil(() => requests().length > before);
  return read;
}

t.test("pages of other origins can neither start a turn nor read an answer", needsBrowser, async (t) => {
  const served = await serve(t);
  const port = await servePage(t);
  const browser = await startBrowser(t, ["page.example"]);
  const ourPort = new URL(served.url).port;
  for (const [kind, address, base] of [
    ["of another site", `http://page.example:${port}/`, served.url],
    ["of another port of this machine", `http://127.0.0.1:${port}/`, `http://localhost:${ourPort}`],
  ] as const) {
    const page = await browser.newPage();
    await open(page, address);
    for (const name of await listAttempts(page)) {
      t.equal(await attempt(page, name, base, served), null, `a page ${kind} reads nothing of ${name}`);
    }
    await page.close();
  }
  for (const request of served.requests()) {
    t.match(request, { status: 403, error_code: "origin_not_allowed" });
  }
  t.equal(served.backend.requests.length, 0, "the model was never asked");
});

t.test(
  "a page that rebinds its name to this machine is told that the host is not ours",
  needsBrowser,
  async (t) => {
    const served = await serve(t);
    const browser = await startBrowser(t, ["evil.example"]);
    const base = `http://evil.example:${new URL(served.url).port}`;
    const page = await browser.newPage();
    // The page itself came from the attacker's address, before the name was pointed here.
    await page.route(`${base}/page`, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await open(page, `${base}/page`);
    for (const name of await listAttempts(page)) {
      const read = await attempt(page, name, base, served);
      // To its browser the answers are the page's own, so it may read that it was refused.
      if (read !== null) t.match(read, /"code":"host_not_allowed"/, name);
    }
    for (const request of served.requests())
      t.match(request, { status: 403, error_code: "host_not_allowed" });
    t.equal(served.backend.requests.length, 0, "the model was never asked");
  },
);

t.test(
  "a page of an allowed origin can call with the token, and its sandboxed frames cannot",
  needsBrowser,
  async (t) => {
    const port = await servePage(t);
    const origin = `http://page.example:${port}`;
    const served = await serve(t, ["--allowed-origins", origin], { CODEX_NATIVE_API_AUTH_TOKEN: token });
    const browser = await startBrowser(t, ["page.example", "other.example"]);
    const page = await browser.newPage();
    await open(page, origin);
    const call = (stream: boolean) =>
      page.evaluate<{ status: number; requestId: string; text: string }>(
        `callOpenly(${JSON.stringify(served.url)}, ${JSON.stringify(token)}, ${stream})`,
      );
    const answer = await call(false);
    t.match(answer, { status: 200, requestId: /^req_/, text: /"status":"completed"/ });
    t.match(await call(true), { status: 200, text: /event: response\.completed\n/ });
    t.equal(served.backend.requests.length, 2);
    for (const name of ["a sandboxed frame's POST", "a sandboxed frame's JSON POST"]) {
      t.equal(await attempt(page, name, served.url, served), null, name);
    }
    t.match(await attempt(page, "a preflight for a guessed token", served.url, served), /^401 /);
    t.equal(await attempt(page, "a POST with credentials", served.url, served), null);
    await open(page, `http://other.example:${port}/`);
    t.equal(await attempt(page, "a JSON POST with its preflight", served.url, served), null);
    t.equal(served.backend.requests.length, 2, "none of these started a turn");
  },
);

t.test(
  "a page that the service itself serves may call it, by its own name and port only",
  needsBrowser,
  async (t) => {
    const served = await serve(t, [], { CODEX_NATIVE_API_AUTH_TOKEN: token });
    const { host, port } = new URL(served.url);
    const browser = await startBrowser(t, []);
    const page = await browser.newPage();
    // A document of the service without a policy of its own, so that the test may run its script there.
    await page.goto(`${served.url}/openapi.json`);
    await page.addScriptTag({ content: script });
    const call = (base: string) =>
      page.evaluate<{ status: number }>(
        `callOpenly(${JSON.stringify(base)}, ${JSON.stringify(token)}, false)`,
      );
    t.match(await call(served.url), { status: 200 });
    t.equal(served.backend.requests.length, 1);
    t.match(await attempt(page, "guessing a code", served.url, served), /^400 .*invalid_page_code/s);
    t.match(await attempt(page, "asking for a code", served.url, served), /^401 /);
    const otherName = `http://localhost:${port}`;
    t.not(new URL(otherName).host, host);
    t.equal(await attempt(page, "a JSON POST with its preflight", otherName, served), null);
    t.equal(
      await attempt(page, "a frame of the page", served.url, served),
      null,
      "not even framed by itself",
    );
    t.equal(served.backend.requests.length, 1);
  },
);
