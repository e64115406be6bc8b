/** The page by keyboard, and what it keeps in the browser. */
import t from "tap";
import { needsBrowser } from "../support/browser.js";
import { openPage, startSharedBrowser } from "../support/page-driver.js";
import { makeBusyService } from "../support/page-fixtures.js";
import { startPageMock } from "../support/page-mock.js";

const browser = await startSharedBrowser(t);

t.test(
  "keys alone lead to every view, past the navigation, and into tables and settings",
  needsBrowser,
  async (t) => {
    const mock = await startPageMock(t, makeBusyService());
    const { page } = await openPage(t, browser, mock.url);
    await page.locator(".figures .plot").first().waitFor();
    const focused = () => page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''");
    await page.keyboard.press("Tab");
    t.equal(await focused(), "Skip to the content");
    await page.keyboard.press("Enter");
    t.equal(await page.evaluate("document.activeElement?.id"), "main", "past the navigation");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("Shift+Tab");
    const reach = async (name: string) => {
      for (let presses = 0; presses < 80; presses += 1) {
        if ((await focused()) === name) return true;
        await page.keyboard.press("Tab");
      }
      return false;
    };
    t.ok(await reach("Usage"), "a link of the navigation");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
    t.equal(await focused(), "Usage", "the focus is on the new view's heading");
    await page.locator(".plot").first().waitFor();
    t.ok(await reach("As a table"), "the figures of a plot");
    await page.keyboard.press("Enter");
    await page.locator(".plot-table table").waitFor();
    await page.locator("fieldset input:checked").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("columnheader", { name: "Route" }).waitFor();
    t.ok(await reach("中文"), "the language");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "用量" }).waitFor();
    t.equal(await page.evaluate("document.documentElement.lang"), "zh-CN");
  },
);

t.test("language and theme are kept, and nothing else", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeBusyService());
  const { page } = await openPage(t, browser, mock.url);
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("button", { name: /^主题/ }).click();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "可以运行" }).waitFor();
  t.equal(await page.evaluate("document.documentElement.dataset.theme"), "light");
  t.strictSame(await page.evaluate("Object.keys(localStorage).sort()"), [
    "codex-native-api.language",
    "codex-native-api.theme",
  ]);
});
