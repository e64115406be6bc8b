/** What callers and models say, put into the page: it is shown as text, and nothing of it runs, loads or leads anywhere. */
import type { Page } from "playwright-core";
import t from "tap";
import { needsBrowser } from "../support/browser.js";
import { openPage, startSharedBrowser } from "../support/page-driver.js";
import { makeEntry, makeState, makeUsage } from "../support/page-fixtures.js";
import { startPageMock } from "../support/page-mock.js";

const browser = await startSharedBrowser(t);

const hostile = [
  `<img src=x onerror="window.hacked=1">`,
  `<script>window.hacked=1</script>`,
  `javascript:window.hacked=1`,
  `"><svg/onload=window.hacked=1>`,
  `{{constructor.constructor('window.hacked=1')()}}`,
  "\u202e\u0000\u001b[31m\ud800",
  "x".repeat(20_000),
];

function makeHostileService() {
  const entries = hostile.flatMap((text, index) => {
    const words = { model: text, requested_model: text, caller: text, route: text, task_class: text };
    const common = {
      ...words,
      dialect: text,
      prompt_form: text,
      ignored_parameters: [text],
      response_id: text,
    };
    return [
      makeEntry({
        ...common,
        id: `req_${index}`,
        error: { code: text, param: text, retryable: false, message: text },
        outcome: "failed",
        retries: [{ code: text, at_ms: 1 }],
        content: { input: text, output: text, metadata: text },
      }),
      makeEntry({ ...common, id: `req_live_${index}`, state: "running", started_at_ms: Date.now() - 1_000 }),
    ];
  });
  const [first = ""] = hostile;
  return {
    state: makeState({
      account: { type: first, plan: first },
      codex_version: first,
      workers: hostile.map((id) => ({ id, state: id })),
      plan_windows: [{ name: first, used_percent: 50, window_minutes: null, resets_at_ms: null }],
    }),
    entries,
    usage: makeUsage(entries, Date.now() - 60_000),
    token: null,
    codes: new Set<string>(),
    hasEvents: true,
  };
}

async function refuseActiveContent(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>(`[
    ...[...document.querySelectorAll("main img, main script, main iframe, main object, main embed")].map((found) => found.outerHTML),
    ...[...document.querySelectorAll("a[href]")].map(({ href }) => href).filter((href) => !href.startsWith(location.origin)),
    ...[...document.querySelectorAll("*")].flatMap((element) => [...element.attributes])
      .filter(({ name }) => name.startsWith("on")).map(({ name }) => name),
    ...(window.hacked === undefined ? [] : ["it ran"]),
  ]`);
}

t.test("hostile names, codes and contents are text in every view", needsBrowser, async (t) => {
  const service = makeHostileService();
  const mock = await startPageMock(t, service);
  const { page } = await openPage(t, browser, mock.url, { viewport: { width: 375, height: 800 } });
  await page.locator(".figures .plot").first().waitFor();
  t.match(await page.locator("main").textContent(), /<img src=x onerror=/, "as it was said");
  for (const view of ["now", "requests", "requests/req_0", "try", "usage"]) {
    await page.evaluate(`location.hash = "#/${view}"`);
    // At this width one request hides the list and its heading.
    await page.locator("main :is(h1, h2):visible").first().waitFor();
    if (view.startsWith("requests/")) await page.locator(".detail").waitFor();
    if (view === "usage") await page.locator("main table").first().waitFor();
    t.strictSame(await refuseActiveContent(page), [], view);
    t.equal(await page.evaluate("document.documentElement.scrollWidth"), 375, `${view} keeps its width`);
  }
});

t.test("a hostile reason why the service is not ready is text", needsBrowser, async (t) => {
  const [message = ""] = hostile;
  const state = makeState({ ready: false, reason: { code: message, message } });
  const mock = await startPageMock(t, { ...makeHostileService(), state });
  const { page } = await openPage(t, browser, mock.url);
  await page.locator(".not-ready").waitFor();
  t.match(await page.locator(".not-ready q").textContent(), message);
  t.strictSame(await refuseActiveContent(page), []);
});

t.test("hostile addresses within the page lead to a view, and run nothing", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeHostileService());
  for (const hash of [
    "#/__proto__",
    "#/constructor",
    "#javascript:window.hacked=1",
    "#/%E0%A4%A",
    "#/requests/%E0%A4%A?model=%3Cimg%3E",
  ]) {
    const { page } = await openPage(t, browser, mock.url, { path: `/${hash}` });
    await page.locator("main h1").waitFor();
    t.strictSame(await refuseActiveContent(page), [], hash);
  }
});
