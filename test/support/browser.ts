/** A headless browser for pages that attack the service; gone when the test is. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import type { Test } from "tap";
import { makeTemporaryDirectory, refuseLeftovers } from "./runtime-harness.js";

const browserPath = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";

/** Options of a test that needs a browser: without one it is skipped, and says why. */
export const needsBrowser: { readonly skip?: string } = existsSync(browserPath)
  ? {}
  : {
      skip: `there is no browser at ${browserPath}; Debian's package is chromium, CHROMIUM_BIN names another`,
    };

const switches = [
  "--disable-background-networking",
  "--disable-component-update",
  // The browser's own protection of this machine, which older ones lack: the service's is what is tested.
  "--disable-features=LocalNetworkAccessChecks",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** Host names that resolve to loopback in this browser, as a hostile name server has them resolve. */
export async function startBrowser(t: Test, loopbackNames: readonly string[]): Promise<Browser> {
  // The mark by which its processes are known.
  const directory = await makeTemporaryDirectory(t);
  const rules = loopbackNames.map((name) => `MAP ${name} 127.0.0.1`).join(", ");
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: [...switches, `--host-resolver-rules=${rules}`],
    // Chromium's own sandbox cannot be set up by root, as whom tests run in containers.
    chromiumSandbox: process.getuid?.() !== 0,
    env: { HOME: directory, TMPDIR: directory, PATH: "/usr/bin:/bin" },
    artifactsDir: directory,
    timeout: 60_000,
  });
  t.teardown(async () => {
    await browser.close();
    await refuseLeftovers(directory);
  });
  return browser;
}
