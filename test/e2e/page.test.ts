/** The service's page in a real browser, on the whole service: what it shows is what the service says of itself. */
import t, { type Test } from "tap";
import { needsBrowser } from "../support/browser.js";
import { readMetric } from "../support/metrics-text.js";
import { functionCall, httpError, text } from "../support/offline-backend/index.js";
import { numberIn, openPage, readTable, readTile, startSharedBrowser } from "../support/page-driver.js";
import { pollUntil, type ServiceHarnessOptions, startServiceHarness } from "../support/service-harness.js";

const browser = await startSharedBrowser(t);

const token = "a-token-of-the-users-own";

async function serve(t: Test, options: ServiceHarnessOptions = {}) {
  const harness = await startServiceHarness(t, options);
  if (options.login !== "none") await harness.untilReady();
  return harness;
}

type Served = Awaited<ReturnType<typeof serve>>;

/** Turns of two routes, one that waits for its caller's function, and one that fails. */
async function sendTurns({ backend, client, url }: Served, authorization: Record<string, string> = {}) {
  backend.setDefaultReply(text("Paris."));
  await client.responses.create({ input: "one" });
  await (await client.responses.create({ input: "two", stream: true })).toReadableStream().cancel();
  const model = (await client.models.list()).data[0]?.id ?? "";
  await client.chat.completions.create({ model, messages: [{ role: "user", content: "three" }] });
  backend.queueReply(functionCall({ name: "look", arguments: "{}" }));
  const tool = { type: "function", name: "look", parameters: { type: "object" }, strict: false } as const;
  await client.responses.create({ input: "four", tools: [tool] });
  backend.queueReply(httpError(400, { message: "Bad input" }));
  await client.responses.create({ input: "five" }).catch(() => null);
  await pollUntil(async () =>
    (await listEntries(url, authorization)).every(({ state }) => state === "ended"),
  );
}

interface ReadEntry {
  readonly state: string;
  readonly model: string | null;
  readonly thread: { readonly kind: string | null } | null;
}

async function listEntries(url: string, headers: Record<string, string>): Promise<readonly ReadEntry[]> {
  const answer = await fetch(`${url}/v1/requests`, { headers });
  const { data }: { data: readonly ReadEntry[] } = JSON.parse(await answer.text());
  return data;
}

t.test("Now shows the figures of the run, as /metrics has them", needsBrowser, async (t) => {
  const served = await serve(t);
  await sendTurns(served);
  const { page } = await openPage(t, browser, served.url);
  await page.getByRole("heading", { level: 1, name: "Ready for turns" }).waitFor();
  const entries = await listEntries(served.url, {});
  await page.getByRole("heading", { name: `${entries.length} requests in the last hour` }).waitFor();
  const metrics = await (await fetch(`${served.url}/metrics`)).text();
  const tokens = (type: string) => readMetric(metrics, "codex_native_api_tokens_total", { type }) ?? 0;
  const cacheShare = Math.round((100 * tokens("cached_input")) / tokens("input"));
  t.equal(await readTile(page, "Input from the cache"), `${cacheShare}%`);
  t.equal(await readTile(page, "Running"), String(readMetric(metrics, "codex_native_api_turns_running")));
  t.equal(await readTile(page, "Failed"), "1");
  const total = await page
    .locator(".tile", { hasText: "Tokens a minute" })
    .locator(".tile-note")
    .textContent();
  t.equal(numberIn((total ?? "").replace(" in all", "")), tokens("input") + tokens("output"));
  t.match(await readTable(page, "Errors by code"), [["upstream_bad_request", "1"]]);
  const threads = await page.locator(".kinds .window-line").allTextContents();
  const kinds = new Set(entries.flatMap(({ thread }) => thread?.kind ?? []));
  t.equal(threads.length, kinds.size, "each kind of thread has its line");
});

t.test("Usage shows the sums of /v1/usage and /metrics, and exports them", needsBrowser, async (t) => {
  const served = await serve(t);
  await sendTurns(served);
  const { page } = await openPage(t, browser, served.url, { path: "/#/usage", acceptDownloads: true });
  await page.getByRole("button", { name: "Export as CSV" }).waitFor();
  await page.locator(".tile").first().waitFor();
  const metrics = await (await fetch(`${served.url}/metrics`)).text();
  const tokens = (type: string) => readMetric(metrics, "codex_native_api_tokens_total", { type }) ?? 0;
  t.equal(numberIn(await readTile(page, "Input tokens")), tokens("input"));
  t.equal(numberIn(await readTile(page, "Output tokens")), tokens("output"));
  const entries = await listEntries(served.url, {});
  t.equal(numberIn(await readTile(page, "Requests")), entries.length);
  await page.getByRole("radio", { name: "Route" }).check();
  const rows = await readTable(page, "Route");
  t.equal(
    rows.reduce((sum, [, requests]) => sum + numberIn(requests ?? ""), 0),
    entries.length,
    "the rows add up",
  );
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export as CSV" }).click(),
  ]);
  t.match(download.suggestedFilename(), /^codex-native-api-usage-.*\.csv$/);
  t.match(download.url(), /^blob:/, "handed over from memory");
});

t.test("a service that was just started is empty, and says what to do", needsBrowser, async (t) => {
  const served = await serve(t);
  const { page } = await openPage(t, browser, served.url);
  await page.getByText("No turn has ended in this span yet.").waitFor();
  await page.getByText("No turn is running.").waitFor();
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByText("Nothing was used yet.").waitFor();
  t.equal(await page.getByRole("button", { name: "Export as CSV" }).isDisabled(), true);
});

t.test("without a login the page says so, and gives the command", needsBrowser, async (t) => {
  const served = await serve(t, { login: "none" });
  await served.service.untilSettled();
  const { page } = await openPage(t, browser, served.url);
  await page.getByRole("heading", { level: 1, name: "Codex is not logged in on this machine." }).waitFor();
  t.equal(await page.locator(".not-ready code").first().textContent(), "codex login");
  t.match(await page.locator(".not-ready").textContent(), /native_login_required/);
  t.equal(await page.locator(".state").textContent(), "Not ready");
});

t.test(
  "with a token: none and a wrong one open nothing, the right one all, and it is kept nowhere",
  needsBrowser,
  async (t) => {
    const served = await serve(t, { env: { CODEX_NATIVE_API_AUTH_TOKEN: token } });
    const { page, asked, context } = await openPage(t, browser, served.url);
    await page.getByRole("heading", { name: "This service asks for a token" }).waitFor();
    t.equal(await page.locator("nav").count(), 0, "no view is offered");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("Paste the token first.").waitFor();
    await page.getByLabel("Token", { exact: true }).fill("another-token");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("The service does not accept this token.").waitFor();
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Ready for turns" }).waitFor();
    await page.getByRole("link", { name: "Usage" }).click();
    await page.getByText("Nothing was used yet.").waitFor();
    t.equal(asked.filter((address) => address.includes(token)).length, 0, "in no address");
    const kept = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    t.notMatch(kept, token, "nor kept by the browser");
    t.strictSame(await context.cookies(), []);
    await page.getByRole("button", { name: "Forget token" }).click();
    await page.getByRole("heading", { name: "This service asks for a token" }).waitFor();
  },
);

t.test("a one-time code opens the page once, and leaves the address at once", needsBrowser, async (t) => {
  const served = await serve(t, { env: { CODEX_NATIVE_API_AUTH_TOKEN: token } });
  const issue = await fetch(`${served.url}/v1/page/codes`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  const { code }: { code: string } = JSON.parse(await issue.text());
  const opened = await openPage(t, browser, served.url, { path: `/#code=${code}` });
  await opened.page.getByRole("heading", { level: 1, name: "Ready for turns" }).waitFor();
  t.equal(new URL(opened.page.url()).hash, "#/now");
  const again = await openPage(t, browser, served.url, { path: `/#code=${code}` });
  await again.page.getByText("The one-time code was used already").waitFor();
  t.equal(new URL(again.page.url()).hash, "#/now");
});
