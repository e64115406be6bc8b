/** The way to an external provider on a company's network, with real listeners: what the proxy sees, and what the host hears. */
import { inspect } from "node:util";
import { pino } from "pino";
import t, { type Test } from "tap";
import { CodexNativeApiSideTaskRouter } from "../../src/main/side-tasks/router.js";
import { readSideTaskSettings } from "../../src/main/side-tasks/settings.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { writeCompanyAuthority, writeCompanyDirectory } from "../support/company-certificates.js";
import { type CompanyProxy, type ProxyMood, startCompanyProxy } from "../support/company-proxy.js";
import { ScriptedListener } from "../support/scripted-listener.js";
import { complete, failureOf, respond } from "../support/side-task-harness.js";

const task: SideTaskRequest = { taskClass: "normalization", input: "a private sentence" };
const user = "ada";
const password = "s3cret-of-ada";
const asksPassword: ProxyMood = { kind: "ask_password", user, password };

interface NetworkOptions {
  /** A host that only the proxy reaches. Default `https://provider.invalid/v1`. */
  readonly baseUrl?: string;
  readonly scheme?: "http" | "https";
  readonly mood?: ProxyMood;
  /** The host's environment. Default: trusts the proxy, and names it in `HTTPS_PROXY`. */
  readonly env?: (
    proxy: CompanyProxy,
    authority: string,
    directory: string,
  ) => Readonly<Record<string, string>>;
}

/** A host whose settings come from its environment, a provider that counts, and a proxy before it. */
async function start(t: Test, options: NetworkOptions = {}) {
  const { baseUrl = "https://backend.invalid/v1", scheme = "http", mood, env = trusting } = options;
  const provider = await ScriptedListener.start(t, complete("from the provider"));
  const proxy = await startCompanyProxy(t, provider.url, scheme);
  if (mood !== undefined) proxy.setMood(mood);
  const authority = await writeCompanyAuthority(t);
  const read = readSideTaskSettings({
    CODEX_NATIVE_API_FALLBACK_BASE_URL: baseUrl,
    CODEX_NATIVE_API_FALLBACK_MODEL: "m",
    ...env(proxy, authority, await writeCompanyDirectory(t, "company-ca.pem")),
  });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  const log: string[] = [];
  const router = new CodexNativeApiSideTaskRouter({
    settings: read.settings,
    logger: pino({ level: "trace" }, { write: (line: string) => log.push(line) }),
  });
  t.teardown(() => router.destroy());
  return { router, provider, proxy, authority, log };
}

function trusting({ url }: CompanyProxy, authority: string): Readonly<Record<string, string>> {
  return { HTTPS_PROXY: url, SSL_CERT_FILE: authority };
}

function withCredentials({ url }: CompanyProxy, given = password): string {
  return url.replace("://", `://${user}:${given}@`);
}

const ways: Readonly<Record<string, NetworkOptions>> = {
  "HTTPS_PROXY, SSL_CERT_FILE": {},
  "https_proxy with a password, NODE_EXTRA_CA_CERTS": {
    mood: asksPassword,
    env: (proxy, authority) => ({ https_proxy: withCredentials(proxy), NODE_EXTRA_CA_CERTS: authority }),
  },
  "ALL_PROXY without a scheme, CODEX_CA_CERTIFICATE": {
    env: ({ port }, authority) => ({ ALL_PROXY: `127.0.0.1:${port}`, CODEX_CA_CERTIFICATE: authority }),
  },
  "HTTPS_PROXY, SSL_CERT_DIR": {
    env: ({ url }, _authority, directory) => ({ HTTPS_PROXY: url, SSL_CERT_DIR: directory }),
  },
  "an https:// proxy, with a password": {
    scheme: "https",
    mood: asksPassword,
    env: (proxy, authority) => ({ all_proxy: withCredentials(proxy), SSL_CERT_FILE: authority }),
  },
};

for (const [way, options] of Object.entries(ways)) {
  t.test(`tasks go to the provider through a tunnel: ${way}`, async (t) => {
    const { router, provider, proxy, log } = await start(t, options);
    for (const round of [1, 2, 3, 4]) {
      t.match(await router.execute(task), { outputText: "from the provider", route: "external_provider" });
      t.equal(provider.requests.length, round);
    }
    t.same(new Set(proxy.asked), new Set(["backend.invalid:443"]));
    t.ok(proxy.asked.length <= 2, "open connections are used again");
    t.same(
      proxy.requests,
      Array.from({ length: 4 }, () => "POST /v1/chat/completions"),
    );
    t.equal(provider.requests[0]?.headers.host, "backend.invalid");
    t.notOk("proxy-authorization" in (provider.requests[0]?.headers ?? {}));
    t.notOk(log.some((line) => line.includes(password)));
  });
}

t.test("a provider at http:// is reached by HTTP_PROXY, which is handed the request", async (t) => {
  const { router, provider, proxy } = await start(t, {
    baseUrl: "http://models.invalid:8080/v1",
    mood: asksPassword,
    env: (company) => ({ HTTP_PROXY: withCredentials(company), HTTPS_PROXY: "http://127.0.0.1:9" }),
  });
  t.match(await router.execute(task), { outputText: "from the provider" });
  t.same(proxy.forwarded, ["POST http://models.invalid:8080/v1/chat/completions"]);
  t.same(proxy.asked, []);
  t.equal(provider.requests[0]?.headers.host, "models.invalid:8080");
});

t.test("a provider that a task brings along takes the same way", async (t) => {
  const { router, proxy } = await start(t);
  const fallback = { baseUrl: "https://localhost:1/v1", apiKey: null, model: "m" };
  const other = { ...fallback, baseUrl: "https://other.invalid/v1" };
  await router.execute({ ...task, fallback: other }).catch(() => null);
  t.same(proxy.asked, ["other.invalid:443"]);
});

t.test("no proxy is on the way to what NO_PROXY names, nor to this machine", async (t) => {
  const direct = await ScriptedListener.start(t, complete("directly"));
  const local = await ScriptedListener.start(t, respond("from the service"));
  const proxy = await startCompanyProxy(t, direct.url);
  const { url, directUrl } = proxy;
  const authority = await writeCompanyAuthority(t);
  const everything = { HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url, http_proxy: url, all_proxy: url };
  const read = readSideTaskSettings({
    ...everything,
    SSL_CERT_FILE: authority,
    CODEXBRIDGE_INTERNAL_NATIVE_API_ENABLED: "1",
    CODEXBRIDGE_INTERNAL_NATIVE_API_BASE_URL: local.url,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  const router = new CodexNativeApiSideTaskRouter({ settings: read.settings });
  t.teardown(() => router.destroy());
  t.match(await router.execute(task), { route: "localhost_api" });
  await local.die();
  for (const baseUrl of [direct.url, directUrl, direct.url.replace("127.0.0.1", "localhost")]) {
    const fallback = { baseUrl, apiKey: "key", model: "m" };
    t.match(await router.execute({ ...task, fallback }), { outputText: "directly" }, baseUrl);
  }
  t.same([proxy.asked, proxy.forwarded], [[], []]);

  const exempt = await start(t, {
    env: (company) => ({ HTTPS_PROXY: company.url, NO_PROXY: "internal.example, .invalid" }),
  });
  t.match(await failureOf(exempt.router.execute(task)), {
    routesTried: [{}, {}, { outcome: "unreachable" }],
  });
  t.same(exempt.proxy.asked, []);
});

interface ProxyFault extends NetworkOptions {
  readonly isDead?: true;
  readonly outcome: "misconfigured" | "unreachable";
  readonly code: string;
  /** Of the failure behind the error. */
  readonly words: RegExp;
}

const faults: Readonly<Record<string, ProxyFault>> = {
  "asks for a password": {
    mood: asksPassword,
    outcome: "misconfigured",
    code: "proxy_authentication_required",
    words: /^The proxy that HTTPS_PROXY names asks for a user and password \(407\)\. Write USER:PASSWORD@/,
  },
  "does not take the password": {
    mood: asksPassword,
    env: (proxy, authority) => ({
      ALL_PROXY: withCredentials(proxy, "wr0ng-of-ada"),
      SSL_CERT_FILE: authority,
    }),
    outcome: "misconfigured",
    code: "proxy_authentication_required",
    words: /^The proxy that ALL_PROXY names refuses the user and password in its address \(407\)/,
  },
  "does not take the password of a request that it is handed": {
    baseUrl: "http://models.invalid/v1",
    mood: asksPassword,
    env: (proxy) => ({ http_proxy: withCredentials(proxy, "wr0ng-of-ada") }),
    outcome: "misconfigured",
    code: "proxy_authentication_required",
    words: /^The proxy that http_proxy names refuses the user and password/,
  },
  "refuses the provider": {
    mood: { kind: "refuse", status: 403 },
    outcome: "misconfigured",
    code: "proxy_answered_403",
    words: /^The proxy that HTTPS_PROXY names refuses connections to the external provider \(403\)/,
  },
  "has no network itself": {
    mood: { kind: "refuse", status: 502 },
    outcome: "unreachable",
    code: "proxy_answered_502",
    words: /^The proxy that HTTPS_PROXY names answered 502/,
  },
  "hangs up": {
    mood: { kind: "hang_up" },
    outcome: "unreachable",
    code: "connection_closed",
    words: /^The proxy that HTTPS_PROXY names closes the connection without an answer/,
  },
  "never answers": {
    mood: { kind: "black_hole" },
    outcome: "unreachable",
    code: "proxy_timeout",
    words: /^The proxy that HTTPS_PROXY names does not answer/,
  },
  "is dead": {
    isDead: true,
    outcome: "unreachable",
    code: "ECONNREFUSED",
    words: /^The proxy that HTTPS_PROXY names cannot be reached \(ECONNREFUSED\)/,
  },
  "opens a tunnel in which no TLS is spoken": {
    mood: { kind: "break_tls", by: "garbage" },
    outcome: "unreachable",
    code: "ERR_SSL_WRONG_VERSION_NUMBER",
    words:
      /^The external provider cannot be reached \(ERR_SSL_.*Check the network behind the proxy that HTTPS_PROXY names/,
  },
  "opens a tunnel and closes it": {
    mood: { kind: "break_tls", by: "close" },
    outcome: "unreachable",
    code: "ECONNRESET",
    words:
      /^The external provider cannot be reached \(.*Check the network behind the proxy that HTTPS_PROXY names/,
  },
  "has a certificate that is not trusted": {
    env: ({ url }) => ({ HTTPS_PROXY: url }),
    outcome: "misconfigured",
    code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    words:
      /certificate on the way to the external provider is not trusted .*"Company proxy CA".* SSL_CERT_FILE or NODE_EXTRA_CA_CERTS/,
  },
  "has a certificate for another name": {
    baseUrl: "https://provider.invalid/v1",
    outcome: "misconfigured",
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
    words: /certificate on the way to the external provider is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
  },
  "has a certificate, and the file that should tell is away": {
    env: ({ url }) => ({ HTTPS_PROXY: url, SSL_CERT_FILE: "/no/such/company-ca.pem" }),
    outcome: "misconfigured",
    code: "certificate_file",
    words: /^The file that SSL_CERT_FILE names cannot be read/,
  },
};

for (const [what, { isDead, outcome, code, words, ...options }] of Object.entries(faults)) {
  t.test(`a proxy that ${what}: nothing reaches the provider, and the error says so`, async (t) => {
    const { router, provider, proxy, log } = await start(t, options);
    if (isDead) await proxy.die();
    const error = await failureOf(router.execute(task));
    t.equal(error.code, "routes_exhausted");
    t.match(error.routesTried.at(-1), { route: "external_provider", outcome, code });
    t.match(error.cause, { message: words });
    t.equal(provider.requests.length, 0);
    t.ok(proxy.asked.length + proxy.forwarded.length <= 1, "one attempt");
    const told = [inspect(error, { depth: 9 }), JSON.stringify(error), ...log];
    for (const text of told) t.notMatch(text, /-of-ada/, "no password");
    t.ok(log.some((line) => line.includes(code)));
  });
}

t.test("a proxy that dies while the provider thinks is named", async (t) => {
  const { router, provider, proxy } = await start(t);
  provider.play(() => void proxy.die());
  const error = await failureOf(router.execute(task));
  t.match(error.routesTried.at(-1), { outcome: "connection_lost" });
  t.match(error.cause, { message: /through the proxy that HTTPS_PROXY names broke/ });
  t.match(await failureOf(router.execute(task)), {
    cause: { message: /HTTPS_PROXY names cannot be reached/ },
  });
});

t.test("a task that is cancelled, and a router that is destroyed, wait for no proxy", async (t) => {
  const { router, proxy } = await start(t, { mood: { kind: "black_hole" } });
  const controller = new AbortController();
  const cancelled = failureOf(router.execute({ ...task, signal: controller.signal }));
  controller.abort();
  t.equal((await cancelled).code, "cancelled");
  const closed = failureOf(router.execute(task));
  await router.destroy();
  t.equal((await closed).code, "closed");
  t.ok(proxy.asked.length <= 2);
});

t.test("a variable that names no HTTP proxy is refused by name, without its value", async (t) => {
  const provider = {
    CODEX_NATIVE_API_FALLBACK_BASE_URL: "https://api.example.com/v1",
    CODEX_NATIVE_API_FALLBACK_MODEL: "m",
  };
  for (const given of [`ftp://ada:${password}@proxy:1080`, "socks5://proxy:1080", "http://", "/proxy"]) {
    const read = readSideTaskSettings({ ...provider, all_proxy: given });
    t.match(
      read,
      { ok: false, faults: [{ source: "all_proxy", given: null, problem: /does not name an HTTP proxy/ }] },
      given,
    );
    t.notMatch(JSON.stringify(read), /s3cret/);
    t.ok(readSideTaskSettings({ ...provider, all_proxy: given, NO_PROXY: "example.com" }).ok);
    t.ok(readSideTaskSettings({ all_proxy: given }).ok, "without a provider nobody needs one");
  }
  const external = { baseUrl: "https://api.example.com/v1", apiKey: null, model: "m" };
  const network = { HTTPS_PROXY: "ftp://proxy:1080" };
  t.throws(() => new CodexNativeApiSideTaskRouter({ settings: { localApi: null, external, network } }), {
    code: "bad_request",
    param: "settings.network.HTTPS_PROXY",
  });
  const settings = { localApi: null, external: null, network };
  const router = new CodexNativeApiSideTaskRouter({ settings });
  t.teardown(() => router.destroy());
  t.match(await failureOf(router.execute({ ...task, fallback: external })), {
    routesTried: [{}, {}, { outcome: "misconfigured", code: "proxy_not_supported" }],
  });
});
