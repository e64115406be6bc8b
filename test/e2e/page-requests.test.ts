/** The page's request log in a real browser, on the whole service: what it shows is what the service answers. */
import type { Page } from "playwright-core";
import t, { type Test } from "tap";
import { needsBrowser, startBrowser } from "../support/browser.js";
import { readMetric } from "../support/metrics-text.js";
import { cutConnection, functionCall, httpError, text } from "../support/offline-backend/index.js";
import { numberIn, openPage } from "../support/page-driver.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";
import { weatherTool } from "../support/weather-tool.js";

interface ReadEntry {
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly attempts: number;
  readonly usage: { readonly total_tokens: number } | null;
  readonly thread: { readonly kind: string | null } | null;
  readonly response_id: string | null;
  readonly error: { readonly code: string } | null;
}

async function listEntries(url: string): Promise<readonly ReadEntry[]> {
  const { data }: { data: readonly ReadEntry[] } = JSON.parse(
    await (await fetch(`${url}/v1/requests`)).text(),
  );
  return data;
}

/** A conversation with two branches, one of them parked and answered; a turn that was retried; and two that failed. */
async function serve(t: Test) {
  const served = await startServiceHarness(t, { login: "provider" });
  await served.untilReady();
  const { backend, client, url } = served;
  backend.setDefaultReply(text("Paris."));
  const ask = async (input: string, previous?: string) =>
    await client.responses.create({
      input,
      ...(previous !== undefined && { previous_response_id: previous }),
    });
  const first = await ask("one");
  const second = await ask("two", first.id);
  const branch = await ask("another two", first.id);
  await ask("three", second.id);
  backend.queueReply(functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: "call_1" }));
  const called = await client.responses.create({ input: "weather?", tools: [weatherTool] });
  await client.responses.create({
    previous_response_id: called.id,
    input: [{ type: "function_call_output", call_id: "call_1", output: "sunny" }],
    tools: [weatherTool],
  });
  backend.queueReply(cutConnection({ afterDeltas: 0 }));
  await client.responses.create({ input: "cut off" }).catch(() => null);
  backend.queueReply(httpError(400, { message: "The schema is not strict." }));
  await client.responses.create({ input: "five" }).catch(() => null);
  await client.responses.create({ input: "six", model: "no-such-model" }).catch(() => null);
  await pollUntil(async () => (await listEntries(url)).every(({ state }) => state === "ended"));
  return { ...served, first, branch };
}

const rowOf = (page: Page, id: string) => page.locator("tr", { has: page.locator(`a[data-id="${id}"]`) });

t.test("the log shows each request as the service has it", needsBrowser, async (t) => {
  const { url, first, branch } = await serve(t);
  const browser = await startBrowser(t, []);
  const { page } = await openPage(t, browser, url, {
    path: "/#/requests",
    viewport: { width: 1440, height: 1000 },
  });
  await page.locator("a[data-id]").first().waitFor();
  const entries = await listEntries(url);

  await t.test("in its order, with its outcome, thread and tokens", async (t) => {
    const links = await page.locator("a[data-id]").all();
    const ids = await Promise.all(links.map(async (link) => await link.getAttribute("data-id")));
    t.strictSame(
      ids,
      entries.map(({ id }) => id),
    );
    const names = { spare: "Spare", loaded: "Loaded", parked: "Parked", new: "New" };
    for (const { id, outcome, thread, usage, error } of entries) {
      const row = (await rowOf(page, id).textContent()) ?? "";
      if (outcome === "failed") t.match(row, error?.code ?? "no code");
      else t.match(row, outcome === "calls" ? "Calls a function" : "Completed");
      const kind = thread?.kind;
      if (kind === "spare" || kind === "loaded" || kind === "parked" || kind === "new")
        t.match(row, names[kind]);
      const tokens = await rowOf(page, id).locator(".col-tokens").textContent();
      t.equal(tokens === "–" ? null : numberIn(tokens ?? ""), usage?.total_tokens ?? null);
    }
    t.ok(entries.some(({ thread }) => thread?.kind === "loaded"));
    t.ok(entries.some(({ thread }) => thread?.kind === "parked"));
  });

  await t.test("and its tokens add up to what /metrics counts", async (t) => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const counted = (type: string) => readMetric(metrics, "codex_native_api_tokens_total", { type }) ?? 0;
    const shown = await page.locator("td.col-tokens").allTextContents();
    const sum = shown.reduce((total, tokens) => total + (tokens === "–" ? 0 : numberIn(tokens)), 0);
    t.equal(sum, counted("input") + counted("output"));
  });

  await t.test("why one failed is two clicks away", async (t) => {
    await page.locator("nav").getByRole("link", { name: "Requests" }).click();
    await page.locator("tr", { hasText: "upstream_bad_request" }).click();
    const failure = page.locator(".failure");
    await failure.getByText("The model's servers refused the request.").waitFor();
    t.match(await failure.textContent(), /upstream_bad_request.*Sending the same again will not help/s);
    await page.locator(".detail").getByText("Where the time went").waitFor();
    const summary = page.locator(".detail summary", { hasText: "As a table" });
    await summary.click();
    t.ok((await page.locator(".detail tbody tr").count()) >= 4, "its stages as a table");
    t.equal(await page.locator(".waterfall-broken").count(), 1);
  });

  await t.test("a conversation is shown with its branches", async (t) => {
    const entry = entries.find(({ response_id: id }) => id === branch.id);
    await rowOf(page, entry?.id ?? "").click();
    await page.locator(".chain-branch").first().waitFor();
    const trunk = page.locator(".detail-part > .chain > li:not(.chain-branch)");
    t.match(await trunk.allTextContents(), [first.id]);
    const branches = page.locator(".chain-branch");
    t.equal(await branches.count(), 2);
    t.equal(await branches.nth(0).locator("li").count(), 2, "one went on");
    t.match(await branches.nth(1).textContent(), new RegExp(`${branch.id}.*this request`));
    await trunk.locator("a").click();
    await page.locator(`.chain-link[aria-current]`, { hasText: first.id }).waitFor();
  });

  await t.test("by keyboard alone: rows are reached, opened and closed", async (t) => {
    await page.keyboard.press("Escape");
    await page.locator(".detail").waitFor({ state: "detached" });
    const focused = () => page.evaluate<string | null>("document.activeElement.dataset.id ?? null");
    await pollUntil(async () => (await focused()) !== null);
    await page.keyboard.press("Home");
    t.equal(await focused(), entries[0]?.id);
    await page.keyboard.press("ArrowDown");
    t.equal(await focused(), entries[1]?.id);
    await page.keyboard.press("Enter");
    await page.locator(".detail").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".detail").waitFor({ state: "detached" });
    await pollUntil(async () => (await focused()) === entries[1]?.id);
    t.equal(await page.locator('a[data-id][tabindex="0"]').count(), 1, "one stop of the tab order");
  });

  await t.test("filters narrow it, stand in the address, and can be cleared", async (t) => {
    await page.getByLabel("Outcome").selectOption({ label: "Failed" });
    const failed = entries.filter(({ outcome }) => outcome === "failed");
    await pollUntil(async () => (await page.locator("a[data-id]").count()) === failed.length);
    await page.getByLabel("Error code").selectOption("upstream_bad_request");
    await pollUntil(async () => (await page.locator("a[data-id]").count()) === 1);
    t.match(page.url(), /outcome=failed&code=upstream_bad_request/);
    await page.reload();
    await page.locator("a[data-id]").first().waitFor();
    t.equal(await page.locator("a[data-id]").count(), 1);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByLabel("Id contains").fill(first.id);
    // The request, and those that continued it.
    await pollUntil(async () => (await page.locator("a[data-id]").count()) === 3);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await pollUntil(async () => (await page.locator("a[data-id]").count()) === entries.length);
  });

  await t.test("sorting says its direction", async (t) => {
    await page.getByRole("button", { name: "Total" }).click();
    t.equal(await page.locator("thead .col-total").getAttribute("aria-sort"), "descending");
    t.equal(await page.locator("thead .col-time").getAttribute("aria-sort"), "none");
    await page.locator("thead").getByRole("button", { name: "Time" }).click();
  });
});

t.test("rows that are looked at stay where they are while others arrive", needsBrowser, async (t) => {
  const { url, client, backend, untilReady } = await startServiceHarness(t, { login: "provider" });
  await untilReady();
  backend.setDefaultReply(text("Paris."));
  await client.responses.create({ input: "one" });
  const browser = await startBrowser(t, []);
  const { page } = await openPage(t, browser, url, { path: "/#/requests" });
  const rows = page.locator("a[data-id]");
  await rows.first().waitFor();
  await client.responses.create({ input: "two" });
  await pollUntil(async () => (await rows.count()) === 2);
  const [newest] = await listEntries(url);
  await rows.first().focus();
  await client.responses.create({ input: "three" });
  const arrived = page.getByRole("button", { name: "Show 1 new requests" });
  await arrived.waitFor();
  t.equal(await rows.first().getAttribute("data-id"), newest?.id);
  await arrived.click();
  await pollUntil(async () => (await rows.count()) === 3);
});
