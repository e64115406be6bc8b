/** How the page follows the service: by events, by polling, and through what breaks in between. */
import t from "tap";
import { needsBrowser } from "../support/browser.js";
import { openPage, readTile, startSharedBrowser } from "../support/page-driver.js";
import { makeBusyService, makeEmptyService, makeEntry, makeState } from "../support/page-fixtures.js";
import { startPageMock } from "../support/page-mock.js";
import { pollUntil } from "../support/service-harness.js";

const browser = await startSharedBrowser(t);

t.test(
  "a turn is shown as it waits, runs and ends, and late news take nothing back",
  needsBrowser,
  async (t) => {
    const mock = await startPageMock(t, makeEmptyService());
    const { page } = await openPage(t, browser, mock.url);
    await page.getByText("No turn is running.").waitFor();
    const ended = makeEntry({ id: "req_a", started_at_ms: Date.now() });
    const none = {
      thread_ready_ms: null,
      turn_started_ms: null,
      first_output_ms: null,
      output_ended_ms: null,
      ended_ms: null,
    };
    const running = {
      ...ended,
      state: "running" as const,
      outcome: null,
      usage: null,
      timings: { ...ended.timings, ...none },
    };
    mock.send("request.started", {
      ...running,
      state: "waiting",
      timings: { ...running.timings, admitted_ms: null },
    });
    await page.locator(".live").getByText("wait for a place").waitFor();
    mock.send("request.updated", running);
    await page.locator(".live").getByText("native thread").waitFor();
    mock.send("request.ended", ended);
    await page.getByText("No turn is running.").waitFor();
    await page.getByRole("heading", { name: "1 requests in the last hour" }).waitFor();
    mock.send("request.updated", running);
    mock.send("state", makeState({ turns: { running: 7, waiting: 0, parked: 0 } }));
    await pollUntil(async () => (await readTile(page, "Running")) === "7");
    t.equal(await page.locator(".live li").count(), 0, "it has ended");
  },
);

t.test("a change of readiness is shown, and said to screen readers", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeEmptyService());
  const { page } = await openPage(t, browser, mock.url);
  await page.getByRole("heading", { level: 1, name: "Ready for turns" }).waitFor();
  t.equal(await page.locator("[aria-live]").textContent(), "", "nothing is said at the start");
  const reason = { code: "native_runtime_unavailable", message: "Codex is restarting." };
  mock.send("state", makeState({ ready: false, reason }));
  await page.getByRole("heading", { level: 1, name: "Codex is starting, restarting or missing." }).waitFor();
  await page.locator("[aria-live]").getByText("The service is not ready.").waitFor();
});

t.test("a stream that breaks is begun again, and what was missed is read", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeEmptyService());
  const { page } = await openPage(t, browser, mock.url);
  await page.getByText("No turn is running.").waitFor();
  mock.entries = [makeEntry({ id: "req_missed" })];
  mock.cutEvents();
  await page.getByRole("heading", { name: "1 requests in the last hour" }).waitFor();
  await pollUntil(() => mock.countReaders() === 1);
});

t.test("without events the page polls", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeEmptyService({ hasEvents: false }));
  const { page } = await openPage(t, browser, mock.url);
  await page.getByRole("heading", { level: 1, name: "Ready for turns" }).waitFor();
  t.equal(await page.locator(".state").getAttribute("title"), "Refreshed by polling");
  mock.entries = [makeEntry()];
  await page.getByRole("heading", { name: "1 requests in the last hour" }).waitFor();
});

t.test("what the reader was too slow for is read again", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeEmptyService());
  const { page } = await openPage(t, browser, mock.url);
  await page.getByText("No turn has ended").waitFor();
  mock.entries = [makeEntry()];
  mock.send("events.dropped", { object: "events.dropped", count: 12 });
  await page.getByRole("heading", { name: "1 requests in the last hour" }).waitFor();
});

t.test(
  "events that the page cannot read make it offer a reload, and change no figure",
  needsBrowser,
  async (t) => {
    const mock = await startPageMock(t, makeEmptyService());
    const { page } = await openPage(t, browser, mock.url);
    await page.getByText("No turn has ended").waitFor();
    mock.send("request.ended", { id: 7 });
    await page.getByRole("button", { name: "Reload the page" }).waitFor();
    t.equal(await page.getByText("No turn has ended").count(), 1);
  },
);

t.test("a service that does not answer is said so, with what was last known", needsBrowser, async (t) => {
  const mock = await startPageMock(t, makeBusyService());
  const { page, context } = await openPage(t, browser, mock.url);
  await page.locator(".figures .plot").first().waitFor();
  await context.setOffline(true);
  mock.cutEvents();
  await page.getByText("The service does not answer.").waitFor();
  t.equal(await page.locator(".state").textContent(), "No connection");
  t.ok(await page.locator(".figures .plot").first().isVisible());
  await context.setOffline(false);
  await page.locator(".state-ready").waitFor();
});
