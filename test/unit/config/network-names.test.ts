import t from "tap";
import { isLoopbackHost, normalizeHost, normalizeOrigin } from "../../../src/main/config/network-names.js";

t.test("hosts are brought to one form", async (t) => {
  t.equal(normalizeHost(" Box.LAN "), "box.lan");
  t.equal(normalizeHost("[::1]"), "::1");
  t.equal(normalizeHost("10.0.0.1"), "10.0.0.1");
});

t.test("what is no host is refused", async (t) => {
  for (const text of ["", "a b", "-a", "a-", "a..b", "box:80", "http://box", "127.0.0.300", "*", "a/b"]) {
    t.equal(normalizeHost(text), null, text);
  }
});

t.test("loopback is decided by the address, not by how it begins", async (t) => {
  t.ok(["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"].every(isLoopbackHost));
  t.notOk(["0.0.0.0", "::", "128.0.0.1", "127.example", "localhost.example"].some(isLoopbackHost));
});

t.test("an origin is a scheme, a host and perhaps a port, in lower case", async (t) => {
  for (const origin of [
    "https://app.example",
    "http://localhost:3000",
    "http://[::1]:3000",
    "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://2b9e5c1a-4f3d-4e2b-9c1d-0a1b2c3d4e5f",
    "safari-web-extension://1b9e5c1a-4f3d-4e2b-9c1d-0a1b2c3d4e5f",
    "vscode-webview://1a2b3c4d5e6f",
    "vscode-file://vscode-app",
    "tauri://localhost",
    "capacitor://localhost",
    "ionic://localhost",
    "app://localhost:8080",
  ]) {
    t.equal(normalizeOrigin(origin), origin);
    t.equal(normalizeOrigin(origin.toUpperCase()), origin);
  }
});

t.test("what no Origin header can hold, or any page's can, is no origin", async (t) => {
  for (const text of [
    "",
    "null",
    "NULL",
    "*",
    "app.example",
    "https://app.example/",
    "https://app.example/x",
    "https://app.example:443",
    "https://user@app.example",
    "https://*.app.example",
    "https://app.example https://b.example",
    "http://127.1",
    "file:///x",
    "file://host",
    "app://",
    "app:obsidian.md",
    "app://obsidian.md/",
    "app://obsidian.md/index.html",
    "app://obsidian.md?x",
    "app://user@obsidian.md",
    "chrome-extension://*",
    "*://obsidian.md",
    "javascript://x",
    "data://x",
    "ws://localhost",
    " app://obsidian.md",
    "app://obsidian.md\n",
  ]) {
    t.equal(normalizeOrigin(text), null, text);
  }
});
