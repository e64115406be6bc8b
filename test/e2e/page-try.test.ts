/** The page's playground in a real browser, on the whole service with a real app-server. */
import type { Page } from "playwright-core";
import t, { type Test } from "tap";
import { needsBrowser, startBrowser } from "../support/browser.js";
import { decide } from "../support/offline-backend/decisions.js";
import { functionCall, httpError, reasoning, reply, stall, text } from "../support/offline-backend/index.js";
import { openPage } from "../support/page-driver.js";
import { pollUntil, type ServiceHarnessOptions, startServiceHarness } from "../support/service-harness.js";
import { seenInput } from "../support/upstream-forms.js";

async function serve(t: Test, options: ServiceHarnessOptions = {}) {
  const served = await startServiceHarness(t, options);
  await served.untilReady();
  const browser = await startBrowser(t, []);
  const { page } = await openPage(t, browser, served.url, { path: "/#/try" });
  await page.getByRole("button", { name: "Send", exact: true }).waitFor();
  return { ...served, page };
}

async function send(page: Page, input: string): Promise<void> {
  await page.getByLabel("Input", { exact: true }).fill(input);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

const untilState = (page: Page, state: string) => page.locator(`.run-state.run-${state}`).waitFor();
const said = (page: Page) => page.locator(".said-text:not(.said-reasoning)").textContent();

t.test(
  "an answer is streamed as text with its reasoning apart, and leads to its request in the log",
  needsBrowser,
  async (t) => {
    const { page, backend } = await serve(t, { login: "provider" });
    backend.setDefaultReply(
      reply(reasoning({ summary: ["Thinking about **France**."] }), text("Paris, of course.")),
    );
    await send(page, "Capital of France?");
    await untilState(page, "ended");
    t.equal(await said(page), "Paris, of course.");
    t.equal(await page.locator(".said-reasoning").textContent(), "Thinking about **France**.");
    t.match(await page.locator(".run-figures").textContent(), /First word.*Total.*Tokens12 in, 7 out/s);
    t.match(await page.locator(".try-code pre").textContent(), /curl -sSN .*"input": "Capital of France\?"/s);
    await page.getByRole("link", { name: "See it in the log" }).click();
    await page.locator(".detail").getByText("Completed").waitFor();
    await page.goBack();
    await page.locator(".said-text").first().waitFor();
    t.equal(await said(page), "Paris, of course.", "the answer is still there");
  },
);

t.test("a turn is stopped, and Codex's request with it", needsBrowser, async (t) => {
  const { page, backend, url } = await serve(t, { login: "provider" });
  backend.setDefaultReply(stall({ afterDeltas: 2 }));
  await send(page, "Count.");
  await page.getByText("word1").first().waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await untilState(page, "stopped");
  await pollUntil(() => backend.counters.openStreams === 0);
  await pollUntil(async () => {
    const { data } = JSON.parse(await (await fetch(`${url}/v1/requests`)).text());
    return data[0]?.outcome === "client_left";
  });
  t.pass();
});

const dialects = ["Responses", "Chat"] as const;
for (const dialect of dialects) {
  t.test(
    `${dialect}: a schema and tools are sent, a call is answered and the answer goes on`,
    needsBrowser,
    async (t) => {
      const { page, backend } = await serve(t, { login: "provider" });
      backend.queueReply(functionCall({ name: "weather", arguments: '{"city":"Rome"}', callId: "call_1" }));
      backend.setDefaultReply(text('{"city":"Rome","population":1}'));
      await page.getByRole("radio", { name: dialect }).check();
      await page.getByRole("button", { name: "Example" }).first().click();
      await page.getByRole("button", { name: "Example" }).click();
      await send(page, "Weather in Rome?");
      await untilState(page, "ended");
      await page.getByText("Call of weather").waitFor();
      t.match(await page.locator(".call pre").textContent(), /"city": "Rome"/);
      await page.getByLabel("Output of weather").fill("sunny </pre><b>");
      await page.getByRole("button", { name: "Send the outputs" }).click();
      await page.locator(".said-text").waitFor();
      await untilState(page, "ended");
      t.match(await said(page), /"population":1/);
      const last = seenInput(backend.requests.at(-1));
      t.match(JSON.stringify(last), /Weather in Rome\?.*call_1.*sunny <\/pre><b>/s);
      await page.getByLabel("Go on from the last answer").check();
      await send(page, "And tomorrow?");
      await pollUntil(() => backend.requests.length === 3);
      await untilState(page, "ended");
      t.match(
        JSON.stringify(seenInput(backend.requests.at(-1))),
        /Weather in Rome\?.*sunny.*And tomorrow\?/s,
      );
    },
  );
}

t.test("whole answers are shown as streamed ones are", needsBrowser, async (t) => {
  const { page, backend } = await serve(t, { login: "provider" });
  backend.setDefaultReply(text("Paris."));
  await page.getByLabel("Stream the answer").uncheck();
  for (const dialect of dialects) {
    await page.getByRole("radio", { name: dialect }).check();
    await send(page, `Capital of France, ${dialect}?`);
    await pollUntil(async () =>
      ((await page.locator(".try-code pre").textContent()) ?? "").includes(`, ${dialect}?`),
    );
    await untilState(page, "ended");
    t.equal(await said(page), "Paris.", dialect);
  }
});

t.test("decisions are asked and shown with their probabilities", needsBrowser, async (t) => {
  const { page, backend } = await serve(t, { login: "provider" });
  backend.setDefaultReply(decide);
  await page.getByRole("radio", { name: "Decisions" }).check();
  await page
    .getByLabel("Questions", { exact: true })
    .fill('[{"type": "predicate", "name": "refund", "instructions": "Money back?"}]');
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await untilState(page, "ended");
  t.match(await page.locator(".try-answer").textContent(), /refund.*75/s);
});

t.test("an error is said in plain words, with its code", needsBrowser, async (t) => {
  const { page, backend } = await serve(t, { login: "provider" });
  backend.setDefaultReply(httpError(400, { message: "<b>No</b> such effort." }));
  await send(page, "Hello");
  await untilState(page, "failed");
  const fault = page.locator(".failure");
  t.match(
    await fault.textContent(),
    /The model's servers refused the request\..*<b>No<\/b> such effort\..*upstream_bad_request/s,
  );
  await page.getByRole("link", { name: "See it in the log" }).click();
  await page.locator(".detail .failure").getByText("upstream_bad_request").waitFor();
});

t.test(
  "a fault in a field of JSON is named with its place as one types, and nothing is sent",
  needsBrowser,
  async (t) => {
    const { page, backend } = await serve(t, { login: "provider" });
    await page.getByLabel("Tools", { exact: true }).fill('[\n  {"type": "function",}\n]');
    await page.getByText("Line 2, column 23: a name in double quotes is expected here").waitFor();
    await page.getByLabel("Tools", { exact: true }).fill('[{"type": "function"}]');
    await page.getByText("[0].name: must be a text").waitFor();
    await send(page, "Hello");
    await page.getByText("[0].name: must be a text").waitFor();
    t.equal(await page.getByLabel("Tools", { exact: true }).getAttribute("aria-invalid"), "true");
    t.equal(backend.requests.length, 0);
  },
);

t.test("with a token the snippets name its variable, and never have it", needsBrowser, async (t) => {
  const token = "a-token-of-the-users-own";
  const served = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token },
  });
  await served.untilReady();
  served.backend.setDefaultReply(text("Paris."));
  const browser = await startBrowser(t, []);
  const { page } = await openPage(t, browser, served.url, { path: "/#/try" });
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.keyboard.press("Enter");
  await send(page, "Hello");
  await untilState(page, "ended");
  for (const kind of ["curl", "Node", "Python"]) {
    await page.getByRole("radio", { name: kind }).check();
    const snippet = await page.locator(".try-code pre").textContent();
    t.match(snippet, "CODEX_NATIVE_API_AUTH_TOKEN", kind);
    t.notMatch(snippet, token, kind);
  }
  await page.getByRole("button", { name: "Forget token" }).click();
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.keyboard.press("Enter");
  await page.getByText("Nothing was sent yet.").waitFor();
  t.pass("whoever comes next finds nothing of it");
});

t.test(
  "the playground is used by keyboard alone, and has no serious fault of access",
  needsBrowser,
  async (t) => {
    const { page, backend } = await serve(t, { login: "provider" });
    backend.setDefaultReply(text("Paris."));
    await page.getByLabel("Input", { exact: true }).focus();
    await page.keyboard.press("Control+Enter");
    await untilState(page, "ended");
    await page.setViewportSize({ width: 375, height: 800 });
    t.equal(await page.evaluate("document.documentElement.scrollWidth"), 375);
    for (const view of ["try", "requests"]) {
      await page.evaluate(`location.hash = "#/${view}"`);
      await page.locator("main h1").waitFor();
      if (view === "requests") {
        await page.locator("a[data-id]").first().click();
        await page.locator(".waterfall").waitFor();
      }
      t.strictSame(await seriousFaults(page), [], view);
      t.equal(await page.evaluate("document.documentElement.scrollWidth"), 375, view);
    }
  },
);

async function seriousFaults(page: Page): Promise<readonly string[]> {
  // By the DevTools protocol, since the page's policy keeps other scripts out.
  const { default: axe } = await import("axe-core");
  await page.evaluate(axe.source);
  return await page.evaluate<string[]>(
    "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')" +
      ".map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))",
  );
}

t.test("what a hostile model says is text, in the answer and in the log", needsBrowser, async (t) => {
  const hostile = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>[x](javascript:alert(1)) \u202egnp\u202c \u0007`;
  const { page, backend } = await serve(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_REQUESTS_CONTENT: "true" },
  });
  backend.queueReply(reply(reasoning({ summary: [hostile] }), text(hostile)));
  backend.setDefaultReply(
    functionCall({ name: "weather", arguments: JSON.stringify({ city: hostile }), callId: "call_1" }),
  );
  await send(page, hostile);
  await untilState(page, "ended");
  t.match(await said(page), `<img src=x onerror="window.hacked=1">`);
  await page.getByRole("button", { name: "Example" }).nth(1).click();
  await send(page, `${hostile} again`);
  await page.locator(".call pre").waitFor();
  await untilState(page, "ended");
  await page.getByRole("link", { name: "See it in the log" }).click();
  await page.locator(".detail .said pre").first().waitFor();
  t.match(await page.locator(".detail").textContent(), /onerror/, "its content is kept, and shown");
  const active = await page.evaluate<number>(
    "document.querySelectorAll('main img, main script, main iframe').length + Number(window.hacked !== undefined)",
  );
  t.equal(active, 0);
});
