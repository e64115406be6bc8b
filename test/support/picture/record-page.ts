/**
 * `npm run picture`: films the service's page for the README. A service on an offline backend, callers with different work, and a browser
 * that goes from the page's first view to a request, to where its time went, and to a question asked by hand.
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CDPSession, chromium, type Page } from "playwright-core";
import { removeTree } from "../../../src/main/codex/home/private-files.js";
import { loadConfig } from "../../../src/main/config/load-config.js";
import { readMachine } from "../../../src/main/config/machine.js";
import { createLogger } from "../../../src/main/observability/logger.js";
import { CodexNativeApiService } from "../../../src/main/service.js";
import { createChatGptLogin, OfflineBackend } from "../offline-backend/index.js";
import { encodeApng, type Frame } from "./apng.js";
import { answerLive, type LiveCaller, sendLiveTraffic } from "./live-traffic.js";
import { decodePng } from "./png-pixels.js";

const pictureFile = "docs/assets/page.png";
const maxBytes = 1_000_000;
const size = { width: 1280, height: 800 };
const warmUpMs = Number(process.env.PICTURE_WARM_UP_MS ?? 30_000);
const browserPath = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";

const say = (line: string) => process.stdout.write(`${line}\n`);

const token = "the-page-of-the-picture";
const callers: readonly LiveCaller[] = ["mail-sorter", "reviewer", "garage"].map((name) => ({
  name,
  token: `token-of-the-caller-${name}`,
}));

async function startService(directory: string, backend: OfflineBackend) {
  backend.setDefaultReply(answerLive);
  const userHome = join(directory, "codex");
  await createChatGptLogin({ home: userHome, backend, email: "you@example.com" });
  const tokensFile = join(directory, "tokens.json");
  await writeFile(tokensFile, JSON.stringify(callers), { mode: 0o600 });
  const environment = {
    ...backend.environment(),
    HOME: directory,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: userHome,
    CODEX_NATIVE_API_STATE_DIR: join(directory, "state"),
    CODEX_NATIVE_API_AUTH_TOKEN: token,
    CODEX_NATIVE_API_AUTH_TOKENS_FILE: tokensFile,
  };
  const loaded = loadConfig({ argv: ["--port", "0"], env: environment, machine: readMachine() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const logger = createLogger({ level: "warn", format: "text" });
  const service = new CodexNativeApiService({ config: loaded.config, logger, environment });
  const { url } = await service.start();
  const readiness = await service.untilSettled(60_000);
  if (url === null || !readiness.ready) throw new Error("the service is not ready");
  return { service, url };
}

/** The page's address with a one-time code behind it, by which it gets the token. */
async function addressWithCode(url: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/page/codes`, { method: "POST", headers, body: "{}" });
  const { code }: { readonly code?: unknown } = Object(await answer.json());
  if (typeof code !== "string") throw new Error(`no code for the page: ${answer.status}`);
  return `${url}/#code=${code}`;
}

/** Frames, each with the time that it is shown; the page goes on meanwhile in its own time. */
class Film {
  readonly frames: Frame[] = [];
  readonly #page: Page;
  readonly #session: CDPSession;

  constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  /** Films from the top of the page on: what the browser has scrolled to would show no heading. */
  async begin(): Promise<void> {
    await this.#page.evaluate("scrollTo(0, 0)");
  }

  /** Films for that long on the picture's clock. */
  async run(durationMs: number, everyMs = 250): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += everyMs) {
      // By the protocol itself: a screenshot of the page's own method waits for much that a film need not wait for.
      const { data } = await this.#session.send("Page.captureScreenshot", { optimizeForSpeed: true });
      this.frames.push({ ...decodePng(Buffer.from(data, "base64")), durationMs: everyMs });
      await this.#page.waitForTimeout(everyMs / 2);
    }
  }
}

async function tour(page: Page, film: Film): Promise<void> {
  await page.waitForSelector("main h1, main h2");
  await film.run(4_000, 500);
  await page.click('nav a[href="#/requests"]');
  // The reviewer's requests take longest, so that their stages show. One of them has ended a while ago.
  const row = page.locator("main tr", { hasText: "reviewer" }).nth(1).locator("a[data-id]");
  await row.waitFor();
  await film.begin();
  await film.run(2_000, 500);
  await row.click();
  await page.waitForSelector(".detail figure, .detail svg, .detail [role=img]");
  await film.begin();
  await film.run(3_500, 500);
  await page.click('nav a[href="#/try"]');
  const box = page.locator("#try-input");
  await box.fill("");
  await film.begin();
  await film.run(500, 500);
  for (const word of ["Why ", "is ", "the ", "sky ", "blue?"]) {
    await box.pressSequentially(word);
    await film.run(200, 200);
  }
  await page.keyboard.press("Control+Enter");
  await film.run(3_000);
  await page.getByText("every part of the sky").first().waitFor();
  await film.run(2_000, 1_000);
}

async function film(url: string, directory: string): Promise<readonly Frame[]> {
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: [
      "--disable-background-networking",
      "--disable-gpu",
      "--no-first-run",
      "--force-color-profile=srgb",
    ],
    chromiumSandbox: process.getuid?.() !== 0,
    env: { HOME: directory, TMPDIR: directory, PATH: "/usr/bin:/bin" },
  });
  try {
    const page = await browser.newPage({ viewport: size, colorScheme: "light", locale: "en-GB" });
    await page.goto(await addressWithCode(url));
    const filmed = new Film(page, await page.context().newCDPSession(page));
    // The figures of the page's first view are of the time since it was opened.
    await page.waitForTimeout(warmUpMs);
    await tour(page, filmed);
    return filmed.frames;
  } finally {
    await browser.close();
  }
}

const directory = await mkdtemp(join(tmpdir(), "codex-native-api-picture-"));
const backend = await OfflineBackend.start({ unknownRoutes: "any" });
const ending = new AbortController();
try {
  const { service, url } = await startService(directory, backend);
  const traffic = sendLiveTraffic(url, callers, ending.signal);
  try {
    say(`Filming ${url} after ${warmUpMs / 1_000} s of traffic ...`);
    const frames = await film(url, directory);
    const picture = encodeApng(frames);
    if (picture.length > maxBytes) throw new Error(`${picture.length} bytes are more than ${maxBytes}`);
    await writeFile(pictureFile, picture);
    say(`${pictureFile}: ${frames.length} frames, ${picture.length} bytes`);
  } finally {
    ending.abort();
    await traffic;
    await service.destroy();
  }
} finally {
  await backend.close();
  await removeTree(directory);
}
