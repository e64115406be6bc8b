/** The page for people with a screen reader or a phone: axe looks at every view. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import t from "tap";
import { needsBrowser } from "../support/browser.js";
import { openPage, startSharedBrowser } from "../support/page-driver.js";
import { makeBusyService, makeEmptyService, makeState } from "../support/page-fixtures.js";
import { startPageMock } from "../support/page-mock.js";

const browser = await startSharedBrowser(t);

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe finds that is serious. By the DevTools protocol, since the page's policy lets no other script in. */
async function listFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResult>("axe.run(document, { resultTypes: ['violations'] })");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    );
}

const looks = [
  { name: "light", colorScheme: "light", locale: "en-US", width: 1280 },
  { name: "dark", colorScheme: "dark", locale: "en-US", width: 1280 },
  { name: "on a phone", colorScheme: "light", locale: "en-US", width: 375 },
  { name: "in Chinese, dark, on a phone", colorScheme: "dark", locale: "zh-CN", width: 375 },
] as const;

for (const { name, colorScheme, locale, width } of looks) {
  t.test(
    `axe finds nothing serious in any view, ${name}, and nothing is cut off`,
    needsBrowser,
    async (t) => {
      const mock = await startPageMock(t, makeBusyService({}, 80));
      const { page } = await openPage(t, browser, mock.url, {
        colorScheme,
        locale,
        viewport: { width, height: 900 },
      });
      for (const view of ["now", "requests", "try", "usage"]) {
        await page.locator(`nav a[href="#/${view}"]`).click();
        await page.locator(`nav a[href="#/${view}"][aria-current="page"]`).waitFor();
        await page.locator("main h1").waitFor();
        if (view === "now") await page.locator(".figures .plot").first().waitFor();
        if (view === "usage") await page.locator(".plot").first().waitFor();
        t.strictSame(await listFindings(page), [], view);
        t.equal(await page.evaluate("document.documentElement.scrollWidth"), width, `${view} fits its width`);
      }
    },
  );
}

t.test(
  "axe finds nothing serious where the service is not ready, empty, or wants a token",
  needsBrowser,
  async (t) => {
    const reason = { code: "native_login_required", message: "Codex is not logged in." };
    const states = [
      makeEmptyService({ state: makeState({ ready: false, reason, account: null, plan_windows: [] }) }),
      makeEmptyService(),
      makeEmptyService({ token: "secret" }),
    ];
    for (const state of states) {
      const mock = await startPageMock(t, state);
      for (const colorScheme of ["light", "dark"] as const) {
        const { page } = await openPage(t, browser, mock.url, { colorScheme });
        await page.locator("main h1").waitFor();
        await page.locator(".state-connecting").waitFor({ state: "detached" });
        t.strictSame(await listFindings(page), []);
      }
    }
  },
);
