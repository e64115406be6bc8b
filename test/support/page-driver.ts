/** Opens the service's page in Chromium, and fails a test whose page asks another host, breaks its own policy or throws. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { Test } from "tap";
import { needsBrowser, startBrowser } from "./browser.js";

/** One browser for all tests of a file; null where there is none, and the tests are skipped. */
export async function startSharedBrowser(t: Test): Promise<Browser | null> {
  return needsBrowser.skip === undefined ? await startBrowser(t, []) : null;
}

export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The addresses that it asked. */
  readonly asked: readonly string[];
}

export interface OpenOptions extends BrowserContextOptions {
  readonly path?: string;
}

export async function openPage(
  t: Test,
  browser: Browser | null,
  url: string,
  { path = "/", ...options }: OpenOptions = {},
): Promise<OpenedPage> {
  if (browser === null) throw new Error("a test without a browser is skipped");
  const context = await browser.newContext({ locale: "en-US", colorScheme: "light", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const asked: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => faults.push(`threw ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) faults.push(message.text());
  });
  await page.addInitScript(
    `addEventListener("securitypolicyviolation", (event) => console.log("Content Security Policy: " + event.violatedDirective));`,
  );
  await page.goto(url + path);
  t.teardown(async () => {
    await context.close();
    // `data:` and `blob:` leave no machine.
    const elsewhere = asked.filter(
      (address) => !/^(data|blob):/.test(address) && new URL(address).origin !== new URL(url).origin,
    );
    const all = [...faults, ...elsewhere.map((address) => `asked ${address}`)];
    if (all.length > 0) throw new Error(`the page broke its own rules: ${all.join("; ")}`);
  });
  return { page, context, asked };
}

/** The figure of a tile, as it is shown. */
export async function readTile(page: Page, label: string): Promise<string> {
  const tile = page.locator(".tile", { has: page.locator("dt", { hasText: new RegExp(`^${label}$`) }) });
  return (await tile.locator(".tile-value").textContent()) ?? "";
}

/** The number in a text that was written in English. */
export function numberIn(text: string): number {
  return Number(text.replaceAll(",", ""));
}

/** The cells of a table, with its caption. */
export async function readTable(page: Page, caption: string): Promise<readonly (readonly string[])[]> {
  const table = page.locator("table", { has: page.locator("caption", { hasText: caption }) });
  const rows = await table.locator("tbody tr").all();
  return await Promise.all(rows.map(async (row) => await row.locator("th, td").allTextContents()));
}
