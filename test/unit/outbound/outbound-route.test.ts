import t from "tap";
import { chooseProxy, hasCredentials, hideCredentials } from "../../../src/main/outbound/outbound-route.js";

const https = "https://chatgpt.com/backend-api/codex";
const http = "http://models.company.example/v1";

function variableFor(target: string, env: Readonly<Record<string, string>>): string | null {
  return chooseProxy(target, env)?.variable ?? null;
}

t.test("each scheme has its variable, and both have ALL_PROXY", async (t) => {
  const env = { HTTPS_PROXY: "proxy:1", HTTP_PROXY: "proxy:2", ALL_PROXY: "proxy:3" };
  t.equal(variableFor(https, env), "HTTPS_PROXY");
  t.equal(variableFor(http, env), "HTTP_PROXY");
  t.equal(variableFor(https, { ALL_PROXY: "proxy:3", HTTP_PROXY: "proxy:2" }), "ALL_PROXY");
  t.equal(variableFor(http, { HTTPS_PROXY: "proxy:1" }), null);
  t.equal(variableFor(https, {}), null);
});

t.test("a name in upper case comes before the same in lower case, also with an empty value", async (t) => {
  t.equal(variableFor(https, { https_proxy: "proxy:1" }), "https_proxy");
  t.equal(variableFor(https, { https_proxy: "proxy:1", HTTPS_PROXY: "proxy:2" }), "HTTPS_PROXY");
  t.equal(variableFor(https, { https_proxy: "proxy:1", HTTPS_PROXY: "" }), null);
});

t.test("an address without a scheme is one of an HTTP proxy, and what is no address is none", async (t) => {
  t.equal(chooseProxy(https, { HTTPS_PROXY: "proxy.example:3128" })?.url, "http://proxy.example:3128");
  t.equal(chooseProxy(https, { HTTPS_PROXY: "socks5h://proxy:1080" })?.url, "socks5h://proxy:1080");
  t.equal(chooseProxy(https, { HTTPS_PROXY: "http://" }), null);
});

t.test("NO_PROXY exempts hosts with all below them, addresses, networks, or everything", async (t) => {
  const isExempt = (target: string, list: string): boolean =>
    chooseProxy(target, { ALL_PROXY: "proxy:1", NO_PROXY: list }) === null;
  t.ok(isExempt(https, "example.com, chatgpt.com"));
  t.ok(isExempt("https://api.chatgpt.com/", "chatgpt.com"));
  t.ok(isExempt("https://api.chatgpt.com/", ".ChatGPT.com"));
  t.ok(isExempt(https, "*"));
  t.ok(isExempt("http://10.1.2.3/", "10.0.0.0/8"));
  t.ok(isExempt("http://[fd00::1]/", "fd00::/8"));
  t.ok(isExempt("http://127.0.0.1:8080/", "127.0.0.1"));
  t.notOk(isExempt(https, "gpt.com"));
  t.notOk(isExempt(https, ""));
  t.notOk(isExempt("http://11.1.2.3/", "10.0.0.0/8, 10.0.0.0/99, 11.1.2"));
});

t.test("user and password of an address are hidden", async (t) => {
  t.equal(hideCredentials("http://ada:s3cret@proxy:3128"), "http://***@proxy:3128");
  t.equal(hideCredentials("ada:s3cret@proxy:3128"), "***@proxy:3128");
  t.ok(hasCredentials("http://ada:s3cret@proxy:3128"));
  t.notOk(hasCredentials("http://proxy:3128/a@b"));
});
